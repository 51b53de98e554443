"""What a link leads to in Slack, and for whom it is followed."""

import pytest

from adapters.slack.linked import Kind, kind_of
from adapters.slack.places import SLACK
from bot.errors import LinkRefused
from bot.messages import Person, PersonId, Thread
from bot.read_link import NOTHING
from tests.support.slack import Install, SlackServer, slack_server
from tests.support.slack.people import PersonKind
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on

DIRECT = "Direct messages are never read for anybody."
ELSEWHERE = "That link leads to another workspace than this one."


def link(slack: SlackServer, channel: str, ts: str, thread_ts: str | None = None, *, host: str | None = None) -> str:
    within = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
    return f"{host or slack.url}/archives/{channel}/p{ts.replace('.', '')}{within}"


async def read(
    clew: SlackClew, text: str, *, by: str = "ada", kind: PersonKind = "member", permits: bool = True
) -> list[tuple[str | None, str]]:
    person = Person(PersonId(clew.slack.person(by, kind=kind)))
    asked_in = Thread(SLACK, clew.slack.team_id, clew.slack.channel("general"), "1.000001")
    said = await clew.adapter.read_for(person, asked_in, text, permits=lambda thread: permits)
    return [(one.author.name if one.author else None, one.text) for one in said]


async def test_a_link_leads_to_the_whole_thread_from_any_of_its_messages() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        channel = slack.channel("news")
        first = await slack.says("grace", "the plan", channel="news", mention=False)
        reply = await slack.says("ben", "I like it", channel="news", thread_ts=first, mention=False)
        other = await slack.says("ben", "lunch?", channel="news", mention=False)
        from_first = await read(clew, link(slack, channel, first))
        from_reply = await read(clew, f"<{link(slack, channel, reply, first)}>")
        alone = await read(clew, link(slack, channel, other))

    assert from_first == from_reply == [("grace", "the plan"), ("ben", "I like it")]
    assert alone == [("ben", "lunch?")]


async def test_a_member_of_a_private_channel_may_read_it_and_so_may_a_guest_who_is_in_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        channel = slack.channel("board", kind="group")
        said = await slack.says("grace", "the plan", channel="board", mention=False)
        await slack.joins("ada", channel="board")
        slack.person("guest", kind="guest")
        await slack.joins("guest", channel="board")

        assert await read(clew, link(slack, channel, said)) == [("grace", "the plan")]
        assert await read(clew, link(slack, channel, said), by="guest") == [("grace", "the plan")]


@pytest.mark.parametrize(
    ("place", "who", "sentence"),
    [
        pytest.param("board", "member", NOTHING, id="a private channel they are not in"),
        pytest.param("news", "guest", NOTHING, id="a guest and a public channel"),
        pytest.param("news", "stranger", NOTHING, id="an outsider and a public channel"),
        pytest.param("line", "member", DIRECT, id="their own line to the bot"),
        pytest.param("group", "member", NOTHING, id="a conversation of a few"),
        pytest.param("away", "member", NOTHING, id="a channel the bot is not in"),
        pytest.param("nowhere", "member", NOTHING, id="no channel at all"),
        pytest.param("foreign", "member", ELSEWHERE, id="another workspace"),
        pytest.param("forbidden", "member", NOTHING, id="the policy"),
    ],
)
async def test_a_link_is_followed_for_nobody_who_may_not_read_there(place: str, who: PersonKind, sentence: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        channels = {
            "board": slack.channel("board", kind="group"),
            "line": slack.direct("ada"),
            "group": slack.group_direct("ada", "grace"),
            "away": slack.channel("away", bot_is_in=False),
        }
        channel = channels.get(place) or slack.channel("news")
        said = await slack.says("grace" if place != "line" else "ada", "the plan", channel=channel, mention=False)
        channel = "C0NOWHERE00" if place == "nowhere" else channel
        foreign = "https://others.slack.com" if place == "foreign" else None
        with pytest.raises(LinkRefused) as refusal:
            await read(clew, link(slack, channel, said, host=foreign), by=who, kind=who, permits=place != "forbidden")

    assert str(refusal.value) == sentence


async def test_in_an_organisation_a_public_channel_is_read_for_its_members_alone() -> None:
    install = Install(scopes=frozenset(ALL_SCOPES), enterprise_id="E0CLEW", is_enterprise_install=True)
    async with slack_server(install=install) as slack, clew_on(slack) as clew:
        channel = slack.channel("news")
        there = link(slack, channel, await slack.says("grace", "the plan", channel="news", mention=False))
        with pytest.raises(LinkRefused, match="nothing there"):
            await read(clew, there)
        await slack.joins("ada", channel="news")

        assert await read(clew, there) == [("grace", "the plan")]


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        pytest.param({"is_channel": True, "is_private": False}, Kind.PUBLIC, id="public"),
        pytest.param({"is_channel": True, "is_private": True}, Kind.PRIVATE, id="private, and called a channel"),
        pytest.param({"is_group": True, "is_private": True}, Kind.PRIVATE, id="private"),
        pytest.param({"is_channel": True}, Kind.PRIVATE, id="nobody knows"),
        pytest.param({"is_mpim": True, "is_channel": True, "is_private": False}, Kind.DIRECT, id="of a few"),
        pytest.param({"is_im": True}, Kind.DIRECT, id="of two"),
    ],
)
def test_a_channel_that_is_not_known_to_be_public_is_private(channel: dict[str, object], kind: Kind) -> None:
    assert kind_of(channel) is kind
