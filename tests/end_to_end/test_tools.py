"""Gemini's own tools, with the offline model for real: what is offered, what shows, and what stays under the answer."""

from pathlib import Path
from typing import Any

from bot.commands import Command
from bot.notices import toolless_remark
from bot.offline import ForgetFault, StallAt, StallFault
from bot.sources import without_sources
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.page import PagePeople
from tests.support.people.seen import whole

ALL = "google_search, url_context, code_execution"
HEADER = "Bearer of-the-ticket-server"
FILE = """
[[everywhere]]
type = "telepathy"

[[everywhere]]
type = "google_maps"
latitude = 47.4

[[everywhere]]
type = "file_search"
file_search_store_names = ["fileSearchStores/figs"]

[[channels.{channel}]]
type = "mcp_server"
name = "tickets"
url = "https://mcp.example.org/"
headers = {{ Authorization = "{header}" }}
"""


def tools_of(create: Any) -> list[str]:
    """The types of Gemini's own tools that were offered with a question."""
    return [tool["type"] for tool in create.get("tools", []) if tool["type"] != "function"]


def channel_of(scene: Scene) -> str:
    """Where people begin their threads, as the settings name it."""
    match scene.people:
        case PagePeople():
            return "page"
        case people:
            server: Any = getattr(people, scene.name)
            return str(server.channel("general"))


@everywhere
async def test_a_search_and_code_show_while_they_go_on_and_their_sources_are_the_same_over_a_kill(scene: Scene) -> None:
    people, gemini = scene.people, scene.model
    async with scene.clew(CLEW_TOOLS=ALL) as clew:
        gemini.faults.arm(StallFault(at=StallAt.WORDS))
        thread = (await people.says("search for Zürich café")).thread
        await people.watches(thread, lambda words: "earching the web" in words)
        clew.kill()
        await clew.ended()
    async with scene.clew(CLEW_TOOLS=ALL):
        await people.looks(thread, whole(1))
        await people.says("search for Zürich café", thread=thread)
        seen = await people.looks(thread, whole(2))
        await people.watches(thread, lambda words: words == "")
        await people.says("please run code", thread=thread)
        ran = await people.looks(thread, whole(3))
        if not isinstance(people, PagePeople):
            (code,) = await people.saves(thread, 1)
            ran_code = code.decode()
        else:
            ran_code = ran.texts[2]
        gemini.faults.arm(ForgetFault())
        await people.says("recall what I said", thread=thread)
        await people.looks(thread, whole(4))
        used = await people.is_told(Command.USAGE, thread)

    assert "2 searches, about" in used.split("\n")[0]
    fetched, streamed = (text.partition("Of “")[2] for text in seen.texts)
    assert fetched == streamed
    assert "Zürich café” there is much to be told 🧶.\u00a0[1] Nobody here can look it up.\u00a0[2]" in streamed
    places = [
        streamed.find(part) for part in ("Sources", "1. ", "Zürich café – an", "2. ", "Nobody –", "Google suggests:")
    ]
    assert -1 not in places
    assert places == sorted(places)
    assert "https://www.google.com/search?q=Z%C3%BCrich%20caf%C3%A9" in streamed
    assert "print(total)" in ran_code
    assert "It printed:" in ran_code
    assert "55" in ran_code
    creates: list[Any] = list(gemini.creates)
    assert len(creates) == 5  # the first was fetched; the last was told again
    assert {tuple(tools_of(create)) for create in creates} == {("google_search", "url_context", "code_execution")}
    told = "\n".join(part["text"] for step in creates[4]["input"] for part in step["content"] if "text" in part)
    assert "there is much to be told" in told
    assert "Google suggests" not in told
    assert "an example" not in told
    assert "told 🧶. Nobody here can look it up." in told


@everywhere
async def test_a_channel_has_tools_of_its_own_people_can_ask_for_them_and_a_wrong_one_costs_no_answer(
    scene: Scene,
) -> None:
    people, channel, file = scene.people, channel_of(scene), scene.folder / "tools.toml"
    Path(file).write_text(FILE.format(channel=channel, header=HEADER))
    settings = {"CLEW_TOOLS": "none", "CLEW_SEARCH_CHANNELS": channel, "CLEW_TOOLS_FILE": str(file)}
    async with scene.clew(**settings, CLEW_LOG_LEVEL="debug"):
        thread = (await people.says("hello there")).thread
        seen = await people.looks(thread, whole(1))
        told = await people.is_told(Command.PRIVACY, thread)
    log = (scene.folder / "log").read_text()

    creates: list[Any] = list(scene.model.creates)
    offered, without = (create.get("tools", []) for create in creates)
    assert [tool for tool in offered if tool["type"] != "function"] == [
        {"type": "telepathy"},
        {"type": "google_maps", "latitude": 47.4},
        {"type": "file_search", "file_search_store_names": ["fileSearchStores/figs"]},
        {
            "type": "mcp_server",
            "name": "tickets",
            "url": "https://mcp.example.org/",
            "headers": {"Authorization": HEADER},
        },
        {"type": "google_search"},
    ]
    assert [tool["name"] for tool in without] == ["read_link"]
    assert "hello there" in seen.texts[0]
    assert toolless_remark([{"type": "telepathy"}]) in seen.texts[0]
    for words in ("Google Search", "30 days", "Google Maps", "tickets", "telepathy"):
        assert words in told
    assert "asking without tools" in log
    assert "telepathy, google_maps, file_search, mcp_server tickets, google_search" in log
    assert "of-the-ticket-server" not in log


@everywhere
async def test_a_linked_page_is_read_as_a_rule_and_in_private_what_google_would_keep_is_left_out(scene: Scene) -> None:
    people = scene.people
    async with scene.clew():
        thread = (await people.says("what is on https://example.org/page ?")).thread
        seen = await people.looks(thread, whole(1))
    async with scene.clew(CLEW_PRIVATE="on", CLEW_TOOLS=ALL):
        await people.says("search for figs, or see https://example.org/figs", thread=thread)
        private = await people.looks(thread, whole(2))
        told = await people.is_told(Command.PRIVACY, thread)

    assert [tools_of(create) for create in scene.model.creates] == [["url_context"], ["url_context", "code_execution"]]
    assert "https://example.org/page" in seen.texts[0].removeprefix(without_sources(seen.texts[0]))
    assert "https://example.org/figs" in private.texts[1].removeprefix(without_sources(private.texts[1]))
    assert "does without Google Search" in told
