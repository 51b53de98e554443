"""Slash commands, buttons and shortcuts: what people do, and what they alone are told."""

import asyncio

import pytest

from adapters.slack.manifest import COMMAND, RESET_COMMAND, RESET_SHORTCUT
from bot.policy import Names, Policy
from bot.ports import Store
from tests.support.scripted import answer
from tests.support.slack import SaysError, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on, failing, interposed, until_logged

AFRESH = "This thread starts afresh"


async def asked(slack: SlackServer, text: str = "hello", *, by: str = "ada", channel: str = "general") -> str:
    """Somebody has asked something in a new thread, and was answered."""
    async with until_logged("turn answered", by="bot.responder"):
        ts = await slack.says(by, text, channel=channel)
    await slack.shown(channel, ts)
    return ts


def link(slack: SlackServer, ts: str, *, channel: str = "general", thread_ts: str | None = None) -> str:
    """What "Copy link" gives."""
    more = f"?thread_ts={thread_ts}&cid={slack.channel(channel)}" if thread_ts else ""
    return f"{slack.url}/archives/{slack.channel(channel)}/p{ts.replace('.', '')}{more}"


async def goes_on_from(slack: SlackServer, clew: SlackClew, ts: str, *, channel: str = "general") -> object:
    """What the next question in a thread goes on from; None when the thread was reset."""
    number = len(clew.model.asked)
    await slack.says("ada", "and now?", thread_ts=ts, channel=channel)
    await clew.model.heard(number + 1)
    await slack.shown(channel, ts, lambda seen: any(f"answer {number + 1}" in one.text for one in seen))
    return clew.model.asked[number].after


# --- slash commands ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", [f"{COMMAND} reset", RESET_COMMAND])
async def test_a_reset_with_a_link_resets_that_thread_and_says_so_to_its_giver_alone(command: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts, other = await asked(slack), await asked(slack, "another")
        name, _, words = command.partition(" ")
        told = await slack.slash("ada", name, f"{words} {link(slack, ts)}".strip())

        assert (told.text or "").startswith(AFRESH)
        assert len(slack.replies("general", ts)) == 1
        assert await goes_on_from(slack, clew, ts) is None
        assert await goes_on_from(slack, clew, other) == "i2"


async def test_a_link_to_a_reply_means_the_thread_it_stands_in() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        reply = slack.replies("general", ts)[0]
        told = await slack.slash("ada", COMMAND, f"reset {link(slack, reply.ts, thread_ts=ts)}")

        assert (told.text or "").startswith(AFRESH)
        assert await goes_on_from(slack, clew, ts) is None


async def test_a_reset_without_a_link_offers_the_givers_recent_threads_of_that_channel() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.channel("random")
        await asked(slack, "elsewhere", channel="random")
        await asked(slack, "of another", by="bob")
        older, newer = await asked(slack, "older"), await asked(slack, "newer")
        told = await slack.slash("ada", COMMAND, "reset")
        (offer,) = slack.whispers("ada")

        assert [button.value for button in offer.buttons] == [clew.thread(newer).key, clew.thread(older).key]
        assert told.answer is not None
        assert told.answer["response_type"] == "ephemeral"
        await slack.clicks(offer.buttons[1])
        (done,) = await slack.until(
            lambda: [one for one in slack.whispers("ada") if one.text.startswith(AFRESH)] or None
        )

        assert done.buttons == ()
        assert await goes_on_from(slack, clew, older) is None
        assert await goes_on_from(slack, clew, newer) == "i4"


async def test_without_a_thread_of_ones_own_there_is_nothing_to_offer() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        await asked(slack, by="bob")
        told = await slack.slash("ada", RESET_COMMAND)

    assert told.text == "I know of no recent thread of yours in this channel."


async def test_in_a_direct_message_a_reset_resets_the_conversation() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        await slack.says("ada", "hello", channel=direct)
        await slack.shown(direct)
        told = await slack.slash("ada", RESET_COMMAND, channel=direct)
        await slack.says("ada", "who am I?", channel=direct)
        await slack.shown(direct, whole=2)

    assert (told.text or "").startswith(AFRESH)
    assert clew.model.asked[1].after is None


async def test_in_a_direct_message_stop_ends_what_is_answered_in_any_thread_of_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        top = await slack.says("ada", "hello", channel=direct)
        await slack.shown(direct)
        clew.model.will(*answer("i2", "a beginning")[:2], asyncio.Event())
        await slack.says("ada", "and in a thread?", channel=direct, thread_ts=top)
        await slack.shown(direct, top, lambda seen: bool(seen) and "a beginning" in seen[0].text)
        told = await slack.slash("ada", COMMAND, "stop", channel=direct)
        await slack.shown(direct, top)
        quiet = await slack.slash("ada", COMMAND, "quiet", channel=direct)

    assert told.text == "Stopped."
    assert quiet.text == "There are only the two of us here, so I answer whatever you write."


@pytest.mark.parametrize("words", ["", "help", "Help!"])
async def test_help_is_given_to_whoever_asks_for_it(words: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        told = await slack.slash("ada", COMMAND, words)

    assert "`/clew reset` starts this thread afresh" in (told.text or "")
    assert "Answers are made by AI" in (told.text or "")


async def test_a_command_there_is_not_is_answered_with_those_there_are() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        told = await slack.slash("ada", COMMAND, "dance")

    assert (told.text or "").startswith("I do not know that command.")
    assert "`/clew stop`" in (told.text or "")


async def test_a_link_to_nowhere_is_not_guessed_at() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        told = await slack.slash("ada", COMMAND, "reset https://example.org/archives/C1/p1")

        assert "not a link to a message" in (told.text or "")
        assert await goes_on_from(slack, clew, ts) == "i1"


@pytest.mark.parametrize("words", ["stop", "retry", "reset", "quiet"])
async def test_a_thread_is_told_what_to_do_from_its_own_channel_alone(words: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.channel("secret", kind="group")
        ts = await asked(slack, channel="secret")
        there = link(slack, ts, channel="secret")
        strangers = await slack.slash("mallory", COMMAND, f"{words} {there}")
        askers = await slack.slash("ada", COMMAND, f"{words} {there}")
        assert await goes_on_from(slack, clew, ts, channel="secret") == "i1"

    assert strangers.text == "I only do that for a thread of this channel."
    assert "Please give the command there" in (askers.text or "")
    assert len(clew.model.asked) == 2


async def test_stop_ends_what_is_being_answered_to_its_giver_here() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        for _ in range(2):
            clew.model.will(*answer("i", "a beginning")[:2], asyncio.Event())
        mine, bobs = await slack.says("ada", "tell me"), await slack.says("bob", "tell me, too")
        for ts in (mine, bobs):
            await slack.shown("general", ts, lambda seen: bool(seen) and "a beginning" in seen[0].text)
        async with until_logged("turn stopped", by="bot.responder"):
            told = await slack.slash("ada", COMMAND, "stop")
        await slack.shown("general", mine)
        again = await slack.slash("ada", COMMAND, "stop")

        assert (told.text, again.text) == ("Stopped.", "I am not answering anything of yours here just now.")
        assert [turn.thread for turn in await clew.store.running()] == [clew.thread(bobs)]
        await slack.slash("bob", COMMAND, "stop")
        await slack.shown("general", bobs)


async def test_whoever_may_not_ask_may_not_command_either() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        blocking = Policy(people=Names(blocked=frozenset({slack.person("mallory")})))
        async with clew_on(slack, policy=blocking) as clew:
            ts = await asked(slack)
            slashed = await slack.slash("mallory", RESET_COMMAND, link(slack, ts))
            await slack.shortcut(RESET_SHORTCUT, ts, by="mallory")
            await slack.clicks(slack.replies("general", ts)[0].button("Reset"), by="mallory")
            whispers = await slack.whispered("mallory", 3)

            assert "not allowed" in (slashed.text or "")
            assert all("not allowed" in whisper.text for whisper in whispers)
            assert await goes_on_from(slack, clew, ts) == "i1"


async def test_a_guest_who_is_not_served_cannot_command_either() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.person("visitor", kind="guest")
        ts = await asked(slack)
        told = await slack.slash("visitor", RESET_COMMAND, link(slack, ts))

        assert "guests" in (told.text or "")
        assert await goes_on_from(slack, clew, ts) == "i1"


async def test_a_store_that_is_slow_is_answered_for_later() -> None:
    may_reset = asyncio.Event()

    def slow(store: Store) -> Store:
        async def reset(*arguments: object) -> object:
            await may_reset.wait()
            return await store.reset(*arguments)  # type: ignore[arg-type]

        return interposed(store, reset=reset)

    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, wrap=slow):
        ts = await asked(slack)
        told = await slack.slash("ada", RESET_COMMAND, link(slack, ts))
        assert (told.text, told.error) == ("One moment …", None)

        may_reset.set()
        whispers = await slack.whispered("ada", 2)

    assert whispers[-1].text.startswith(AFRESH)


async def test_a_store_that_fails_is_admitted() -> None:
    def broken(store: Store) -> Store:
        return failing(store, "reset", times=1)

    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, wrap=broken) as clew:
        ts = await asked(slack)
        told = await slack.slash("ada", RESET_COMMAND, link(slack, ts))
        assert "Please try again" in (told.text or "")
        assert await goes_on_from(slack, clew, ts) == "i1"

        again = await slack.slash("ada", RESET_COMMAND, link(slack, ts))
        assert (again.text or "").startswith(AFRESH)


async def test_a_failing_auth_test_takes_no_command_away() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        slack.faults.arm("auth.test", SaysError("invalid_auth"), times=None)
        told = await slack.slash("ada", COMMAND, "help")

    assert (told.text or "").startswith("Ask me anything")


# --- buttons and shortcuts --------------------------------------------------------------------


async def test_the_stop_button_ends_the_answer_it_stands_with() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(*answer("i1", "a beginning")[:2], asyncio.Event())
        ts = await slack.says("ada", "tell me everything")
        growing = await slack.shown("general", ts, lambda seen: any(one.buttons for one in seen))
        told = await slack.clicks(next(one for one in growing if one.buttons).button("Stop"), by="bob")
        (whisper,) = await slack.whispered("bob")
        shown = await slack.shown("general", ts)

    assert told.error is None
    assert whisper.text == "Stopped."
    assert "a beginning" in shown[0].text


async def test_retry_answers_again_in_place_of_the_answer_it_stands_under() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        (first,) = slack.replies("general", ts)
        async with until_logged("turn answered", by="bot.responder"):
            await slack.clicks(first.button("Retry"))
        shown = await slack.shown("general", ts, lambda seen: "answer 2 to hello" in seen[0].text)
        async with until_logged("turn answered", by="bot.responder"):
            await slack.says("ada", "next", thread_ts=ts)
            await clew.model.heard(3)
        await slack.clicks(shown[0].button("Retry"))  # no longer the last answer
        whispers = await slack.whispered("ada", 2)
        await slack.delivered()

    assert len(shown) == 1
    assert shown[0].ts == first.ts
    assert (
        whispers[1].text == "Retry works on the last answer of a thread, and there is none here that I could try again."
    )
    assert len(clew.model.asked) == 3


@pytest.mark.parametrize("how", ["button", "shortcut"])
async def test_reset_from_inside_the_thread_resets_it(how: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        (shown,) = slack.replies("general", ts)
        if how == "button":
            told = await slack.clicks(shown.button("Reset"))
        else:
            told = await slack.shortcut(RESET_SHORTCUT, shown.ts)
        (whisper,) = await slack.whispered("ada")

        assert told.error is None
        assert whisper.text.startswith(AFRESH)
        assert whisper.thread_ts == ts
        assert await goes_on_from(slack, clew, ts) is None


async def test_buttons_work_in_direct_messages() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        await slack.says("ada", "hello", channel=direct)
        (shown,) = await slack.shown(direct)
        await slack.clicks(shown.button("Reset"))
        (whisper,) = await slack.whispered("ada")
        await slack.says("ada", "who am I?", channel=direct)
        await slack.shown(direct, whole=2)

    assert whisper.text.startswith(AFRESH)
    assert clew.model.asked[1].after is None


async def test_when_slack_gives_no_address_to_answer_at_the_person_is_told_all_the_same() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack)
        slack.faults.arm("response_url", SaysError("expired_url", status=404), times=None)
        await slack.shortcut(RESET_SHORTCUT, ts)
        (whisper,) = await slack.whispered("ada")

    assert whisper.text.startswith(AFRESH)
    assert [call.method for call in slack.calls if call.method == "chat.postEphemeral"] == ["chat.postEphemeral"]


async def test_what_nobody_listens_to_shows_nobody_an_error() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await asked(slack)
        told = await slack.shortcut("of_another_age", ts)
        sent = await slack.submits({"id": "V1", "type": "modal", "callback_id": "old"}, {})
        slashed = await slack.slash("ada", "/something-else", "x")

    assert [told.error, sent.error, slashed.error] == [None, None, None]
