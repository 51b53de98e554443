"""What was said before the bot was called is not answered when it is read again, and no gap is forgotten."""

from dataclasses import replace
from pathlib import Path

from bot.policy import Follow, Policy
from tests.support.slack import SaysError, slack_server
from tests.support.slack_clew import ALL_SCOPES, BRISK, clew_on

SOON = replace(BRISK, again=(0.2, 0.4))


async def test_a_mention_edited_into_a_thread_does_not_make_its_older_replies_questions() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=SOON) as clew:
        ts = await slack.says("ada", "how do I X?", mention=False)
        await slack.says("bob", "try Y", thread_ts=ts, mention=False)
        await slack.says("cyd", "hm no", thread_ts=ts, mention=False)
        await slack.delivered()
        await slack.edits(ts, f"<@{slack.bot_user_id}> how do I X?")
        await slack.shown("general", ts)
        await slack.received("conversations.replies", 2, ok=True)  # the thread has been read again, twice

    assert [asked.text.splitlines()[-1] for asked in clew.model.asked] == ["how do I X?"]


async def test_after_a_reset_what_was_said_before_the_bot_was_called_is_still_not_for_it() -> None:
    async with (
        slack_server(scopes=ALL_SCOPES) as slack,
        clew_on(slack, rhythm=SOON, policy=Policy(follow=Follow.ALWAYS)) as clew,
    ):
        ts = await slack.says("ada", "how do I X?", mention=False)
        await slack.says("bob", "try Y", thread_ts=ts, mention=False)
        await slack.delivered()
        await slack.says("ada", "what is Y?", thread_ts=ts)
        await slack.shown("general", ts)
        read = len(slack.calls_of("conversations.replies"))
        await slack.says("ada", "reset", thread_ts=ts)
        await slack.shown("general", ts, whole=2)
        await slack.received("conversations.replies", read + 2, ok=True)

    assert len(clew.model.asked) == 1


async def test_a_gap_is_remembered_until_it_has_been_looked_through(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url):
            ts = await slack.says("ada", "one")
            await slack.shown("general", ts)
            await slack.delivered()
        slack.mute_events()
        missed = await slack.says("bob", "is anybody there?")
        slack.mute_events(False)
        slack.clock.advance(3600)  # more than the margin by which events overtake one another
        slack.faults.arm("conversations.history", SaysError("internal_error", status=500), times=None)
        async with clew_on(slack, url=url, now=slack.clock.now):
            live = await slack.says("cyd", "I am here")
            await slack.shown("general", live)
            await slack.delivered()
        slack.faults.disarm("conversations.history")
        async with clew_on(slack, url=url, now=slack.clock.now):
            await slack.shown("general", missed)
