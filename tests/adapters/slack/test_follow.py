"""`CLEW_FOLLOW`: who is answered in a thread and who is not, while it goes on and when it is read after a start."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import pytest

from bot.messages import Thread
from bot.policy import Follow, Policy
from bot.ports import Store
from tests.adapters.slack.catching import bot_at, hearing
from tests.support.slack import SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on


class Heard(Enum):
    """How the bot comes to know what is said in a thread."""

    LIVE = "as it is said"
    LATE = "after a start"
    HALF = "up to the first mention as it is said, the rest after a start"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Line:
    """What somebody says, and to whom."""

    who: str
    text: str
    to: tuple[str, ...] = ()  # ``clew``, or somebody


def said(who: str, text: str, *to: str) -> Line:
    return Line(who, text, to)


# Of both threads: what names nobody is open to everybody.
BEGUN_WITH_THE_BOT = (
    said("ada", "what is a clew?", "clew"),
    said("ben", "and who gave it to him?"),
    said("ada", "do you know?", "ben"),
    said("cyd", "was it red?", "ben", "clew"),
    said("ada", "go on"),
)
BEGUN_AMONG_OTHERS = (
    said("ben", "lunch?"),
    said("ada", "yes"),
    said("cyd", "what is open?", "clew"),
    said("ben", "anything else?"),
    said("cyd", "you decide", "ben"),
    said("ada", "is it far?", "clew"),
)


async def talk(
    slack: SlackServer, lines: Sequence[Line], root: str | None = None, *, is_told: bool = True
) -> dict[str, str]:
    """Let these be said in a thread, one after the other; what was said in which message."""
    told: dict[str, str] = {}
    for line in lines:
        names = [slack.bot_user_id if name == "clew" else slack.person(name) for name in line.to]
        text = " ".join([*(f"<@{name}>" for name in names), line.text])
        ts = await slack.says(line.who, text, thread_ts=root, mention=False)
        if is_told:
            await slack.delivered()  # over two sockets the next one might come first
        root = root or ts
        told[ts] = line.text
    return told


async def answered(heard: Heard, follow: Follow, lines: Sequence[Line]) -> list[str]:
    """What of all that is answered."""
    async with slack_server(scopes=ALL_SCOPES) as slack:
        if heard is Heard.LIVE:
            async with clew_on(slack, policy=Policy(follow=follow)) as clew:
                told = await talk(slack, lines)
                return await _taken(clew.store, clew.thread(next(iter(told))), told)
        async with bot_at(slack, follow=follow) as bot:
            called = next((number for number, line in enumerate(lines, 1) if "clew" in line.to), 0)
            async with hearing(bot):
                await slack.says("ada", "good morning")
                told = await talk(slack, lines[:called] if heard is Heard.HALF else ())
            told |= await talk(slack, lines[len(told) :], next(iter(told), None))
            await bot.catch_up().run()
            return await _taken(bot.store, bot.at.thread(ts=next(iter(told))), told)


async def _taken(store: Store, thread: Thread, told: dict[str, str]) -> list[str]:
    turns = await store.transcript(thread)
    return [told[message.id] for turn in turns for message in turn.messages]


@pytest.mark.parametrize("heard", Heard, ids=str)
@pytest.mark.parametrize("follow", [Follow.ALWAYS, Follow.SMART])
async def test_in_a_followed_thread_everybody_is_answered_who_speaks_to_nobody_else(
    heard: Heard, follow: Follow
) -> None:
    assert await answered(heard, follow, BEGUN_WITH_THE_BOT) == [
        "what is a clew?",
        "and who gave it to him?",
        "was it red?",
        "go on",
    ]


@pytest.mark.parametrize("heard", Heard, ids=str)
async def test_with_mention_nobody_is_answered_without_one_where_the_bot_began(heard: Heard) -> None:
    assert await answered(heard, Follow.MENTION, BEGUN_WITH_THE_BOT) == ["what is a clew?", "was it red?"]


@pytest.mark.parametrize("heard", Heard, ids=str)
async def test_with_always_other_peoples_thread_is_followed_from_where_the_bot_was_called(heard: Heard) -> None:
    assert await answered(heard, Follow.ALWAYS, BEGUN_AMONG_OTHERS) == [
        "what is open?",
        "anything else?",
        "is it far?",
    ]


@pytest.mark.parametrize("heard", Heard, ids=str)
@pytest.mark.parametrize("follow", [Follow.MENTION, Follow.SMART])
async def test_otherwise_only_mentions_are_answered_in_other_peoples_thread(heard: Heard, follow: Follow) -> None:
    assert await answered(heard, follow, BEGUN_AMONG_OTHERS) == ["what is open?", "is it far?"]


@pytest.mark.parametrize("heard", [Heard.LIVE, Heard.LATE], ids=str)
async def test_with_always_a_thread_the_bot_was_never_called_into_is_left_alone(heard: Heard) -> None:
    among_themselves = [line for line in BEGUN_AMONG_OTHERS if "clew" not in line.to]

    assert await answered(heard, Follow.ALWAYS, among_themselves) == []


async def test_with_mention_direct_messages_need_none() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, bot_at(slack, follow=Follow.MENTION) as bot:
        direct = slack.direct("ada")
        async with hearing(bot):
            await slack.says("ada", "hello", channel=direct)
        await slack.says("ada", f"does <@{slack.person('ben')}> know?", channel=direct)

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(direct)) == ["hello", f"does @{slack.person('ben')} know?"]


async def test_with_always_a_thread_made_quiet_waits_for_mentions_also_over_a_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    always = Policy(follow=Follow.ALWAYS)
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url, policy=always):
            told = await talk(slack, [said("ben", "lunch?"), said("ada", "what is open?", "clew")])
            root = next(iter(told))
            told |= await talk(slack, [said("cyd", "quiet", "clew"), said("ben", "so?")], root)
        slack.mute_events()
        told |= await talk(slack, [said("ben", "well?"), said("ada", "is it far?", "clew")], root, is_told=False)
        slack.mute_events(False)
        async with clew_on(slack, url=url, policy=always) as clew:
            await slack.shown("general", root, lambda seen: any("is it far?" in one.text for one in seen))

            assert await _taken(clew.store, clew.thread(root), told) == ["what is open?", "is it far?"]
