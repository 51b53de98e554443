"""The web page as a platform: it serves the page, shows replies and hands out what was said there."""

import errno
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from adapters.web.doors import Token
from adapters.web.events import WEB, Unacceptable, pointed_by, read_thread
from adapters.web.feeds import Feeds
from adapters.web.files import Files
from adapters.web.pages import About
from adapters.web.reply import open_reply, wanted_files
from adapters.web.server import Commands, Health, Inbox, Server
from bot.answers import Draft
from bot.confirmations import read_report
from bot.errors import AttachmentUnreadable, LinkRefused, MessageGone, PlatformAway, SettingsError, StartError
from bot.marks import without_places
from bot.messages import Attachment, Message, MessageId, Person, Platform, Said, Standing, Thread, Turn, TurnState
from bot.ports import Approval, Reply, Store
from bot.read_link import NOTHING
from bot.spellings import is_loopback

logger = logging.getLogger(__name__)

LARGEST_FILE = 100_000_000  # bytes
_AFTER_ALL = MessageId("")  # an id of no message
_SHUTDOWN = 1.0  # seconds that requests are given to finish


class WebSettings(Protocol):
    """Where the page is served, and to whom."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...  # 0: any free one
    @property
    def token(self) -> SecretStr | None: ...
    @property
    def enabled(self) -> bool: ...  # else only health and metrics are served


class WebAdapter:
    """The page. What was said in its threads stands in the store and nowhere else.

    Args:
        files: the folder for what people attach and the model makes; made when it is needed.
        largest_file: most bytes of one file.
        pace: least seconds between two frames of a growing answer on one page.
        keeping: least seconds between two times that a growing answer is written down.
        beat: seconds of silence after which an open page is told that the connection is alive.
        wrong_token_pause: seconds that a wrong token holds up the next attempt.

    Raises:
        SettingsError: others can reach the host, and there is no token.
    """

    def __init__(
        self,
        settings: WebSettings,
        *,
        store: Store,
        inbox: Inbox,
        commands: Commands,
        files: Path,
        health: Health,
        registry: CollectorRegistry,
        about: About,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
        largest_file: int = LARGEST_FILE,
        pace: float = 0.08,
        keeping: float = 1.0,
        beat: float = 15.0,
        wrong_token_pause: float = 1.0,
    ) -> None:
        if settings.enabled and settings.token is None and not is_loopback(settings.host):
            raise SettingsError(
                f"WEB_HOST is {settings.host!r}, which other machines can reach, and WEB_TOKEN is not set; "
                "set WEB_TOKEN, or WEB_HOST to 127.0.0.1."
            )
        self._settings, self._store, self._new_id, self._keeping = settings, store, new_id, keeping
        self._files = Files(files, cap=largest_file)
        self._feeds = Feeds(store, pace=pace, beat=beat)
        self._server = Server(
            store=store,
            inbox=inbox,
            commands=commands,
            files=self._files,
            feeds=self._feeds,
            health=health,
            registry=registry,
            about=about,
            token=Token(settings.token, pause=wrong_token_pause) if settings.token is not None else None,
            has_page=settings.enabled,
            now=now,
        )

    @property
    def platform(self) -> Platform:
        """The name of this platform."""
        return WEB

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve while the block runs, and yield the address to open.

        Raises:
            StartError: the port is taken, or the host is not one of this machine's.
            StoreError: files that nothing refers to could not be told from the others.
        """
        await self._sweep()
        runner = web.AppRunner(
            self._server.application(), handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN
        )
        await runner.setup()
        try:
            yield await self._listen(runner)
        finally:
            # Open pages would keep the runner waiting for as long as they are looked at.
            self._feeds.close()
            await runner.cleanup()

    def reply(self, turn: Turn, draft: Draft) -> AbstractAsyncContextManager[Reply]:
        """Open the reply to a turn; see `Adapter`."""
        return open_reply(
            turn,
            draft,
            store=self._store,
            files=self._files,
            feeds=self._feeds,
            new_id=self._new_id,
            keeping=self._keeping,
        )

    async def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file, piece by piece. Raises AttachmentUnreadable."""
        path = self._files.path(message.thread, attachment.id)
        if path is None:
            raise AttachmentUnreadable(attachment.name)
        try:
            async with aclosing(self._files.read(path)) as pieces:
                async for piece in pieces:
                    yield piece
        except OSError as error:
            raise AttachmentUnreadable(attachment.name) from error

    async def history(self, thread: Thread, *, before: MessageId, since: float | None = None) -> Sequence[Said]:
        """What the page shows above a message, less what is never told again and the notices of the bot.

        What was said before the last reset is no longer shown, so *since* says nothing new.
        """
        said: list[Said] = []
        for turn in await self._store.transcript(thread):
            is_told = turn.state is not TurnState.FAILED or turn.tell
            for message in turn.messages:
                if message.id == before:
                    return said
                if is_told:
                    said.append(Said(message.id, message.author, message.text or "", message.attachments))
            if turn.state in {TurnState.ANSWERED, TurnState.STOPPED}:
                said.extend(
                    Said(part.message_id, None, without_places(part.text or ""), part.attachments)
                    for part in turn.parts
                    if part.text or part.attachments
                )
        return said

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool]
    ) -> Sequence[Said]:
        """What a thread of the page shows; see `Adapter`. All of them are its one person's."""
        pointed = pointed_by(link)
        if pointed is None:
            raise LinkRefused("That is no link to a thread of this page.")
        linked = read_thread(pointed.thread_id)
        if not permits(linked):
            raise LinkRefused(NOTHING)
        return await self.history(linked, before=_AFTER_ALL)

    async def read(self, message: Message) -> Message:
        """Raises MessageGone: what the store does not hold any more is nowhere else."""
        raise MessageGone(message.id)

    async def standing(self, thread: Thread, person: Person) -> Standing:
        """Whoever gets to the page belongs here."""
        return Standing.MEMBER

    async def catch_up(self, thread: Thread) -> None:
        """Nothing can have been missed: a page sends again what was not stored."""

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show what is asked in the growing answer; the page has the buttons."""
        self._feeds.asking(turn, approval.name, words)

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show it no more."""
        self._feeds.asked(turn, approval.name)

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Tell the pages that look at the thread; what a command came to at once, its own answer has told them.

        Raises:
            PlatformAway: nobody looks at it just now.
        """
        if read_report(command) is not None and not await self._feeds.say(thread, words):
            raise PlatformAway("no page shows the thread")

    async def forgotten(self, thread: Thread) -> None:
        """Remove what the store knows nothing of any more: the files of a thread, and what open pages show of it."""
        await self._files.sweep(thread, lambda: wanted_files(self._store, thread))
        self._feeds.stored(thread)

    async def _sweep(self) -> None:
        """Delete files whose message was never stored, or is gone."""
        for thread_id in self._files.threads():
            try:
                thread = read_thread(thread_id)
            except Unacceptable:
                continue  # nothing of ours
            await self._files.sweep(thread, lambda thread=thread: wanted_files(self._store, thread))  # type: ignore[misc]

    async def _listen(self, runner: web.AppRunner) -> str:
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                reason = "is taken already" if error.errno == errno.EADDRINUSE else "needs rights that Clew lacks"
                raise StartError(
                    f"Port {port} on {host} {reason}; set WEB_PORT to another one, or to 0 for any free one."
                ) from error
            raise StartError(
                f"WEB_HOST is {host!r}, where this machine cannot listen ({error.strerror}); set it to 127.0.0.1."
            ) from error
        bound_host, bound_port = runner.addresses[0][:2]
        if bound_host in {"0.0.0.0", "::"}:  # noqa: S104  # every address of the machine, so also this one
            bound_host = "localhost"
        return f"http://[{bound_host}]:{bound_port}/" if ":" in bound_host else f"http://{bound_host}:{bound_port}/"
