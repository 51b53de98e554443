"""Discord as a stage of the contract: in a channel, whose questions have threads of their own, or directly."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.discord.adapter import Rhythm
from bot.answers import PLAIN, After, AnswerEvent, Manner, Question, Text
from bot.calls import Results
from bot.messages import MessageId, Thread
from bot.ports import Store
from tests.adapters.contract.life import DRAIN, Life
from tests.adapters.contract.stage import Bot
from tests.support.discord import DiscordServer, DropBefore, Message, discord_server
from tests.support.discord_clew import SWIFT, DiscordClew, clew_on
from tests.support.people.discord import DiscordPeople
from tests.support.people.seen import Post, Upload
from tests.support.scripted import Asked, ScriptedModel
from tests.support.slack_clew import interposed

_NAME = re.compile(r"^\[(?:Ada|Ben)[0-9]*\] ", re.MULTILINE)
RHYTHM = Rhythm(pause=0.05, longest_pause=0.2, catch_up=0.0, late=0.02)


class _Unnaming(ScriptedModel):
    """Does not hear who speaks, which Discord tells and other platforms do not."""

    async def answer(
        self, question: Question | Results, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        unnamed = [
            Text(_NAME.sub("", one.text)) if isinstance(one, Text) else one
            for one in Asked.told(question, after, manner).question
        ]
        async for event in super().answer(tuple(unnamed), after=after, manner=manner):
            yield event


class DiscordStage(DiscordPeople):
    """A server of its own. What people do there has been taken in when it is done."""

    harmful = "@everyone @here <@&{role}> <@{person}> https://spy.example/ [look](https://spy.example/) discord.gg/spy"

    def __init__(self, discord: DiscordServer, folder: Path, *, is_direct: bool) -> None:
        super().__init__(discord, is_direct=is_direct)
        self.model = _Unnaming()
        self._folder = folder
        self._taken_back: set[str] = set()
        ids = {"role": discord.role("crew", mentionable=True), "person": discord.person("ada")}
        self.harmful = DiscordStage.harmful.format(**ids)

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        life = Life()
        self.discord.faults.disarm()
        # What a bot that is dead asks of Discord comes to nothing.
        self.discord.faults.arm("*", DropBefore(), times=None, when=lambda call: life.reaper.struck.is_set())
        async with life.lived(self._run(life)) as bot:
            yield bot

    @asynccontextmanager
    async def _run(self, life: Life) -> AsyncIterator[DiscordClew]:
        async with clew_on(
            self.discord,
            url=f"sqlite:///{self._folder / 'clew.db'}",
            model=self.model,
            wrap_all=lambda store: self._telling(life.over_store(store)),
            rhythm=RHYTHM,
            pace=SWIFT,
            drain=DRAIN,
            inline_limit=15_000_000,
        ) as clew:
            yield clew

    def _telling(self, store: Store) -> Store:
        """The store, so that one can wait until something was taken back; see `heard`."""

        async def withdraw(thread: Thread, message: MessageId) -> bool:
            try:
                return await store.withdraw(thread, message)
            finally:
                self._taken_back.add(message)
                self.discord.look_again()

        return interposed(store, withdraw=withdraw)

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self,
        text: str,
        *,
        thread: Thread | None = None,
        by: str = "ada",
        files: Sequence[Upload] = (),
        channel: str = "general",
    ) -> Post:
        return await self._taken_in(await super().says(text, thread=thread, by=by, files=files, channel=channel))

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        channel = self.place("ada") if thread is None else thread.thread_id
        who = self.discord.bot_user_id if itself else "robot"
        said = await self.discord.says(who, text, channel=channel, bot=True)
        self.spoken.add(said)
        return await self._taken_in(self.noted(said, channel, thread))

    async def _taken_in(self, post: Post) -> Post:
        said = self.discord.message(post.id)
        await self._heard_in(said.channel_id)
        if not said.author.is_bot:
            # Whoever goes on in a thread does so when there is one.
            await self.discord.until(lambda: post.thread.thread_id in self.discord.world.channels)
        return post

    async def repeats(self, post: Post) -> None:
        self.discord.world.witness.posted(self.discord.message(post.id))
        await self._heard_in(self.discord.message(post.id).channel_id)

    async def edits(self, post: Post, text: str) -> None:
        await super().edits(post, text)
        await self._heard_in(self.discord.message(post.id).channel_id)

    async def deletes(self, post: Post) -> None:
        channel = self.discord.message(post.id).channel_id
        await super().deletes(post)
        await self._heard_in(channel)

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        for thread in self.begun:
            for channel in {thread.channel_id, thread.thread_id} & self.discord.world.channels.keys():
                await self._heard_in(channel)

    async def _heard_in(self, channel: str) -> None:
        """Wait until all that happened there was taken in, in the order in which it did.

        Discord wants no receipt of its events. So something is taken back that nobody ever said.
        """
        world = self.discord.world
        place = world.channels[channel]
        nothing = Message(world.ids.new(), place.id, place.guild_id, world.user("nobody"), "", world.clock.now())
        world.witness.deleted(nothing)
        await self.discord.until(lambda: nothing.id in self._taken_back)

    async def left_over(self) -> Sequence[str]:
        said = [one for one in self.discord.replies("general") if one.id not in self.spoken]
        stray = [f"in the channel: {one.text}" for one in said]
        stray += [f"to Ada alone: {one.text}" for one in self.discord.whispers("ada")]
        if not self._is_direct:
            stray += [f"to Ada directly: {one.text}" for one in self.discord.replies(self.discord.direct("ada"))]
        for thread in self.begun:
            stray += ["a sign of work"] if self.view(thread).is_working else []
            for one in self.discord.transcript(thread.thread_id):
                stray += [f"reaction {name}" for name in one.reactions]
        return stray


@asynccontextmanager
async def discord_stage(folder: Path, *, is_direct: bool = False) -> AsyncIterator[DiscordStage]:
    """A server of its own; the bot's database lies in *folder*."""
    async with discord_server() as discord:
        yield DiscordStage(discord, folder, is_direct=is_direct)
