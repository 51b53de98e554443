"""People who are asked whether something may be done: they say yes or no, twice, too late, or somebody else does."""

import asyncio
import random

from tests.chaos.approving import Press, asking_in, press
from tests.chaos.crowd import NAMES, Crowd
from tests.chaos.functions import MARKS
from tests.chaos.history_functions import Asking, Decision, Functions, Mark
from tests.chaos.places import Place
from tests.chaos.world import World
from tests.support.work import Tasks

LOOKS, AT_ONCE = 0.3, 12  # seconds between two looks; threads that are looked at in each
AGAIN = 4.0  # seconds after which somebody decides anew what still waits
THINKS = (3.0, 7.0)  # seconds
_Key = tuple[str, str, tuple[str, ...]]  # a thread, a post in it, and what it asks about
NOTHING_LEFT = "There is nothing left to decide here."


class Deciding:
    """Everybody who is asked, until they are not needed any more; in peace, too, or nothing would ever end."""

    def __init__(self, world: World, crowd: Crowd, *, seed: int) -> None:
        self._world, self._crowd = world, crowd
        self._dice = random.Random(f"{seed} deciding")  # noqa: S311 - what they decide, not a secret
        self._busy: set[_Key] = set()
        self._decided: list[Decision] = []

    async def goes_on(self) -> None:
        """Look at one thread after the other in which the model may have called for what needs approval."""
        async with Tasks() as deciding:
            at = 0
            while True:
                await asyncio.sleep(LOOKS)
                places = self._places()
                for place in [places[(at + number) % len(places)] for number in range(min(AT_ONCE, len(places)))]:
                    for asking in asking_in(place):
                        key = (place.thread.key, asking.id, asking.calls)  # on the page a turn may ask again
                        if asking.is_open and asking.calls and key not in self._busy:
                            self._busy.add(key)
                            deciding.start(self._decides(place, asking, key))
                at += AT_ONCE

    def _places(self) -> list[Place]:
        calls = self._world.gemini.calls.values()
        wanted = {int(tag[1:4]) for call in calls if call.function == "send" for tag in call.tags}
        return [talk.place for talk in self._crowd.talks if talk.place.number in wanted and talk.place.said]

    async def _decides(self, place: Place, asking: Asking, key: _Key) -> None:
        asker = self._asker(place, asking)
        told: list[str | None] = []
        for after, by, approves in self._way(place, asker):
            await asyncio.sleep(after)
            if (decision := await press(place, Press(asking, by, by == asker, approves))) is None:
                break
            self._decided.append(decision)
            told.append(decision.told)
        if told and told[0] == NOTHING_LEFT:
            return  # nobody comes back to it
        await asyncio.sleep(AGAIN)
        self._busy.discard(key)

    def _way(self, place: Place, asker: str) -> list[tuple[float, str, bool]]:
        """What is pressed by whom, and so many seconds after what was pressed before."""
        dice = self._dice
        soon, at_once = dice.uniform(0.1, 2.0), dice.choice((0.0, 0.3))
        other = dice.choice([name for name in NAMES if name != asker])
        ways = {
            "yes": (10, [(soon, asker, True)]),
            "no": (4, [(soon, asker, False)]),
            "twice": (3, [(soon, asker, True), (at_once, asker, True)]),
            "wavers": (2, [(soon, asker, True), (at_once, asker, False)]),
            "late": (3, [(dice.uniform(*THINKS), asker, True)]),
        }
        if place.can_press and not place.is_direct:
            ways["somebody else"] = (4, [(soon, other, dice.random() < 0.7), (soon, asker, dice.random() < 0.5)])
        names = list(ways)
        (way,) = dice.choices(names, [ways[name][0] for name in names])
        return ways[way][1]

    def _asker(self, place: Place, asking: Asking) -> str:
        """Who asked the question for which something is to be done."""
        call = self._world.gemini.calls[asking.calls[0]]
        return place.asker_of(call.tags[0])

    def history(self) -> Functions:
        """What it came to until now."""
        gemini, model = self._world.gemini, self._world.model
        return Functions(
            calls=gemini.calls,
            marks=self._marks(),
            asking=[one for place in self._places() for one in asking_in(place)],
            decisions=self._decided,
            told=gemini.told(model),
        )

    def _marks(self) -> list[Mark]:
        file = self._world.folder / MARKS
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [Mark(call, self._world.at(float(at))) for at, call, _ in lines]
