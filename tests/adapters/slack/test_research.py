"""Research in Slack, as far as it differs from any other answer there."""

from tests.support.slack import slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on


async def test_the_slash_command_says_where_research_can_be_asked_for() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        told = await slack.slash("ada", "/clew", "research how kites fly")

    assert f"<@{slack.bot_user_id}> `research: how kites fly`" in (told.text or "")
    assert not clew.model.begun
