"""People in a workspace of Slack: in a channel, or each on a line of their own to the bot."""

from collections.abc import Callable, Sequence

from adapters.slack.places import SLACK, place_of
from adapters.slack.reply import WORKING
from bot.commands import Command
from bot.messages import Thread
from tests.support.people.seen import WITHIN, Post, Seen, Upload, View, looked, without_remarks
from tests.support.slack import File, Shown, SlackServer
from tests.support.slack.people import PersonKind


class SlackPeople:
    """Threads begin in a channel or, when it is *direct*, at the top of somebody's line to the bot, which is one."""

    def __init__(self, slack: SlackServer, *, is_direct: bool = False) -> None:
        self.slack, self._is_direct = slack, is_direct
        self.begun: list[Thread] = []

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_FILE_HOSTS": self.slack.file_host,
        }

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self,
        text: str,
        *,
        thread: Thread | None = None,
        by: str = "ada",
        files: Sequence[Upload] = (),
        channel: str = "general",
    ) -> Post:
        sent = [self.slack.uploads(file.name, file.data, file.mime_type, by=by) for file in files]
        return await self.posted(by, text, thread, files=sent, channel=channel)

    async def posted(
        self,
        by: str,
        text: str,
        thread: Thread | None,
        *,
        files: Sequence[File] = (),
        kind: PersonKind = "member",
        channel: str = "general",
    ) -> Post:
        if thread is not None:
            place, thread_ts = place_of(thread)
        else:
            # Whoever begins another thread directly has to be somebody else.
            line = self.slack.direct(f"{by}{len(self.begun) or ''}") if self._is_direct else None
            place, thread_ts = line or self.slack.channel(channel), None
        ts = await self.slack.says(by, text, channel=place, thread_ts=thread_ts, files=files, kind=kind)
        if thread is None:
            thread = Thread(SLACK, self.slack.team_id, place, place if self._is_direct else ts)
            self.begun.append(thread)
        return Post(thread, ts)

    async def edits(self, post: Post, text: str) -> None:
        named = "" if self._is_direct else f"<@{self.slack.bot_user_id}> "
        await self.slack.edits(post.id, f"{named}{text}", channel=post.thread.channel_id)

    async def deletes(self, post: Post) -> None:
        await self.slack.deletes(post.id, channel=post.thread.channel_id)

    async def gives(self, command: Command, thread: Thread) -> str:
        place, thread_ts = place_of(thread)
        given = await self.slack.says("ada", command.value, channel=place, thread_ts=thread_ts)

        def told() -> str | None:
            shown = self.slack.replies(place, thread_ts)
            return next((one.text for one in shown if command_of(one) == given), None)

        return await self.slack.until(told, within=WITHIN)

    async def is_told(self, command: Command, thread: Thread, *, by: str = "ada") -> str:
        place, thread_ts = place_of(thread)
        before = len(self.slack.whispers(by))
        await self.slack.says(by, command.value, channel=place, thread_ts=thread_ts)
        return (await self.slack.until(lambda: self.slack.whispers(by)[before:], within=WITHIN))[0].text

    async def presses(self, label: str, thread: Thread) -> None:
        def found() -> Shown | None:
            shown = reversed(self.slack.replies(*place_of(thread)))
            return next((one for one in shown if label in {button.text for button in one.buttons}), None)

        shown = await self.slack.until(found, within=WITHIN)
        await self.slack.clicks(shown.button(label))

    async def asked(self, thread: Thread, *, number: int = 1) -> int:
        def asking() -> bool:
            shown = self.slack.replies(*place_of(thread))
            return sum("Approve" in {button.text for button in one.buttons} for one in shown) == number

        await self.slack.until(asking, within=WITHIN)
        return number

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        def read() -> list[str]:
            shown = self.slack.replies(*place_of(thread))
            said = [one.text for one in shown if command_of(one) is not None]
            return [words for words in said if words.startswith(beginning)]

        return await self.slack.until(read, within=WITHIN)

    # --- what is seen -----------------------------------------------------------------------------

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        return await looked(self.slack, lambda: self.view(thread), until)

    def view(self, thread: Thread) -> View:
        place, thread_ts = place_of(thread)
        shown = [one for one in self.slack.replies(place, thread_ts) if command_of(one) is None]
        answers = tuple(Seen(one.ts, without_remarks(one.text)) for one in shown if one.text not in {"", WORKING})
        has_line = thread_ts is not None and self.slack.status(place, thread_ts) is not None
        return View(answers, is_working=has_line or any(map(_grows, shown)))

    async def watches(self, thread: Thread, until: Callable[[str], bool]) -> str:
        place, thread_ts = place_of(thread)

        def watched() -> str | None:
            words = self.slack.status(place, thread_ts or "") or ""
            return words or " " if until(words) else None

        return (await self.slack.until(watched, within=WITHIN)).strip()

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        def saved() -> Sequence[bytes] | None:
            found = [file.data for one in self.slack.replies(*place_of(thread)) for file in one.files]
            return found if len(found) >= number else None

        return await self.slack.until(saved, within=WITHIN)

    def harm(self) -> Sequence[str]:
        return [ping.token for ping in self.slack.pings] + [unfurl.url for unfurl in self.slack.unfurls]


def _grows(shown: Shown) -> bool:
    return shown.is_streaming or shown.text == WORKING or "Stop" in {button.text for button in shown.buttons}


def command_of(shown: Shown) -> object:
    """The id of the message whose command this tells about, if it does."""
    return (shown.metadata or {}).get("event_payload", {}).get("command")
