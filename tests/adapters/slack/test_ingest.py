"""Events over Socket Mode, from what people do to what they see."""

import asyncio

import pytest

from bot.errors import StoreUnavailable
from bot.policy import Names, Policy
from bot.ports import Store
from tests.support.scripted import answer
from tests.support.slack import SaysError, Shown, Twins, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on, failing, interposed

IMPATIENT = Variants(ack_within=0.5, retries=(0.0, 0.2, 0.2))


def texts(shown: list[Shown]) -> list[str]:
    """What the bot said, less the line on following."""
    return [one.text.partition("\n\n_I go on")[0] for one in shown]


async def test_a_mention_is_answered_in_the_thread_under_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "what is a clew?")

        shown = await slack.shown("general", ts)
        await slack.delivered()

    assert texts(shown) == ["answer 1 to what is a clew?"]
    assert slack.replies("general") == []
    assert len(clew.model.asked) == 1
    assert all(delivery.is_acknowledged and delivery.retries == 0 for delivery in slack.deliveries)


@pytest.mark.parametrize(
    "twins",
    [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST, Twins.ONLY_MENTION, Twins.ONLY_MESSAGE],
    ids=["mention first", "message first", "mention alone", "message alone"],
)
async def test_one_post_is_one_message_whichever_events_tell_of_it(twins: Twins) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello", twins=twins)
        await slack.shown("general", ts)
        await slack.delivered()
        again = await slack.says("ada", "and now?", thread_ts=ts, twins=twins)
        await slack.shown("general", ts, whole=2)
        await slack.delivered()

    assert [asked.text for asked in clew.model.asked] == ["hello", "and now?"]
    assert again > ts


async def test_an_event_that_comes_again_is_not_a_new_question() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.faults.events.double = 2
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        for delivery in list(slack.deliveries):
            slack.again(delivery)
        await slack.delivered()

        assert len(slack.replies("general", ts)) == 1
    assert len(clew.model.asked) == 1
    assert all(delivery.is_acknowledged for delivery in slack.deliveries)


async def test_an_event_is_acknowledged_only_when_it_is_stored() -> None:
    may_store, is_asked = asyncio.Event(), asyncio.Event()

    def slow(store: Store) -> Store:
        async def add(*arguments: object, **named: object) -> object:
            is_asked.set()
            await may_store.wait()
            return await store.add(*arguments, **named)  # type: ignore[arg-type]

        return interposed(store, add=add)

    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, wrap=slow):
        ts = await slack.says("ada", "hello", twins=Twins.ONLY_MESSAGE)
        async with asyncio.timeout(30):
            await is_asked.wait()
        assert slack.acks == []

        may_store.set()
        await slack.shown("general", ts)
        await slack.delivered()

    assert all(delivery.is_acknowledged and not delivery.retries for delivery in slack.deliveries)


async def test_what_the_store_refuses_is_not_acknowledged_and_answered_once_when_it_comes_again() -> None:
    async with (
        slack_server(scopes=ALL_SCOPES, variants=IMPATIENT) as slack,
        clew_on(slack, wrap=lambda store: failing(store, "add", times=2)) as clew,
    ):
        ts = await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.shown("general", ts)
        await slack.delivered()

        (mention,) = [delivery for delivery in slack.deliveries if delivery.name == "app_mention"]
        assert [attempt.failure for attempt in mention.attempts] == ["timeout", "timeout", None]
        assert len(slack.replies("general", ts)) == 1
    assert len(clew.model.asked) == 1


async def test_a_store_that_is_too_slow_for_slack_keeps_the_question_and_answers_it_once() -> None:
    came_again = asyncio.Event()

    def slow(store: Store) -> Store:
        async def add(*arguments: object, **named: object) -> object:
            await came_again.wait()
            return await store.add(*arguments, **named)  # type: ignore[arg-type]

        return interposed(store, add=add)

    async with (
        slack_server(scopes=ALL_SCOPES, variants=IMPATIENT) as slack,
        clew_on(slack, wrap=slow) as clew,
    ):
        ts = await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        (mention,) = slack.deliveries
        await slack.until(lambda: len(mention.attempts) == 2 or None)
        came_again.set()
        await slack.shown("general", ts)
        await slack.delivered()

        assert [attempt.failure for attempt in mention.attempts] == ["timeout", "timeout", None]
        assert len(slack.replies("general", ts)) == 1
    assert len(clew.model.asked) == 1


async def test_what_is_said_in_a_thread_is_kept_in_the_order_in_which_it_came() -> None:
    is_looking, may_look = asyncio.Event(), asyncio.Event()

    def slow_to_look(store: Store) -> Store:
        async def note(*arguments: object) -> object:
            is_looking.set()
            await may_look.wait()
            return await store.note(*arguments)  # type: ignore[arg-type]

        return interposed(store, note=note)

    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, wrap=slow_to_look) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        # Of what names nobody it has to be looked up whether it is meant for the bot; a mention needs no look.
        await slack.says("ada", "first", thread_ts=ts, mention=False)
        async with asyncio.timeout(30):
            await is_looking.wait()
        await slack.says("ada", "second", thread_ts=ts)
        asyncio.get_running_loop().call_later(0.1, may_look.set)
        await slack.delivered()
        await slack.shown("general", ts, lambda seen: "second" in seen[-1].text)

    assert "\n".join(asked.text for asked in clew.model.asked) == "hello\nfirst\nsecond"


async def test_a_failing_auth_test_loses_nothing() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.faults.arm("auth.test", SaysError("invalid_auth"), times=None)
        ts = await slack.says("ada", "hello")

        assert texts(await slack.shown("general", ts)) == ["answer 1 to hello"]
        await slack.delivered()
    assert len(clew.model.asked) == 1
    assert all(delivery.is_acknowledged for delivery in slack.deliveries)


async def test_what_nobody_listens_to_is_acknowledged_all_the_same() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        await slack.joins("bob")
        await slack.says("bob", "not for the bot", mention=False)
        ts = await slack.says("helper", "I am a bot, too", kind="bot")
        await slack.deletes(ts)
        await slack.delivered()

    assert [delivery.name for delivery in slack.deliveries if not delivery.is_acknowledged] == []
    assert len(slack.deliveries) >= 4
    assert clew.model.asked == []


async def test_bots_are_never_answered_and_the_bot_does_not_answer_itself() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        await slack.says("helper", "hello, bot", kind="bot")
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.says("helper", "a word in between", kind="bot", thread_ts=ts)
        await slack.delivered()

    assert [asked.text for asked in clew.model.asked] == ["hello"]


# --- edits and deletions ----------------------------------------------------------------------


async def test_an_edit_before_the_turn_starts_replaces_the_question() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "one"))
        ts = await slack.says("ada", "first")
        await clew.model.heard(1)
        second = await slack.says("ada", "secnod", thread_ts=ts)
        await slack.delivered()
        await slack.edits(second, f"<@{slack.bot_user_id}> second")
        await slack.delivered()
        go_on.set()
        await slack.shown("general", ts, whole=2)

    assert [asked.text for asked in clew.model.asked] == ["first", "second"]


async def test_an_edit_that_adds_a_forgotten_mention_counts_as_a_mention() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello", mention=False)
        await slack.delivered()
        assert clew.model.asked == []

        await slack.edits(ts, f"<@{slack.bot_user_id}> hello")
        await slack.shown("general", ts)
        await slack.edits(ts, f"<@{slack.bot_user_id}> hello!")
        await slack.adds_preview(ts)
        await slack.delivered()

    assert [asked.text for asked in clew.model.asked] == ["hello"]


async def test_a_question_that_is_deleted_before_its_turn_is_withdrawn() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "one"))
        ts = await slack.says("ada", "first")
        await clew.model.heard(1)
        second = await slack.says("ada", "never mind", thread_ts=ts)
        await slack.delivered()
        await slack.deletes(second)
        await slack.delivered()
        go_on.set()
        await slack.shown("general", ts)
        third = await slack.says("ada", "third", thread_ts=ts)
        await slack.shown("general", ts, whole=2)

    assert [asked.text for asked in clew.model.asked] == ["first", "third"]
    assert third > second


# --- commands in messages ---------------------------------------------------------------------


@pytest.mark.parametrize("twins", [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST], ids=["mention first", "message first"])
async def test_a_reset_told_in_the_thread_is_done_and_confirmed_once(twins: Twins) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.says("ada", "Reset!", thread_ts=ts, twins=twins)
        shown = await slack.shown("general", ts, whole=2)
        await slack.delivered()
        await slack.says("ada", "who am I?", thread_ts=ts)
        shown = await slack.shown("general", ts, whole=3)

    assert shown[1].text.startswith("This thread starts afresh")
    assert clew.model.asked[1].after is None


async def test_a_stop_told_in_the_thread_ends_the_answer_and_says_so_once() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(*answer("i1", "a beginning")[:2], asyncio.Event())
        ts = await slack.says("ada", "tell me everything")
        await slack.shown("general", ts, lambda seen: bool(seen) and "a beginning" in seen[0].text)
        await slack.says("ada", "stop", thread_ts=ts)
        shown = await slack.shown("general", ts, whole=2)
        await slack.delivered()

        assert [one.text for one in shown if one.text == "Stopped."] == ["Stopped."]
        assert len(slack.replies("general", ts)) == 2


async def test_help_is_given_in_the_thread() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "help")
        shown = await slack.shown("general", ts)
        await slack.delivered()

        assert "`@Clew reset` starts this thread afresh" in shown[0].text
        assert len(slack.replies("general", ts)) == 1
    assert clew.model.asked == []


async def test_a_direct_message_is_reset_by_the_word_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        await slack.says("ada", "hello", channel=direct)
        await slack.shown(direct)
        await slack.says("ada", "reset", channel=direct)
        shown = await slack.shown(direct, whole=2)
        await slack.delivered()

    assert shown[1].text.startswith("This thread starts afresh")
    assert len(clew.model.asked) == 1


async def test_a_command_the_store_refuses_is_carried_out_when_it_comes_again() -> None:
    async with (
        slack_server(scopes=ALL_SCOPES, variants=IMPATIENT) as slack,
        clew_on(slack, wrap=lambda store: failing(store, "reset", times=1)) as clew,
    ):
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.says("ada", "reset", thread_ts=ts, twins=Twins.ONLY_MESSAGE)
        shown = await slack.shown("general", ts, whole=2)
        await slack.delivered()

        assert len(slack.replies("general", ts)) == 2
    assert shown[1].text.startswith("This thread starts afresh")
    assert len(clew.model.asked) == 1


async def test_whoever_may_not_ask_may_not_command_either() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        mallory = slack.person("mallory")
        blocking = Policy(people=Names(blocked=frozenset({mallory})))
        async with clew_on(slack, policy=blocking) as clew:
            ts = await slack.says("ada", "hello")
            await slack.shown("general", ts)
            await slack.says("mallory", "reset", thread_ts=ts)
            await slack.delivered()
            await slack.says("ada", "and now?", thread_ts=ts)
            await slack.shown("general", ts, lambda seen: any("and now?" in one.text for one in seen))

    assert clew.model.asked[1].after == "i1"


async def test_a_guest_who_is_not_served_cannot_command_either() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.says("visitor", "reset", thread_ts=ts, kind="guest")
        await slack.delivered()
        await slack.says("ada", "and now?", thread_ts=ts)
        await slack.shown("general", ts, lambda seen: any("and now?" in one.text for one in seen))

    assert clew.model.asked[1].after == "i1"


async def test_what_a_dead_process_left_unsaid_about_a_command_is_said_after_the_start_and_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"

    def forgetful(store: Store) -> Store:
        async def confirmed(*arguments: object) -> object:
            raise StoreUnavailable("it dies before it could note that it was said")

        return interposed(store, confirmed=confirmed)

    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url, wrap=forgetful):
            ts = await slack.says("ada", "hello")
            await slack.shown("general", ts)
            slack.faults.arm("chat.postMessage", SaysError("internal_error", status=500), times=None)
            await slack.says("ada", "reset", thread_ts=ts)
            await slack.received("chat.postMessage", 2)
            await slack.delivered()
        slack.faults.disarm("chat.postMessage")
        for _ in range(2):
            # The first start says it and forgets that it did; the second finds it said.
            reads = len(slack.calls_of("conversations.replies"))
            async with clew_on(slack, url=url, wrap=forgetful):
                await slack.shown("general", ts, whole=2)
                await slack.received("conversations.replies", reads + 1)
        confirmations = [one for one in slack.replies("general", ts) if "starts afresh" in one.text]
    assert len(confirmations) == 1


# --- the app itself ---------------------------------------------------------------------------


async def test_an_app_that_was_removed_is_reported_and_the_bot_goes_on() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        assert clew.adapter.trouble() is None
        slack.revoke()
        slack._events.happened({"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user_id]}})
        await slack.delivered()

        assert clew.adapter.trouble() == ("SLACK_BOT_TOKEN was revoked; install the app again and set the new token.")
        slack.restore()
        seen = len(slack.calls_of("auth.test"))
        # When the call after the first good one is made, that has been taken note of.
        await slack.received("auth.test", seen + 3)
        assert clew.adapter.trouble() is None
