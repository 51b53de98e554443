"""files.*, downloads and uploads: section 6 of the reference."""

from aiohttp import web

from tests.support.slack.access import Access
from tests.support.slack.calls import Call
from tests.support.slack.files import File
from tests.support.slack.json_types import JsonObject
from tests.support.slack.mentions import find_pings
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.workspace import Workspace

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to Clew</body></html>"


class Files:
    """Files of people are read here, files of the app are made here."""

    def __init__(self, workspace: Workspace, access: Access) -> None:
        self._workspace, self._access = workspace, access
        self._announced: dict[str, tuple[str, str, int]] = {}  # ticket -> file id, name, length
        self._arrived: dict[str, tuple[str, bytes]] = {}  # file id -> name, bytes
        self._alts: dict[str, str] = {}  # file id -> what it is of
        self.methods = {
            "files.info": self.info,
            "files.getUploadURLExternal": self.get_upload_url,
            "files.completeUploadExternal": self.complete_upload,
        }

    def info(self, call: Call) -> JsonObject:
        file = self._workspace.files.get(call.text("file") or "")
        if file is None or file.mode in {"not_found", "access_denied"}:
            raise Refused("file_not_found")
        if file.is_deleted or file.mode == "tombstone":
            raise Refused("file_deleted")
        return {"file": file.info(), "comments": [], "response_metadata": {"next_cursor": ""}}

    def get_upload_url(self, call: Call) -> JsonObject:
        name, length = call.text("filename"), int(call.args.get("length") or 0)
        if name is None or length <= 0:
            raise Refused("invalid_arguments")
        file_id = self._workspace.new_id("F")
        ticket = f"u{file_id}"
        self._announced[ticket] = file_id, name, length
        self._alts[file_id] = call.text("alt_txt") or ""
        return {"upload_url": f"{self._workspace.base}/upload/v1/{ticket}", "file_id": file_id}

    async def upload(self, request: web.Request, call: Call) -> web.Response:
        """The bytes, sent to the upload URL without a token ([6]); answered in plain text."""
        announced = self._announced.get(request.match_info["ticket"])
        if announced is None:
            call.outcome = "status 404"
            return web.Response(status=404, text="not found")
        file_id, name, length = announced
        data = await request.read()
        if request.content_type == "multipart/form-data" or len(data) != length:
            call.outcome = "status 400"
            return web.Response(status=400, text=f"expected {length} bytes, got {len(data)}")
        self._arrived[file_id] = name, data
        call.outcome = "ok"
        return web.Response(text=f"OK - {length}")

    def complete_upload(self, call: Call) -> JsonObject:
        workspace = self._workspace
        wanted = call.structure("files")
        if not isinstance(wanted, list) or not wanted:
            raise Refused("invalid_arguments")
        if any(entry["id"] not in self._arrived for entry in wanted):
            raise Refused("file_not_found")
        channel_id, thread_ts = call.text("channel_id"), call.text("thread_ts")
        if channel_id is not None:  # [6] membership is needed: channel_not_found, not_in_channel
            channel = self._access.writable(call, "channel_id")
            if thread_ts is not None and thread_ts not in channel.posts:
                raise Refused("invalid_thread_ts")
        files = [self._made(entry) for entry in wanted]
        if channel_id is not None:  # [6] sharing is asynchronous, and the answer has no ts
            comment = call.text("initial_comment") or ""
            delay = workspace.variants.share_after
            workspace.clock.after(delay, lambda: self._share(files, channel_id, thread_ts, comment))
        return {"files": [file.as_json() for file in files]}

    def _made(self, entry: JsonObject) -> File:
        workspace = self._workspace
        name, data = self._arrived[entry["id"]]
        # Not idempotent ([6]): the same file completed again is shared again.
        return workspace.files.setdefault(
            entry["id"],
            File(
                id=entry["id"],
                name=name,
                title=entry.get("title") or name,
                data=data,
                mimetype="application/octet-stream",
                owner=workspace.install.bot_user_id,
                created=int(workspace.clock.now()),
                base=workspace.base,
                team_id=workspace.install.team_id,
                is_own=True,
                alt_txt=self._alts[entry["id"]],
            ),
        )

    def _share(self, files: list[File], channel_id: str, thread_ts: str | None, comment: str) -> None:
        workspace, install = self._workspace, self._workspace.install
        channel = workspace.channels[channel_id]
        post = Post(
            channel=channel_id,
            ts=workspace.new_ts(channel),
            author=install.bot_user_id,
            text=comment,
            thread_ts=thread_ts,
            subtype="file_share",
            files=files,
            is_own=True,
            bot_id=install.bot_id,
            app_id=install.app_id,
        )
        for file in files:
            file.shares.append((channel_id, post.ts, thread_ts))
        workspace.post(post)
        for kind, whom, token in find_pings(comment):
            workspace.note_ping(post, kind, whom, token, "files.completeUploadExternal")

    async def download(self, request: web.Request, call: Call) -> web.Response:
        """The bytes for whoever has the bot's token and files:read; a login page for everybody else ([6])."""
        file = self._workspace.files.get(request.match_info["file"].partition("-")[2])
        if file is None or file.is_deleted:
            call.outcome = "status 404"
            return web.Response(status=404, text="not found")
        is_allowed = call.token == self._workspace.install.bot_token and call.token not in self._access.dead_tokens
        if not is_allowed or "files:read" not in self._access.scopes or file.mode == "access_denied":
            call.outcome = "login page"
            if self._workspace.variants.login_page == "redirect":
                return web.Response(status=302, headers={"Location": f"{self._workspace.base}/signin"})
            return login_page()
        call.outcome = "ok"
        disposition = {"Content-Disposition": f'attachment; filename="{file.id}"'}
        return web.Response(body=file.data, content_type=file.mimetype, headers=disposition)


def login_page() -> web.Response:
    return web.Response(text=LOGIN_PAGE, content_type="text/html")
