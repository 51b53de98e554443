"""How a run goes on: whether anything still happens, and what is still open. Cheap, since it is asked all the time."""

from tests.chaos.crowd import Crowd
from tests.chaos.world import World

_SLACK_READS = ("conversations.", "users.", "files.info", "auth.", "bots.", "team.", "apps.", "file.download")


class Moves:
    """Counts what may change what people see: questions to Gemini, and calls to platforms that do not only read."""

    def __init__(self, world: World) -> None:
        self._world, self._writes = world, 0
        self._in_slack = self._in_discord = 0  # calls that were looked at

    def count(self) -> int:
        """How often something happened until now."""
        slack, discord = self._world.slack.calls, self._world.discord.calls
        self._writes += sum(not call.method.startswith(_SLACK_READS) for call in slack[self._in_slack :])
        self._writes += sum(call.verb != "GET" for call in discord[self._in_discord :])
        self._in_slack, self._in_discord = len(slack), len(discord)
        return self._writes + len(self._world.model.requests)


def unanswered(crowd: Crowd) -> int:
    """How many messages no answer names; some of them got a notice, or went with a stop or a reset."""
    number = 0
    for talk in crowd.talks:
        if talk.place.begun is not None and talk.place.said:
            named = {tag for stood in talk.place.stood() for tag in stood.tags}
            number += sum(named.isdisjoint(said.tags) for said in talk.place.said if not said.is_taken_back)
    return number
