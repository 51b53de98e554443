"""Slack: forget, history, usage and privacy, from a thread, with a link, by a button and in a direct message."""

import pytest

from adapters.slack.manifest import COMMAND
from bot.commands import Command
from bot.policy import Names, Policy
from tests.adapters.slack.test_actions import asked, link
from tests.support.slack import SaysError, Shown, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on, until_logged

WORDS = {
    Command.FORGET: "I forget this thread",
    Command.HISTORY: "Asked: what is a clew",
    Command.USAGE: "1 answer, 3 tokens in, 5 out",
    Command.PRIVACY: "Gemini",
}
"""What each of the commands says."""

TOLD_ALONE = [Command.HISTORY, Command.USAGE, Command.PRIVACY]


async def whispered(slack: SlackServer, words: str, *, to: str = "ada") -> Shown:
    """What somebody was shown alone, and has these words in it."""

    def found() -> list[Shown]:
        return [one for one in slack.whispers(to) if words in one.text]

    return (await slack.until(lambda: found() or None))[-1]


@pytest.mark.parametrize("command", TOLD_ALONE)
async def test_what_is_asked_to_be_told_in_a_thread_is_shown_to_the_asker_alone(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack, "what is a clew?")
        await slack.says("ada", command.value, thread_ts=ts)
        shown = await whispered(slack, WORDS[command])
        replies = slack.replies("general", ts)

    assert shown.thread_ts == ts
    assert len(replies) == 1, "the answer, and nothing else"
    assert len(clew.model.asked) == 1


async def test_a_forget_in_a_thread_is_told_to_everybody_in_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack, "what is a clew?")
        await slack.says("ada", "forget", thread_ts=ts)
        await slack.shown("general", ts, lambda seen: any(WORDS[Command.FORGET] in one.text for one in seen))


@pytest.mark.parametrize("command", list(WORDS))
async def test_each_is_to_be_had_with_a_link_and_answered_to_its_giver_alone(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack, "what is a clew?")
        told = await slack.slash("ada", COMMAND, f"{command} {link(slack, ts)}")

        assert WORDS[command] in (told.text or "")
        assert told.answer is not None
        assert told.answer["response_type"] == "ephemeral"


@pytest.mark.parametrize("command", [Command.FORGET, Command.HISTORY])
async def test_without_a_link_the_givers_recent_threads_are_offered(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        await asked(slack, "of another", by="bob")
        ts = await asked(slack, "what is a clew?")
        await slack.slash("ada", COMMAND, command.value)
        (offer,) = slack.whispers("ada")
        await slack.clicks(offer.buttons[0])
        await whispered(slack, WORDS[command])

    assert [button.value for button in offer.buttons] == [clew.thread(ts).key]


@pytest.mark.parametrize("command", [Command.USAGE, Command.PRIVACY])
async def test_what_is_of_a_person_or_a_channel_needs_no_thread(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        await asked(slack, "what is a clew?")
        told = await slack.slash("ada", COMMAND, command.value)

        assert WORDS[command] in (told.text or "")


@pytest.mark.parametrize("command", list(WORDS))
async def test_in_a_direct_message_each_is_of_that_conversation(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        direct = slack.direct("ada")
        async with until_logged("turn answered", by="bot.responder"):
            await slack.says("ada", "what is a clew?", channel=direct)
        told = await slack.slash("ada", COMMAND, command.value, channel=direct)
        await slack.says("ada", f"/{command}", channel=direct)
        await slack.shown(direct, None, lambda seen: WORDS[command] in seen[-1].text and len(seen) > 1)

        assert WORDS[command] in (told.text or "")


@pytest.mark.parametrize("command", [Command.FORGET, Command.HISTORY])
async def test_a_thread_of_a_channel_one_is_not_in_is_nobodys_business(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        slack.channel("secret", kind="group")
        ts = await asked(slack, "what is a clew?", by="bob", channel="secret")
        told = await slack.slash("ada", COMMAND, f"{command} {link(slack, ts, channel='secret')}")

        assert WORDS[command] not in (told.text or "")
        assert "a thread of this channel" in (told.text or "")


@pytest.mark.parametrize("command", list(WORDS))
async def test_a_link_works_in_its_own_channel_alone_for_who_asked_there_may_be_in_it_no_more(
    command: Command,
) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        slack.channel("secret", kind="group")
        ts = await asked(slack, "what is a clew?", channel="secret")
        told = await slack.slash("ada", COMMAND, f"{command} {link(slack, ts, channel='secret')}")

        assert WORDS[command] not in (told.text or "")
        assert "Please give the command there" in (told.text or "")


@pytest.mark.parametrize("command", list(WORDS))
async def test_who_may_not_use_the_bot_is_told_nothing(command: Command) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        blocked = Policy(people=Names(blocked=frozenset({slack.person("bob")})))
        async with clew_on(slack, policy=blocked):
            ts = await asked(slack, "what is a clew?")
            told = await slack.slash("bob", COMMAND, f"{command} {link(slack, ts)}")

            assert WORDS[command] not in (told.text or "")


async def test_what_cannot_be_shown_alone_is_not_shown_to_all() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack, "what is a clew?")
        slack.faults.arm("chat.postEphemeral", SaysError("user_not_in_channel"), times=None)
        await slack.says("ada", "history", thread_ts=ts)
        await slack.shown("general", ts, lambda seen: any("could not show you alone" in one.text for one in seen))

        assert not any("Asked" in one.text for one in slack.replies("general", ts))
