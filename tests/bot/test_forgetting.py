"""Forgetting, on the whole core: what goes at Gemini and here, what is said about it, and what a death costs."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from bot.answers import Created, MediaKind, Text, TextPiece
from bot.commands import Command
from bot.confirmations import read_report, report_of
from bot.errors import (
    FileLost,
    InteractionLost,
    KeyRejected,
    ModelRefused,
    ModelUnavailable,
    PlatformAway,
    QuestionRejected,
    StoreUnavailable,
    ThreadClosed,
)
from bot.forgetting import DAY, HOUR, Forgetting, open_forgetting
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.messages import AttachmentId, InteractionId, MessageId, Thread, Turn, Usage
from bot.metrics import Metrics
from bot.offline import Call, Faults, StatusFault, offline_model
from bot.ports import ForgettingStore, Forgotten, Store, Undeleted, Upload
from bot.reports import BEGUN, BEGUN_BEFORE, report_on
from storage.sqlite import open_store
from tests.support.core import Core, core
from tests.support.forgetting import BRISK
from tests.support.scripted import NEVER, TEST, ScriptedAdapter, ScriptedModel, message, thread_named
from tests.support.slack_clew import interposed

THREAD = thread_named()
COMMAND = MessageId("forget-it")


async def _reports(clew: Core, number: int) -> list[str]:
    """What was said about forgettings, once there is so much of it."""

    async def enough() -> bool:
        return len(clew.adapter.confirmed) >= number

    await clew.adapter.until(enough)
    return clew.adapter.confirmed


async def _talked(clew: Core, *texts: str) -> None:
    for number, text in enumerate(texts, 1):
        await clew.says(text)
        await clew.ended(number)


async def test_every_interaction_of_the_thread_is_deleted_and_the_thread_told() -> None:
    async with core(keeps_text=False) as clew:
        await _talked(clew, "one", "two")
        await clew.says("not this", thread="t2")
        await clew.ended(1, thread="t2")

        words = await clew.tells(Command.FORGET)
        (report,) = await _reports(clew, 1)

    assert words == BEGUN
    assert clew.model.deleted == ["i1", "i2"]
    assert report == (
        "I have forgotten this thread: 2 exchanges deleted at Gemini, and all that I kept of it here."
        "\n\nThe messages that stand here are yours to delete."
    )


async def test_what_is_asked_afterwards_begins_afresh_and_knows_nothing() -> None:
    async with core() as clew:
        await _talked(clew, "my secret is a bee")
        await clew.tells(Command.FORGET)
        await _reports(clew, 1)
        await clew.says("what is my secret?")
        (turn,) = await clew.ended(1)

    assert (clew.model.asked[-1].after, turn.previous) == (None, None)
    assert "bee" not in clew.model.asked[-1].text + clew.model.asked[-1].history
    assert clew.model.deleted == ["i1"]


async def test_what_is_asked_while_it_is_being_forgotten_is_answered_and_kept() -> None:
    async with core() as clew:
        await _talked(clew, "one")
        clew.model.deletes = asyncio.Event()
        await clew.tells(Command.FORGET)
        await clew.model.told_to_delete(1)
        await clew.says("two")
        await clew.ended(1)
        clew.model.deletes.set()
        await _reports(clew, 1)

        (turn,) = await clew.store.transcript(THREAD)

    assert (turn.messages[0].text, turn.interaction) == ("two", "i2")
    assert clew.model.deleted == ["i1"]


async def test_the_running_turn_is_stopped_and_its_interaction_deleted_too() -> None:
    async with core() as clew:
        await _talked(clew, "one")
        clew.model.will(Created(InteractionId("cut")), TextPiece("as far as this"), NEVER)
        await clew.says("tell me everything")
        await clew.adapter.until(lambda: _shows(clew, "as far as this"))

        await clew.tells(Command.FORGET)
        await _reports(clew, 1)

        assert await clew.store.transcript(THREAD) == []
    assert clew.model.deleted == ["i1", "cut"]


async def _shows(clew: Core, text: str) -> bool:
    return text in clew.adapter.replies[-1].frames


async def test_an_interaction_created_in_the_very_moment_is_deleted_too() -> None:
    async with core() as clew:
        is_forgotten = asyncio.Event()
        clew.model.will(is_forgotten, Created(InteractionId("late")), NEVER)
        await clew.says("tell me everything")
        await clew.model.heard(1)
        # As when the stop comes a moment too late: the answer begins, and its thread is another one by now.
        await clew.store.forgetting.forget(THREAD, COMMAND)
        is_forgotten.set()
        await clew.tells(Command.FORGET)
        await _reports(clew, 1)

    assert clew.model.deleted == ["late"]


async def test_an_interaction_that_is_being_written_down_when_the_turn_is_stopped_is_deleted_too() -> None:
    is_writing, gate = asyncio.Event(), asyncio.Event()

    def slow(store: Store) -> Store:
        async def created(turn: Turn, interaction: InteractionId) -> None:
            is_writing.set()
            await gate.wait()
            await store.created(turn, interaction)

        return interposed(store, created=created)

    async with core(wrap=slow) as clew:
        clew.model.will(Created(InteractionId("half")), NEVER)
        await clew.says("tell me everything")
        await is_writing.wait()
        await clew.tells(Command.FORGET)
        gate.set()
        await _reports(clew, 1)

    assert clew.model.deleted == ["half"]


async def test_the_same_command_forgets_once() -> None:
    async with core() as clew:
        await _talked(clew, "one")
        await clew.tells(Command.FORGET, id_="c")
        await _reports(clew, 1)
        await _talked(clew, "two")
        assert await clew.tells(Command.FORGET, id_="c") == BEGUN_BEFORE
        await clew.tells(Command.FORGET, id_="c2")
        await _reports(clew, 2)

    assert clew.model.deleted == ["i1", "i2"]


async def test_a_store_that_fails_when_the_running_turn_is_to_be_stopped_keeps_nothing_from_being_forgotten(
    tmp_path: Path,
) -> None:
    async def stop(thread: Thread) -> None:
        raise StoreUnavailable("the disk is full")

    async with (
        _prepared(tmp_path) as (store, model, adapter),
        _forgetting(store.forgetting, model, adapter, stop=stop) as forgetting,
    ):
        with pytest.raises(StoreUnavailable):
            await forgetting.forget(THREAD, MessageId("again"))
        await _done(store)

    assert set(model.deleted) == {"i1", "i2"}
    assert len(adapter.confirmed) == 1


async def test_deletions_that_are_refused_for_now_are_tried_again() -> None:
    async with core() as clew:
        clew.model.will_not_delete("i1", ModelUnavailable("503"), ModelUnavailable("503"))
        await _talked(clew, "one")
        await clew.tells(Command.FORGET)
        (report,) = await _reports(clew, 1)

    assert clew.model.deleted == ["i1"] * 3
    assert "1 exchange deleted" in report
    assert "could not" not in report


async def test_what_could_not_be_deleted_is_reported_exactly_and_why() -> None:
    async with core() as clew:
        clew.model.will_not_delete("i1", InteractionLost("403"))
        clew.model.will_not_delete("i2", *[ModelUnavailable("503")] * 3)
        clew.model.will_not_delete("i3", KeyRejected("401"))
        clew.model.will_not_delete("i5", QuestionRejected("no", chained=True))
        await _talked(clew, "1", "2", "3", "4", "5")

        await clew.tells(Command.FORGET)
        (report,) = await _reports(clew, 1)
        await clew.tells(Command.FORGET)
        again = (await _reports(clew, 2))[-1]

    assert report == (
        "I have forgotten this thread: 1 exchange deleted at Gemini, and all that I kept of it here.\n\n"
        "4 exchanges could not be deleted at Gemini:\n\n"
        "- 1 because Gemini could not be reached\n"
        "- 1 because Gemini does not accept the present key\n"
        "- 1 because Gemini refused\n"
        "- 1 unknown to Gemini with the present key: expired, or made with another one\n\n"
        "Gemini deletes them by itself, after 55 days at the latest. Tell me to forget again to try again."
    )
    assert again.startswith("I have forgotten this thread: 4 exchanges deleted at Gemini")


async def test_a_report_that_cannot_be_given_yet_is_given_later_and_one_that_never_can_is_let_go() -> None:
    async with core() as clew:
        clew.adapter.unsayable = [PlatformAway("down"), PlatformAway("down")]
        await clew.tells(Command.FORGET)
        await _reports(clew, 1)
        clew.adapter.unsayable = [ThreadClosed("archived")]
        await clew.tells(Command.FORGET, thread="t2")
        await clew.tells(Command.FORGET, thread="t3")
        await _reports(clew, 2)
        await _done(clew.store)

    assert len(clew.adapter.confirmed) == 2


async def _done(store: Store) -> None:
    async with asyncio.timeout(30):
        while await store.forgetting.to_forget():
            pass  # the look itself lets everybody else go on


async def test_the_report_comes_after_the_answer_to_its_command(tmp_path: Path) -> None:
    said_before = list[list[str]]()
    async with _prepared(tmp_path) as (store, model, adapter):

        async def sleep(seconds: float) -> None:
            said_before.append(list(adapter.confirmed))
            await store.confirmed(THREAD, COMMAND)

        await store.confirming(THREAD, COMMAND, BEGUN)
        async with _forgetting(store.forgetting, model, adapter, now=time.time, sleep=sleep) as forgetting:
            await forgetting.take_up()
            await _done(store)

    assert said_before == [[]]
    assert len(adapter.confirmed) == 1


async def test_a_store_that_fails_for_a_while_is_waited_for(tmp_path: Path) -> None:
    async with _prepared(tmp_path) as (store, model, adapter):
        failing = _Stumbling(store.forgetting)
        async with _forgetting(cast("ForgettingStore", failing), model, adapter) as forgetting:
            await forgetting.take_up()
            await _done(store)

    assert failing.failed.total() > 8
    assert set(model.deleted) == {"i1", "i2"}
    assert len(adapter.confirmed) == 1


async def test_files_at_gemini_are_deleted_and_counted_too() -> None:
    async with core() as clew:
        await _talked(clew, "one")
        for name in ("files/1", "files/2"):
            await clew.store.uploading(_upload(name))
        clew.model.will_not_delete("files/2", QuestionRejected("no", chained=False))
        await clew.tells(Command.FORGET)
        (report,) = await _reports(clew, 1)

        assert await clew.store.uploads(THREAD) == []
    assert clew.model.deleted_files == ["files/1", "files/2"]
    assert "1 exchange and 1 file deleted at Gemini" in report
    assert "1 file could not be deleted" in report


@pytest.mark.parametrize(
    ("uri", "left", "words"),
    [
        pytest.param("https://g/files/1", DAY, "1 file could not be deleted", id="kept for another key"),
        pytest.param(None, DAY, "1 exchange and 1 file deleted", id="never arrived"),
        pytest.param("https://g/files/1", -60, "1 exchange and 1 file deleted", id="gone by itself"),
    ],
)
async def test_a_file_that_gemini_does_not_show_this_key_is_gone_or_is_reported(
    uri: str | None, left: float, words: str
) -> None:
    async with core() as clew:
        await _talked(clew, "one")
        await clew.store.uploading(_upload("files/1", uri=uri, left=left))
        clew.model.will_not_delete("files/1", FileLost("403"))
        await clew.tells(Command.FORGET)
        (report,) = await _reports(clew, 1)

    assert words in report


def _upload(name: str, *, uri: str | None = None, left: float = DAY) -> Upload:
    attachment = AttachmentId(f"of {name}")
    return Upload(THREAD, name, attachment, MediaKind.VIDEO, "video/mp4", 9, uri, expires_at=time.time() + left)


# --- the model over its socket ----------------------------------------------------------------


@asynccontextmanager
async def _gemini(faults: Faults | None = None) -> AsyncIterator[tuple[GeminiModel, InteractionId]]:
    """The model behind a socket, and an interaction that it keeps."""
    async with (
        offline_model(faults=faults, pace=0) as server,
        open_model(api_key="key", model="gemini-test", base_url=server.url) as model,
    ):
        async with aclosing(model.answer((Text("hello"),), after=None)) as events:
            created = [event.interaction async for event in events if isinstance(event, Created)]
        yield model, created[0]


async def test_what_was_deleted_is_gone_and_deleting_it_again_is_no_error() -> None:
    async with _gemini() as (model, interaction):
        await model.look_up(interaction)
        await model.delete(interaction)
        with pytest.raises(InteractionLost):
            await model.look_up(interaction)

        await model.delete(interaction)
        await model.delete(InteractionId("v1_nobody_ever_knew"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(StatusFault(403), InteractionLost, id="not with this key"),
        pytest.param(StatusFault(400, message="unknown interaction"), InteractionLost, id="unknown in other words"),
        pytest.param(StatusFault(401), KeyRejected, id="the key is refused"),
        pytest.param(StatusFault(400), QuestionRejected, id="the request is refused"),
        pytest.param(StatusFault(429), ModelRefused, id="too many at once"),
        pytest.param(StatusFault(503), ModelUnavailable, id="it is down"),
    ],
)
async def test_what_keeps_it_from_being_deleted_is_told_apart(fault: StatusFault, error: type[Exception]) -> None:
    faults = Faults()
    async with _gemini(faults) as (model, interaction):
        faults.arm(fault, on=Call.DELETE)
        with pytest.raises(error):
            await model.delete(interaction)

        await model.look_up(interaction)


async def test_a_model_that_is_not_there_is_away() -> None:
    async with _gemini() as (model, interaction):
        pass
    async with open_model(api_key="key", model="gemini-test", base_url="http://127.0.0.1:9") as model:
        with pytest.raises(ModelUnavailable):
            await model.delete(interaction)


# --- death ------------------------------------------------------------------------------------


class _Dying:
    """A store at whose k-th call the process dies: before it, or after it was carried out."""

    def __init__(self, store: ForgettingStore, k: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, k, after
        self.died = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def carried_out(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left == 0 and not self._after:
                await self._die()
            result: object = await getattr(self._store, name)(*arguments, **named)
            if self._left == 0:
                await self._die()
            return result

        return carried_out

    async def _die(self) -> None:
        self.died.set()
        await asyncio.Event().wait()


class _Stumbling:
    """A store of which everything fails twice before it works."""

    def __init__(self, store: ForgettingStore) -> None:
        self._store, self.failed = store, Counter[str]()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def carried_out(*arguments: object, **named: object) -> object:
            if self.failed[name] < 2 and name != "to_forget":
                self.failed[name] += 1
                raise StoreUnavailable("the disk is full")
            result: object = await getattr(self._store, name)(*arguments, **named)
            return result

        return carried_out


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'clew.db'}"


async def _exchange(store: Store, name: str, *, thread: Thread = THREAD) -> None:
    """One question, answered by an interaction that is called like it."""
    await store.add(message(f"question {name}", id_=name, thread=thread))
    claim = await store.claim(thread)
    assert claim is not None
    await store.created(claim.turn, InteractionId(name))
    await store.answered(claim.turn, interaction=InteractionId(name), usage=Usage(), model="scripted")


@asynccontextmanager
async def _prepared(folder: Path) -> AsyncIterator[tuple[Store, ScriptedModel, ScriptedAdapter]]:
    """A store on the disk in which a thread with two exchanges is to be forgotten."""
    async with open_store(_url(folder), keeps_text=frozenset({TEST})) as store:
        await _exchange(store, "i1")
        await _exchange(store, "i2")
        await store.forgetting.forget(THREAD, COMMAND)
        yield store, ScriptedModel(), ScriptedAdapter(store)


@asynccontextmanager
async def _forgetting(
    store: ForgettingStore,
    model: ScriptedModel,
    adapter: ScriptedAdapter,
    *,
    days: int | None = None,
    now: Callable[[], float] = lambda: 0.0,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    metrics: Metrics | None = None,
    stop: Callable[[Thread], Awaitable[None]] | None = None,
) -> AsyncIterator[Forgetting]:
    async def stop_nothing(thread: Thread) -> None: ...

    async with open_forgetting(
        store=store,
        model=model,
        shelf=model,
        adapters={TEST: adapter},
        others={},
        stop=stop or stop_nothing,
        metrics=metrics or Metrics(),
        keeps_text=frozenset({TEST}),
        days=days,
        patience=BRISK,
        now=now,
        clock=clock or now,
        sleep=sleep,
    ) as forgetting:
        yield forgetting


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
async def test_a_death_at_any_step_loses_nothing_of_the_forgetting(tmp_path: Path, *, after: bool) -> None:
    for k in range(1, 100):
        folder = tmp_path / str(k)
        folder.mkdir()
        async with _prepared(folder) as (store, model, adapter):
            dying = _Dying(store.forgetting, k, after=after)
            async with _forgetting(cast("ForgettingStore", dying), model, adapter) as forgetting:
                ends = [asyncio.ensure_future(end) for end in (dying.died.wait(), _done(store))]
                taking_up = asyncio.ensure_future(forgetting.take_up())
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for end in (*ends, taking_up):
                    end.cancel()
                await asyncio.gather(*ends, taking_up, return_exceptions=True)
            told = list(adapter.confirmed)
        async with open_store(_url(folder), keeps_text=frozenset({TEST})) as store:
            adapter = ScriptedAdapter(store)
            adapter.confirmed = told
            async with _forgetting(store.forgetting, model, adapter) as forgetting:
                await forgetting.take_up()
                await _done(store)
            assert await store.transcript(THREAD) == []
        assert set(model.deleted) == {"i1", "i2"}, k
        # Where the platform can be looked at it is not said twice; here nobody looks.
        assert set(adapter.confirmed) == {
            "I have forgotten this thread: 2 exchanges deleted at Gemini, and all that I kept of it here."
        }, k
        if not dying.died.is_set():
            break
    assert k > 8


async def test_a_death_between_two_deletions_leaves_the_second_to_the_next_start(tmp_path: Path) -> None:
    async with core(url=_url(tmp_path)) as clew:
        await _talked(clew, "one", "two")
        clew.model.will_not_delete("i2", *[ModelUnavailable("503")] * 2)
        clew.model.deletes = asyncio.Event()
        clew.model.deletes.set()
        await clew.tells(Command.FORGET)
        await clew.model.told_to_delete(1)
        clew.model.deletes.clear()
    model = ScriptedModel()
    async with core(url=_url(tmp_path), model=model) as clew:
        (report,) = await _reports(clew, 1)

    assert "i2" in model.deleted
    assert "2 exchanges deleted" in report


# --- age --------------------------------------------------------------------------------------


class _Hours:
    """The time, which passes as fast as it is waited for; every wait of an hour waits until it is let go."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.waits = asyncio.Queue[asyncio.Event]()

    async def sleep(self, seconds: float) -> None:
        if seconds < HOUR:
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        self.waits.put_nowait(over)
        await over.wait()
        self.now += seconds

    async def looked(self) -> asyncio.Event:
        """Wait until old threads have been looked for, and the hour is waited for; set what comes to let it pass."""
        async with asyncio.timeout(30):
            return await self.waits.get()


async def test_threads_that_are_too_old_are_forgotten_at_the_start_and_every_hour_without_a_word() -> None:
    hours = _Hours(100 * DAY)
    async with open_store("sqlite:///:memory:", now=lambda: hours.now) as store:
        await _exchange(store, "i1")
        hours.now += 10 * DAY
        await _exchange(store, "i2", thread=thread_named("t2"))
        hours.now += 21 * DAY
        model, adapter, metrics = ScriptedModel(), ScriptedAdapter(store), Metrics()
        async with _forgetting(
            store.forgetting, model, adapter, days=30, now=lambda: hours.now, sleep=hours.sleep, metrics=metrics
        ) as forgetting:
            await forgetting.take_up()
            hour = await hours.looked()
            await _done(store)
            assert model.deleted == ["i1"]
            assert await store.transcript(THREAD) == []

            hours.now += 10 * DAY
            hour.set()
            await hours.looked()
            await _done(store)

    assert model.deleted == ["i1", "i2"]
    assert adapter.confirmed == []
    assert metrics.registry.get_sample_value("clew_threads_forgotten_total", {"reason": "age"}) == 2
    deleted = {"kind": "interaction", "result": "deleted"}
    assert metrics.registry.get_sample_value("clew_deletions_total", deleted) == 2


async def test_without_the_setting_nothing_is_ever_too_old() -> None:
    hours = _Hours(100 * DAY)
    async with open_store("sqlite:///:memory:", now=lambda: hours.now) as store:
        await _exchange(store, "i1")
        hours.now += 10_000 * DAY
        model = ScriptedModel()
        async with _forgetting(
            store.forgetting, model, ScriptedAdapter(store), now=lambda: hours.now, sleep=hours.sleep
        ) as forgetting:
            await forgetting.take_up()
            await forgetting.forget(thread_named("t2"), COMMAND)  # there is somebody at work
            await _done(store)

    assert model.deleted == []
    assert hours.waits.empty()


async def test_more_old_threads_than_are_forgotten_at_once_are_forgotten_all_the_same() -> None:
    hours = _Hours(100 * DAY)
    async with open_store("sqlite:///:memory:", now=lambda: hours.now) as store:
        for number in range(120):
            await _exchange(store, f"i{number}", thread=thread_named(f"t{number}"))
        hours.now += 31 * DAY
        model = ScriptedModel()
        async with _forgetting(
            store.forgetting, model, ScriptedAdapter(store), days=30, now=lambda: hours.now, sleep=hours.sleep
        ) as forgetting:
            await forgetting.take_up()
            await hours.looked()
            await _done(store)

    assert len(set(model.deleted)) == 120


async def test_a_date_that_jumps_ahead_for_a_while_makes_no_thread_old_and_one_that_stays_there_does() -> None:
    hours, ticks = _Hours(100 * DAY), [0.0]
    async with open_store("sqlite:///:memory:", now=lambda: hours.now) as store:
        await _exchange(store, "i1")
        model = ScriptedModel()
        async with _forgetting(
            store.forgetting,
            model,
            ScriptedAdapter(store),
            days=30,
            now=lambda: hours.now,
            clock=lambda: ticks[0],
            sleep=hours.sleep,
        ) as forgetting:
            await forgetting.take_up()
            for ahead in (365 * DAY, -365 * DAY, 365 * DAY):
                hour = await hours.looked()
                hours.now += ahead
                ticks[0] += HOUR
                hour.set()
            hour = await hours.looked()
            assert model.deleted == []

            ticks[0] += HOUR
            hour.set()
            await hours.looked()
            await _done(store)

    assert model.deleted == ["i1"]


class _Puzzled:
    """A store that once does what nobody foresaw when it is asked for old threads."""

    def __init__(self, store: ForgettingStore) -> None:
        self._store, self._is_puzzled = store, True

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def forget_old(self, *, before: float, most: int) -> Sequence[Thread]:
        if self._is_puzzled:
            self._is_puzzled = False
            raise ZeroDivisionError
        return await self._store.forget_old(before=before, most=most)


async def test_what_nobody_foresaw_while_old_threads_are_looked_for_ends_nothing() -> None:
    hours, metrics = _Hours(100 * DAY), Metrics()
    async with open_store("sqlite:///:memory:", now=lambda: hours.now) as store:
        await _exchange(store, "i1")
        hours.now += 31 * DAY
        model, puzzled = ScriptedModel(), cast("ForgettingStore", _Puzzled(store.forgetting))
        async with _forgetting(
            puzzled,
            model,
            ScriptedAdapter(store),
            days=30,
            now=lambda: hours.now,
            sleep=hours.sleep,
            metrics=metrics,
        ) as forgetting:
            await forgetting.take_up()
            (await hours.looked()).set()
            await hours.looked()
            await _done(store)

    assert model.deleted == ["i1"]
    assert metrics.registry.get_sample_value("clew_failures_total", {"error": "ZeroDivisionError"}) == 1


# --- words ------------------------------------------------------------------------------------


def _forgotten(**found: object) -> Forgotten:
    return Forgotten(THREAD, 1, COMMAND, 0.0, **found)  # type: ignore[arg-type]  # whatever a test found


def test_where_there_was_nothing_the_report_says_so() -> None:
    assert report_on(_forgotten(), stays=False).startswith(
        "I have forgotten this thread: 0 exchanges deleted at Gemini"
    )


def test_files_are_counted_beside_exchanges() -> None:
    words = report_on(_forgotten(deleted=1, files=2, files_left=1), stays=True)

    assert "1 exchange and 2 files deleted at Gemini" in words
    assert "1 file could not be deleted; Gemini deletes files after 48 hours." in words


def test_every_reason_has_its_words() -> None:
    words = report_on(_forgotten(undeleted=dict.fromkeys(Undeleted, 1)), stays=False)

    assert words.count("- 1 ") == len(Undeleted)


def test_a_report_has_a_name_of_its_own_from_which_command_and_time_are_read() -> None:
    assert read_report(report_of(MessageId("1700000000.000100"), 1_700_000_123.6)) == (
        "1700000000.000100",
        1_700_000_124.0,
    )
    assert read_report(MessageId("1700000000.000100")) is None
    assert read_report(MessageId("a+b")) is None
