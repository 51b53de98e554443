"""Files in the loopback Discord: addresses that expire, uploads and their limits, driven by discord.py."""

import io
from typing import Any

import aiohttp
import discord
import pytest
import yarl

from tests.support.discord import (
    Clock,
    CutBody,
    DiscordServer,
    Permission,
    Redirect,
    SlowBody,
    discord_server,
)
from tests.support.discord.sdk import client_on, logged_in, refused

MIB = 1024 * 1024


async def fetch(url: str) -> tuple[int, str, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(yarl.URL(url, encoded=True), allow_redirects=False) as response,
    ):
        return response.status, response.headers.get("Content-Type", ""), await response.read()


def general(server: DiscordServer, client: discord.Client) -> discord.PartialMessageable:
    return client.get_partial_messageable(int(server.channel("general")))


async def read_back(server: DiscordServer, client: discord.Client, **said: Any) -> discord.Message:
    """What somebody said, as the REST API tells it."""
    return await general(server, client).fetch_message(int(await server.says("ada", **said)))


async def test_a_file_is_fetched_with_its_signed_address_and_no_token() -> None:
    async with discord_server() as server, logged_in(server) as client:
        message = await read_back(server, client, files=[server.uploads("a b.png", b"\x89PNG", dimensions=(3, 2))])
        (attachment,) = message.attachments

        assert await attachment.read() == b"\x89PNG"
        assert await attachment.read(use_cached=True) == b"\x89PNG"
        assert (attachment.filename, attachment.content_type, attachment.size) == ("a b.png", "image/png", 4)
        assert (attachment.width, attachment.height) == (3, 2)
        assert {"ex", "is", "hm"} == yarl.URL(attachment.url).query.keys()
        assert [call.token for call in server.calls_of("GET /cdn/*")] == [None]


@pytest.mark.parametrize("status", [404, 403])
async def test_an_address_expires_and_reading_the_message_again_brings_a_good_one(status: int) -> None:
    async with discord_server(clock=Clock()) as server, logged_in(server) as client:
        server.cdn.expired_status = status
        message = await read_back(server, client, files=[server.uploads("a.txt", b"text")])
        server.clock.advance(server.cdn.life)
        expired = await fetch(message.attachments[0].url)
        again = await general(server, client).fetch_message(message.id)

        assert expired[0] == status
        assert (await fetch(again.attachments[0].url))[2] == b"text"


async def test_nobody_makes_up_an_address() -> None:
    async with discord_server() as server, logged_in(server) as client:
        message = await read_back(server, client, files=[server.uploads("a.txt", b"text")])
        url = message.attachments[0].url
        later = url.replace("ex=", "ex=f")

        assert [(await fetch(one))[0] for one in (url, later, url.partition("?")[0])] == [200, 404, 404]
        server.takes_back(server.message(str(message.id)).attachments[0])
        assert (await fetch(url))[0] == 404


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"name": "a.txt"}, "text/plain; charset=utf-8", id="with a charset"),
        pytest.param({"name": "a.mp3.gz"}, "audio/mpeg", id="by the name alone"),
        pytest.param({"name": "a.png", "content_type": None}, None, id="missing"),
        pytest.param({"name": "a.png", "content_type": "video/mp4"}, "video/mp4", id="wrong"),
    ],
)
async def test_what_a_file_is_said_to_be_may_be_missing_or_wrong(given: Any, told: str | None) -> None:
    async with discord_server() as server, logged_in(server) as client:
        message = await read_back(server, client, files=[server.uploads(data=b"x", **given)])
        assert message.attachments[0].content_type == told


async def test_voice_messages_spoilers_and_sizes_are_told_as_they_are() -> None:
    async with discord_server() as server, logged_in(server) as client:
        sound = server.uploads("voice-message.ogg", b"OggS", voice_seconds=2.5)
        voice = await read_back(server, client, files=[sound], voice=True)
        files = [server.uploads("a.png", b"x", spoiler=True), server.uploads("big.bin", b"x", size=50 * MIB)]
        other = await read_back(server, client, files=files)

        assert voice.flags.voice
        assert voice.attachments[0].is_voice_message()
        assert (voice.attachments[0].duration, voice.content) == (2.5, "")
        assert [one.is_spoiler() for one in other.attachments] == [True, False]
        assert other.attachments[1].size == 50 * MIB


async def test_another_host_notes_its_visitors() -> None:
    async with discord_server() as server, logged_in(server) as client:
        file = server.uploads("a.png", b"x", url=server.elsewhere("a.png"))
        message = await read_back(server, client, files=[file])
        await message.attachments[0].read()

        assert yarl.URL(message.attachments[0].url).host != yarl.URL(server.api_url).host
        assert server.foreign_visits == [("/elsewhere/a.png", None)]


async def test_a_download_may_be_cut_short_slow_or_elsewhere() -> None:
    async with discord_server(clock=Clock(speed=100)) as server, logged_in(server) as client:
        message = await read_back(server, client, files=[server.uploads("a.txt", b"0123456789")])
        url = message.attachments[0].url
        server.faults.arm("GET /cdn/*", CutBody(4))
        with pytest.raises(aiohttp.ClientError):
            await fetch(url)
        server.faults.arm("GET /cdn/*", SlowBody(4, 2))
        began = server.clock.now()
        assert (await fetch(url))[2] == b"0123456789"
        assert server.clock.now() - began >= 4
        server.faults.arm("GET /cdn/*", Redirect())
        assert (await fetch(url))[0] == 302
        server.faults.arm("GET /cdn/*", Redirect())
        assert await message.attachments[0].read() == b"a page of somebody else"
        assert len(server.foreign_visits) == 1


async def test_what_is_uploaded_is_kept_with_its_bytes_and_description() -> None:
    async with discord_server() as server, client_on(server) as client:
        files = [
            discord.File(io.BytesIO(b"# all"), "answer.md", description="the whole answer"),
            discord.File(io.BytesIO(b"\x89PNG"), "a.png", spoiler=True),
        ]
        sent = await general(server, client).send("here", files=files)
        (shown,) = server.replies()

        assert [(file.name, file.data) for file in shown.files] == [
            ("answer.md", b"# all"),
            ("SPOILER_a.png", b"\x89PNG"),
        ]
        assert sent.attachments[0].description == "the whole answer"
        assert await sent.attachments[1].read() == b"\x89PNG"


async def test_an_edit_keeps_the_files_it_names_and_adds_new_ones() -> None:
    async with discord_server() as server, logged_in(server) as client:
        files = [discord.File(io.BytesIO(b"1"), "one.txt"), discord.File(io.BytesIO(b"2"), "two.txt")]
        sent = await general(server, client).send("here", files=files)

        sent = await sent.edit(content="changed")
        assert [file.name for file in server.replies()[0].files] == ["one.txt", "two.txt"]
        sent.attachments[1].description = "the second"
        sent = await sent.edit(attachments=[sent.attachments[1], discord.File(io.BytesIO(b"3"), "three.txt")])
        assert [one.description for one in sent.attachments] == ["the second", None]
        assert [file.name for file in server.replies()[0].files] == ["two.txt", "three.txt"]
        await sent.edit(attachments=[])
        assert server.replies()[0].files == ()


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        pytest.param([10 * MIB], None, id="as much as is allowed"),
        pytest.param([10 * MIB + 1], (413, 40005), id="a file that is too large"),
        pytest.param([9 * MIB, 9 * MIB, 9 * MIB], (413, 40005), id="together too large"),
        pytest.param([1] * 11, (400, 50035), id="too many"),
    ],
)
async def test_uploads_have_limits(sizes: list[int], code: tuple[int, int] | None) -> None:
    async with discord_server() as server, logged_in(server) as client:
        files = [discord.File(io.BytesIO(bytes(size)), f"{number}.bin") for number, size in enumerate(sizes)]
        sending = general(server, client).send(files=files)
        if code is None:
            await sending
        else:
            assert await refused(sending) == code
        assert len(server.replies()) == (code is None)


async def test_a_boosted_guild_takes_larger_files() -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.boost(2)
        await general(server, client).send(file=discord.File(io.BytesIO(bytes(30 * MIB)), "a.bin"))
        assert len(server.replies()) == 1


async def test_attaching_needs_its_permission() -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.deny(Permission.ATTACH_FILES, channel="general")
        assert await refused(general(server, client).send(file=discord.File(io.BytesIO(b"x"), "a.txt"))) == (403, 50013)
        await general(server, client).send("without")
