"""Memory for the files of questions: who finds none waits, and nobody for ever."""

import asyncio

from bot.attachments import Intake
from bot.commands import Command
from bot.messages import Attachment, AttachmentId
from bot.room import Room
from tests.support.core import Core, core
from tests.support.scripted import NEVER, answer

PNG = b"\x89PNG\r\n\x1a\n"


async def test_room_is_given_in_the_order_in_which_it_is_asked_for() -> None:
    room, order = Room(100), list[str]()

    async def use(name: str, size: int, leave: asyncio.Event) -> None:
        with room.share() as share:
            await share.grow(size)
            order.append(name)
            await leave.wait()

    leaves = {name: asyncio.Event() for name in ("first", "large", "small")}
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(use("first", 60, leaves["first"]))
        large = group.create_task(use("large", 70, leaves["large"]))
        group.create_task(use("small", 10, leaves["small"]))  # it would fit, and would keep the large one for ever
        await asyncio.sleep(0)
        assert order == ["first"]
        leaves["first"].set()
        await first
        await asyncio.sleep(0)
        assert order == ["first", "large", "small"]
        leaves["large"].set()
        leaves["small"].set()
        await large


async def test_who_wants_more_than_there_is_gets_it_alone() -> None:
    room = Room(100)
    with room.share() as share:
        await share.grow(1000)
        with room.share() as other:
            waiting = asyncio.ensure_future(other.grow(1))
            await asyncio.sleep(0)
            assert not waiting.done()
            waiting.cancel()
            await asyncio.wait({waiting})
    with room.share() as share:
        async with asyncio.timeout(30):
            await share.grow(100)  # who left waited for nothing


async def test_two_who_want_more_do_not_wait_for_each_other() -> None:
    room = Room(100)
    with room.share() as one, room.share() as other:
        async with asyncio.timeout(30):
            await asyncio.gather(one.grow(50), other.grow(50))
            await asyncio.gather(one.grow(50), other.grow(50))


async def test_who_is_cancelled_in_the_moment_it_gets_room_gives_it_back() -> None:
    room = Room(100)
    with room.share() as first:
        await first.grow(100)
        waiting = asyncio.ensure_future(room.take(100))
        await asyncio.sleep(0)
    waiting.cancel()  # it was given room, and has not gone on yet
    await asyncio.wait({waiting})

    async with asyncio.timeout(30):
        await room.take(100)


def with_file(clew: Core, name: str) -> tuple[Attachment, ...]:
    """A picture of eight hundred bytes."""
    clew.adapter.files[name] = PNG + bytes(792)
    return (Attachment(AttachmentId(name), f"{name}.png", size=800),)


async def test_a_question_with_files_waits_for_memory_and_one_without_does_not() -> None:
    async with core(intake=lambda store: Intake(room=Room(1000))) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "I see one"))
        await clew.says("one", thread="t1", attachments=with_file(clew, "a"))
        await clew.model.heard(1)
        await clew.says("two", thread="t2", attachments=with_file(clew, "b"))
        await clew.says("three", thread="t3")
        await clew.ended(1, thread="t3")
        asked_meanwhile = [asked.text.partition("\n")[0] for asked in clew.model.asked]
        go_on.set()
        await clew.ended(1, thread="t1")
        await clew.ended(1, thread="t2")

    assert asked_meanwhile == ["one", "three"]
    assert [asked.text.partition("\n")[0] for asked in clew.model.asked] == ["one", "three", "two"]


async def test_a_question_that_waits_for_memory_can_be_stopped() -> None:
    async with core(intake=lambda store: Intake(room=Room(1000))) as clew:
        clew.model.will(*answer("i1", "I see one")[:2], NEVER)
        await clew.says("one", thread="t1", attachments=with_file(clew, "a"))
        await clew.model.heard(1)
        await clew.says("two", thread="t2", attachments=with_file(clew, "b"))
        await clew.says("three", thread="t3")
        await clew.ended(1, thread="t3")
        await clew.tells(Command.STOP, thread="t2")
        (second,) = await clew.ended(1, thread="t2")
        await clew.tells(Command.STOP, thread="t1")
        await clew.ended(1, thread="t1")

    assert second.state == "stopped"
    assert [asked.text.partition("\n")[0] for asked in clew.model.asked] == ["one", "three"]
