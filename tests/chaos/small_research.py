"""The model of chaos in miniature that researches as well, and what people do about that in the stories of bugs."""

from collections.abc import Callable
from dataclasses import replace

from bot.answers import PLAIN, After, Created, Interaction, InteractionState, Manner, Question, TextPiece
from bot.commands import Command
from bot.messages import InteractionId
from tests.chaos.gemini import answer
from tests.chaos.history import Asked
from tests.chaos.small import KnowingModel, Small
from tests.support.scripted import completed


class ResearchingModel(KnowingModel):
    """One that works on research until it is let go, or cancelled."""

    async def begin(self, question: Question, *, after: After, manner: Manner = PLAIN) -> InteractionId:
        asked = self._asked(question, after, manner)
        self.record.append(replace(asked, agent=manner.agent, is_background=True, is_at_work=True))
        return InteractionId(asked.id)

    async def look_up(self, interaction: InteractionId) -> Interaction:
        place = next((at for at, one in enumerate(self.record) if one.id == interaction), None)
        if place is None or not self.record[place].is_background:
            return await super().look_up(interaction)
        found = self._seen(place, interaction)
        self.looked_up.append(interaction)
        async with self._heard:
            self._heard.notify_all()
        return found

    def _seen(self, place: int, interaction: InteractionId) -> Interaction:
        asked = self.record[place]
        if interaction in self.cancelled:
            self.record[place] = replace(asked, is_cancelled=True, is_at_work=False)
            return Interaction(interaction, InteractionState.BROKEN)
        if self._is_held(asked):
            return Interaction(interaction, InteractionState.RUNNING)
        self.record[place] = replace(asked, is_at_work=False)
        events = (Created(interaction), TextPiece(answer(asked.tags, asked.knew)), completed(interaction))
        return Interaction(interaction, InteractionState.COMPLETED, events)

    def _is_held(self, asked: Asked) -> bool:
        return bool(set(asked.tags) & self._held) and not self.let_go.is_set()


async def a_report(it: Small) -> None:
    async with it.life():
        await it.says("q00001", wish="research: ")
        await it.sees("q00001")
        await it.says("q00002", by="bob")
        await it.sees("q00002")


async def a_death_while_research_runs(it: Small) -> None:
    async with it.life(drain=0.0):
        await it.says("q00071", wish="research: ")
        await it.model.until(lambda: bool(it.model.looked_up))
    it.model.let_go.set()
    async with it.life():
        await it.sees("q00071")


async def research_that_is_stopped(it: Small) -> None:
    async with it.life():
        await it.says("q00071", wish="research: ")
        await it.model.until(lambda: bool(it.model.looked_up))
        await it.gives(Command.STOP)
        await it.says("q00002")
        await it.sees("q00002")
        looks = len(it.model.looked_up)
        await it.model.until(_is_ended_or_seen_again(it, looks))


def _is_ended_or_seen_again(it: Small, looks: int) -> Callable[[], bool]:
    """Whether nothing is at work any more, or it was looked at twice since: who ends it looks again and again."""
    return lambda: not any(one.is_at_work for one in it.model.record) or len(it.model.looked_up) > looks + 1


async def more_research_than_there_may_be(it: Small) -> None:
    async with it.life():
        for number in range(1, it.most_research + 2):
            await it.says(f"q{number:05d}", wish="research: ")
            await it.ended(number)
