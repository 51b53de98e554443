"""What was acknowledged is there: after a kill, a full disk, a lock, and whoever else failed at the same moment."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from bot.errors import StoreUnavailable
from bot.messages import InteractionId, MessageId, Thread, Usage
from bot.ports import Store
from storage.commits import GroupedConnection
from storage.database import open_database
from storage.migrate import MIGRATIONS, read_migrations
from storage.sqlite import open_store, serve
from tests.storage import child
from tests.storage.processes import child as child_process
from tests.storage.processes import everything_heard, heard
from tests.storage.stores import OTHER, SLACK, ask, claimed, ids, message, taken

IMPOSSIBLE = message("\ud800")  # an id that SQLite cannot hold


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clew.db"


@asynccontextmanager
async def opened(file: Path, *, wait: float = 5.0) -> AsyncIterator[tuple[GroupedConnection, Store]]:
    """A store and the connection under it."""
    database = await asyncio.to_thread(open_database, file, migrations=read_migrations(MIGRATIONS), wait=wait)
    async with serve(database) as store:
        yield database.connection, store


@contextmanager
def another_program(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as db:
        yield db


def holds(file: Path, what: bytes) -> bool:
    return any(what in each.read_bytes() for each in file.parent.iterdir())


async def known(store: Store, *, thread: Thread = SLACK) -> list[str]:
    return [name for turn in await store.transcript(thread) for name in ids(turn)]


# --- kills ------------------------------------------------------------------------------------


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(file: Path) -> None:
    url = f"sqlite:///{file}"
    async with child_process(child.add_until_killed, url) as process:
        acknowledged = [await heard(process) for _ in range(200)]
        process.kill()
        while name := await heard(process):
            acknowledged.append(name)
        await process.wait()

    async with open_store(url) as store:
        there = await known(store)
        assert set(acknowledged) <= set(there)
        for lane in range(8):
            mine = [name for name in there if name.startswith(f"{lane}-")]
            assert mine == [f"{lane}-{number}" for number in range(len(mine))], "none lost, none doubled, in order"


async def test_an_open_store_syncs_every_commit(file: Path) -> None:
    async with opened(file) as (connection, _):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


# --- sharing a commit -------------------------------------------------------------------------


async def test_whoever_waits_together_shares_one_commit(file: Path) -> None:
    async with opened(file) as (connection, store):
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        accepted = await asyncio.gather(*(store.add(message(f"m{number}")) for number in range(200)))

        assert all(accepted)
        assert statements.count("COMMIT") == 1
        assert await known(store) == [f"m{number}" for number in range(200)]


async def test_one_that_fails_fails_alone(file: Path) -> None:
    async with opened(file) as (connection, store):
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        messages = [message(f"m{number}") for number in range(20)]
        messages[7] = IMPOSSIBLE
        results = await asyncio.gather(*(store.add(each) for each in messages), return_exceptions=True)

        assert "ROLLBACK" in statements
        assert isinstance(results.pop(7), UnicodeEncodeError)
        assert results == [True] * 19
        assert await known(store) == [f"m{number}" for number in range(20) if number != 7]


async def test_a_refused_write_spoils_nobody_elses(file: Path) -> None:
    async with opened(file) as (connection, store):
        await ask(store, "m1")
        turn = await taken(store)
        await store.stopped(turn)
        statements: list[str] = []
        connection.set_trace_callback(statements.append)

        results = await asyncio.gather(
            store.add(message("m2")),
            store.created(turn, InteractionId("v1")),
            store.add(message("m3")),
            return_exceptions=True,
        )

        assert [type(result).__name__ for result in results] == ["bool", "StaleTurn", "bool"]
        assert "ROLLBACK" not in statements
        assert await known(store) == ["m1", "m2", "m3"]


async def test_a_turn_that_was_rolled_back_is_counted_once(file: Path) -> None:
    async with opened(file) as (_, store):
        await ask(store, "m1")
        await ask(store, "m1", thread=OTHER)

        first, _, second = await asyncio.gather(
            store.claim(SLACK), store.add(IMPOSSIBLE), store.claim(OTHER), return_exceptions=True
        )

        assert not isinstance(first, BaseException)
        assert not isinstance(second, BaseException)
        assert first is not None
        assert second is not None
        assert (first.today_in_all, second.today_in_all) == (0, 1)


async def test_whoever_reads_beside_writers_sees_what_they_wrote(file: Path) -> None:
    async with opened(file) as (_, store):
        _, waiting, _ = await asyncio.gather(store.add(message("m1")), store.waiting(), store.add(message("m2")))

        assert waiting == [SLACK]


async def test_a_caller_who_is_cancelled_takes_nobody_with_him(file: Path) -> None:
    async with opened(file) as (_, store):
        with another_program(file) as other:
            other.execute("BEGIN IMMEDIATE")
            tasks = [asyncio.create_task(store.add(message(f"m{number}"))) for number in range(10)]
            await asyncio.sleep(0)  # they wait for the writer
            tasks[0].cancel()
            await asyncio.sleep(0)  # the writer has taken them, and waits for the lock
            late = [asyncio.create_task(store.add(message(f"n{number}"))) for number in range(10)]
            await asyncio.sleep(0)  # these wait for the next commit
            tasks[1].cancel()
            late[1].cancel()
            other.execute("COMMIT")
        results = await asyncio.gather(*tasks, *late, return_exceptions=True)

        assert [isinstance(result, asyncio.CancelledError) for result in results].count(True) == 3
        assert [result for result in results if result is True] == [True] * 17
        assert await store.add(message("m0")), "nothing was done for who had left before it began"
        await asyncio.gather(store.add(message("m1")), store.add(message("n1")))
        said = await known(store)
        assert sorted(said) == sorted(f"{kind}{number}" for kind in "mn" for number in range(10))


async def test_closing_waits_for_what_was_begun(file: Path) -> None:
    async with open_store(f"sqlite:///{file}") as store:
        adding = [asyncio.create_task(store.add(message(f"m{number}"))) for number in range(50)]
        await asyncio.sleep(0)  # they have begun to wait
    assert await asyncio.gather(*adding) == [True] * 50

    with pytest.raises(StoreUnavailable):
        await store.add(message("late"))
    async with open_store(f"sqlite:///{file}") as store:
        assert len(await known(store)) == 50


async def test_an_error_passes_through_the_open_store_as_it_is(file: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with open_store(f"sqlite:///{file}"):
            raise LookupError("mine")


async def test_a_database_in_memory_is_a_store_too() -> None:
    async with open_store("sqlite:///:memory:") as store:
        await ask(store, "m1")
        assert (await claimed(store)).today_in_all == 0
        await store.check()


# --- trouble while it is open -----------------------------------------------------------------


async def test_while_another_program_holds_a_lock_writes_are_refused_and_reads_are_not(file: Path) -> None:
    async with opened(file, wait=0.2) as (_, store):
        await ask(store, "m1")
        with another_program(file) as other:
            other.execute("BEGIN EXCLUSIVE")
            adding = [store.add(message(f"n{number}")) for number in range(100)]
            async with asyncio.timeout(30):  # they wait for the lock together, not one after another
                *refused, waiting = await asyncio.gather(*adding, store.waiting(), return_exceptions=True)
            assert {type(error) for error in refused} == {StoreUnavailable}
            assert "locked by another program" in str(refused[0])
            assert waiting == [SLACK]
            with pytest.raises(StoreUnavailable):
                await store.check()
            other.execute("COMMIT")

        await store.check()
        await ask(store, "m2")
        assert await known(store) == ["m1", "m2"]


async def test_a_lock_that_goes_away_in_time_is_only_a_delay(file: Path) -> None:
    async with opened(file, wait=30) as (_, store):
        with another_program(file) as other:
            other.execute("BEGIN EXCLUSIVE")
            adding = asyncio.create_task(store.add(message("m1")))
            await asyncio.sleep(0)
            other.execute("COMMIT")
        assert await adding


async def test_other_programs_can_read_while_the_store_is_open(file: Path) -> None:
    async with opened(file) as (_, store):
        await ask(store, "m1")
        with another_program(file) as other:
            assert other.execute("SELECT thread, id, text FROM message").fetchall() == [(SLACK.key, "m1", "text of m1")]


async def test_when_the_system_takes_no_more_bytes_nothing_acknowledged_is_lost(file: Path) -> None:
    url = f"sqlite:///{file}"
    *acknowledged, full, after = await everything_heard(child.fill_the_disk, url)

    assert (full, after) == ("full", "after")
    assert len(acknowledged) > 10
    async with open_store(url) as store:
        assert await known(store) == acknowledged
        assert await known(store, thread=OTHER) == ["after"]


async def test_a_full_database_takes_writes_again_when_there_is_room(file: Path) -> None:
    async with opened(file) as (connection, store):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 30}")
        messages = [message(f"m{number}", "x" * 2000) for number in range(100)]
        results = await asyncio.gather(*(store.add(each) for each in messages), return_exceptions=True)

        acknowledged = [each.id for each, result in zip(messages, results, strict=True) if result is True]
        assert 0 < len(acknowledged) < 100
        assert all(isinstance(result, StoreUnavailable) for result in results if result is not True)
        assert "disk is full" in str(next(result for result in results if result is not True))
        assert await known(store) == acknowledged

        connection.execute("PRAGMA max_page_count = 1073741823")
        assert await store.add(message("after"))


# --- what is in the file ----------------------------------------------------------------------


async def test_every_interaction_a_thread_ever_had_is_still_named_in_the_file(file: Path) -> None:
    async with opened(file) as (connection, store):
        await ask(store, "m1")
        turn = await taken(store)
        for name in ("v1_cut", "v1_hop", "v1_hop"):
            await store.created(turn, InteractionId(name))
        await store.answered(turn, interaction=InteractionId("v1_last"), usage=Usage(), model="gemini")
        await store.reset(SLACK, MessageId("c1"))

        rows = connection.execute("SELECT id, turn FROM interaction WHERE thread = ? ORDER BY id", (SLACK.key,))
        assert rows.fetchall() == [("v1_cut", turn.id), ("v1_hop", turn.id), ("v1_last", turn.id)]


async def test_usage_model_and_times_of_a_turn_are_in_the_file(file: Path) -> None:
    async with opened(file) as (connection, store):
        await ask(store, "m1")
        usage = Usage(1, 2, 3, 4, 5, 15, 6)
        await store.answered(await taken(store), interaction=InteractionId("v1"), usage=usage, model="gemini")

        columns = (
            "model, input_tokens, output_tokens, thought_tokens, cached_tokens, tool_tokens, total_tokens, searches"
        )
        row = connection.execute(f"SELECT {columns}, created_at, claimed_at, ended_at FROM turn").fetchone()  # noqa: S608 - literals only
        assert row[:8] == ("gemini", 1, 2, 3, 4, 5, 15, 6)
        assert row[8] <= row[9] <= row[10]


async def test_blanked_text_is_not_to_be_found_in_the_file(file: Path) -> None:
    secret = "the harbour master's secret " * 400  # longer than a page
    async with open_store(f"sqlite:///{file}") as store:
        await store.add(message("m1", secret))
        await store.stopped(await taken(store))

    assert not holds(file, b"harbour")


async def test_a_whole_thread_can_be_deleted_from_the_file(file: Path) -> None:
    async with opened(file) as (connection, store):
        await ask(store, "m1")
        turn = await taken(store)
        await store.created(turn, InteractionId("v1"))
        await store.stop(SLACK, MessageId("c1"))
        await ask(store, "m1", thread=OTHER)

        connection.execute("DELETE FROM thread WHERE thread = ?", (SLACK.key,))

        for table in ("turn", "message", "part", "interaction"):
            rows = connection.execute(f"SELECT thread FROM {table} WHERE thread = ?", (SLACK.key,))  # noqa: S608 - literals only
            assert rows.fetchall() == []
        assert await known(store, thread=OTHER) == ["m1"]
