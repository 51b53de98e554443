"""The page's addresses: what is asked over HTTP, and who answers it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from adapters.web import events
from adapters.web.doors import Closed, Token, check_host, check_site, guard_response
from adapters.web.feeds import Event, Feeds
from adapters.web.files import Files
from adapters.web.format import html
from adapters.web.pages import LOGIN, About, Asset, assets, page
from adapters.web.reply import files_in, wanted_files
from adapters.web.uploads import LONGEST_JSON, MOST_FILES, read_json, read_upload
from adapters.web.views import SAFE_TYPES, thread_view
from bot.commands import Command, read_command
from bot.errors import AttachmentTooLarge, StoreError
from bot.health import HealthReport
from bot.messages import Attachment, AttachmentId, Message, MessageId, Thread
from bot.ports import Store

logger = logging.getLogger(__name__)

_UNSTORED = "Clew could not write this down just now, so nothing was sent. Try again in a moment."
_UNSAVED = "The files could not be saved here, so nothing was sent. Is the disk full?"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Inbox(Protocol):
    """Where messages go."""

    async def receive(self, message: Message) -> bool:
        """Store a message; False when it is known already. Raises StoreError."""
        ...


class Commands(Protocol):
    """Who carries commands out."""

    async def run(self, command: Command, thread: Thread, by: MessageId, *, asked: str = "") -> str:
        """Do it, once for each *by*, and say in Markdown what was done. Raises StoreError."""
        ...


class Health(Protocol):
    """Who knows whether everything works."""

    async def report(self) -> HealthReport:
        """Look at everything now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Answers what browsers ask. Only `application` is for others."""

    store: Store
    inbox: Inbox
    commands: Commands
    files: Files
    feeds: Feeds
    health: Health
    registry: CollectorRegistry
    about: About
    token: Token | None
    has_page: bool
    now: Callable[[], float]

    def application(self) -> web.Application:
        """Everything that is served, behind its doors."""
        app = web.Application(middlewares=[self._plainly, self._guarded], client_max_size=LONGEST_JSON)
        app.on_response_prepare.append(guard_response)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        if not self.has_page:
            return app
        app.router.add_get("/", self._page)
        for asset in assets():
            app.router.add_get(f"/static/{asset.name}", _serving(asset))
        if self.token is not None:
            app.router.add_post("/login", self._login)
        app.router.add_get("/api/threads", self._threads)
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/api/threads/{thread}/events", self._events)
        app.router.add_post("/api/threads/{thread}/messages", self._message)
        app.router.add_post("/api/threads/{thread}/commands", self._command)
        app.router.add_get("/api/threads/{thread}/files/{attachment}", self._file)
        return app

    # --- the doors ----------------------------------------------------------------------------------------------

    @web.middleware
    async def _plainly(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Say what went wrong in a sentence."""
        try:
            return await handler(request)
        except Closed as closed:
            return _refused(closed.status, closed.sentence)
        except events.Unacceptable as error:
            return _refused(400, str(error))
        except AttachmentTooLarge as error:
            return _refused(413, f"“{error.name}” is larger than {error.limit // 1_000_000} MB, so nothing was sent.")
        except StoreError as error:
            logger.error("request not carried out", extra={"path": request.path, "reason": str(error)})
            return _refused(503, _UNSTORED)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Let in what the page itself, or a program with the token, asks."""
        if request.path == "/healthz":
            return await handler(request)
        if self.token is None and self.has_page:
            check_host(request)
        if request.path.startswith("/static/"):
            return await handler(request)
        if request.path != "/":
            # The page itself may be opened by a link from anywhere; it does nothing by being opened.
            check_site(request)
        if self.token is not None and request.path != "/login" and not await self.token.admits_request(request):
            if request.path == "/" and self.has_page:
                return _login_page(failed=False)
            raise Closed(401, "The token is missing or wrong.")
        return await handler(request)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if self.token is None or request.content_type != "application/x-www-form-urlencoded":
            raise Closed(415, "This takes the login form only.")
        form = await request.post()
        if not await self.token.admits(str(form.get("token", ""))):
            logger.warning("wrong token", extra={"remote": request.remote})
            return _login_page(failed=True)
        response = web.Response(status=303, headers={"Location": "/"})
        self.token.remember(request, response)
        return response

    # --- what is shown ------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        text = page(self.about, most_files=MOST_FILES, largest_file=self.files.cap)
        return web.Response(text=text, content_type="text/html", charset="utf-8")

    async def _threads(self, request: web.Request) -> web.StreamResponse:
        return web.json_response([thread_view(summary) for summary in await self.store.threads(events.WEB)])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Tell an open page everything, and then what changes, until one of the two goes away."""
        thread_id = request.match_info.get("thread") or request.query.get("thread")
        thread = events.read_thread(thread_id) if thread_id else None
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        with self.feeds.follow(thread) as feed:
            try:
                async with aclosing(feed.events()) as told:
                    async for event in told:
                        # Waits for the browser when it is slow; what happens meanwhile is in the next event.
                        await response.write(_as_event(event))
            except ConnectionError:
                pass
            except StoreError as error:
                # The browser comes back by itself, and is told everything then.
                logger.error("page not told", extra={"reason": str(error)})
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        thread = events.read_thread(request.match_info["thread"])
        wanted = AttachmentId(request.match_info["attachment"])
        path = self.files.path(thread, wanted)
        attachment = await self._attachment(thread, wanted) if path is not None else None
        if path is None or attachment is None:
            raise Closed(404, "This file is not here any more.")
        is_safe = attachment.mime_type in SAFE_TYPES
        mime_type = attachment.mime_type if is_safe and attachment.mime_type else "application/octet-stream"
        return web.FileResponse(
            path,
            headers={
                "Content-Type": mime_type,
                "Content-Disposition": _disposition("inline" if is_safe else "attachment", attachment.name),
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    async def _attachment(self, thread: Thread, wanted: AttachmentId) -> Attachment | None:
        referred = files_in(await self.store.transcript(thread))
        return next((attachment for attachment in referred if attachment.id == wanted), None)

    # --- what is said -------------------------------------------------------------------------------------------

    async def _message(self, request: web.Request) -> web.StreamResponse:
        """Take a message in. It is stored when this answers 202, however often it is sent."""
        thread = events.read_thread(request.match_info["thread"])
        with self.files.arriving(thread) as arrival:
            try:
                payload, attachments = await read_upload(request, arrival)
            except ConnectionError:
                raise
            except OSError as error:
                logger.error("file not saved", extra={"thread_key": thread.key, "reason": str(error)})
                raise Closed(507, _UNSAVED) from error
            message = events.read_message(payload, thread=thread, attachments=attachments, sent_at=self.now())
            command = read_command(message.text or "")
            if command is not None and not attachments:
                return await self._carried_out(command, thread, message.id)
            arrival.keep()
            try:
                is_new = await self.inbox.receive(message)
            except StoreError:
                arrival.drop()
                raise
            if not is_new:
                # Sent again, so the files of the first time are the ones that count.
                arrival.drop()
        self.feeds.stored(thread)
        return web.json_response({"id": message.id}, status=202)

    async def _command(self, request: web.Request) -> web.StreamResponse:
        thread = events.read_thread(request.match_info["thread"])
        command, by, asked = events.read_command(await read_json(request))
        return await self._carried_out(command, thread, by, asked=asked)

    async def _carried_out(
        self, command: Command, thread: Thread, by: MessageId, *, asked: str = ""
    ) -> web.StreamResponse:
        said = await self.commands.run(command, thread, by, asked=asked)
        if command in {Command.RESET, Command.FORGET}:
            await self.files.sweep(thread, lambda: wanted_files(self.store, thread))
        self.feeds.stored(thread)
        return web.json_response({"said": html(said)})

    # --- for operators ------------------------------------------------------------------------------------------

    async def _health(self, request: web.Request) -> web.StreamResponse:
        report = await self.health.report()
        return web.json_response({"ok": report.ok, "checks": report.checks}, status=200 if report.ok else 503)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        counted = await asyncio.to_thread(generate_latest, self.registry)
        return web.Response(body=counted, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _serving(asset: Asset) -> Answer:
    async def serve(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": asset.content_type, "ETag": asset.etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == asset.etag:
            return web.Response(status=304, headers={"ETag": asset.etag, "Cache-Control": "no-cache"})
        return web.Response(body=asset.body, headers=headers)

    return serve


def _login_page(*, failed: bool) -> web.Response:
    text = LOGIN.replace("{{failed}}", "" if failed else "hidden")
    return web.Response(status=401, text=text, content_type="text/html", charset="utf-8")


def _refused(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _as_event(event: Event) -> bytes:
    name, told = event
    return f"event: {name}\ndata: {json.dumps(told, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _disposition(kind: str, name: str) -> str:
    """How a file is to be saved, under a name that may hold anything. RFC 6266."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    encoded = "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in name.encode("utf-8", "replace"))
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"
