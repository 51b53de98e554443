"""Slack as a stage of the contract: in a channel or directly, over Socket Mode or over HTTP."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.slack.manifest import HTTP_PATH
from adapters.slack.places import SLACK, place_of
from adapters.slack.reply import WORKING
from bot.commands import Command
from bot.messages import Thread
from tests.adapters.contract.life import DRAIN, Life
from tests.adapters.contract.stage import Bot, Post, Seen, Upload, View, without_remarks
from tests.support.scripted import ScriptedModel
from tests.support.slack import File, Install, Shown, SlackServer, Variants, slack_server
from tests.support.slack.people import PersonKind
from tests.support.slack_clew import ALL_SCOPES, SECRET, SlackClew, clew_on


class SlackStage:
    """A workspace, whose id is longer than Slack's are.

    Threads begin in a channel or, when it is *direct*, at the top of somebody's line to the bot, which is one thread.
    """

    harmful = "<!channel> <!here|here> <!everyone> <@U0ADA00000> <!subteam^S0TEAM> `<!channel>` https://spy.example/"

    def __init__(self, slack: SlackServer, folder: Path, *, is_http: bool, is_direct: bool) -> None:
        self.model = ScriptedModel()
        self._slack, self._folder = slack, folder
        self._is_http, self._is_direct = is_http, is_direct
        self._begun: list[Thread] = []

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        life = Life()
        async with life.lived(self._run(life)) as bot:
            yield bot

    @asynccontextmanager
    async def _run(self, life: Life) -> AsyncIterator[SlackClew]:
        async with clew_on(
            self._slack,
            http=self._is_http,
            url=f"sqlite:///{self._folder / 'clew.db'}",
            model=self.model,
            wrap_all=life.over_store,
            wrap_line=life.reaper.over_line,
            drain=DRAIN,
            inline_limit=15_000_000,
        ) as clew:
            if port := re.search(r"port (\d+)", clew.line):
                self._slack.use_http(f"http://127.0.0.1:{port[1]}{HTTP_PATH}", SECRET)
            yield clew

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        sent = [self._slack.uploads(file.name, file.data, file.mime_type, by=by) for file in files]
        return await self._posted(by, text, thread, files=sent)

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        return await self._posted(self._slack.bot_user_id if itself else "robot", text, thread, kind="bot")

    async def _posted(
        self, by: str, text: str, thread: Thread | None, *, files: Sequence[File] = (), kind: PersonKind = "member"
    ) -> Post:
        if thread is not None:
            channel, thread_ts = place_of(thread)
        else:
            # Whoever begins another thread directly has to be somebody else.
            line = self._slack.direct(f"{by}{len(self._begun) or ''}") if self._is_direct else None
            channel, thread_ts = line or self._slack.channel("general"), None
        ts = await self._slack.says(by, text, channel=channel, thread_ts=thread_ts, files=files, kind=kind)
        await self.heard()
        if thread is None:
            thread = Thread(SLACK, self._slack.team_id, channel, channel if self._is_direct else ts)
            self._begun.append(thread)
        return Post(thread, ts)

    async def repeats(self, post: Post) -> None:
        for delivery in [one for one in self._slack.deliveries if one.ts == post.id]:
            self._slack.again(delivery)
        await self.heard()

    async def edits(self, post: Post, text: str) -> None:
        named = "" if self._is_direct else f"<@{self._slack.bot_user_id}> "
        await self._slack.edits(post.id, f"{named}{text}", channel=post.thread.channel_id)
        await self.heard()

    async def deletes(self, post: Post) -> None:
        await self._slack.deletes(post.id, channel=post.thread.channel_id)
        await self.heard()

    async def gives(self, command: Command, thread: Thread) -> str:
        channel, thread_ts = place_of(thread)
        given = await self._slack.says("ada", command.value, channel=channel, thread_ts=thread_ts)

        def told() -> str | None:
            shown = self._slack.replies(channel, thread_ts)
            return next((one.text for one in shown if _command_of(one) == given), None)

        return await self._slack.until(told)

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        def read() -> list[str]:
            shown = self._slack.replies(*place_of(thread))
            said = [one.text for one in shown if _command_of(one) is not None]
            return [words for words in said if words.startswith(beginning)]

        return await self._slack.until(read)

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        await self._slack.delivered()

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        def look() -> View | None:
            view = self._view(thread)
            return view if until(view) else None

        try:
            return await self._slack.until(look)
        except TimeoutError as error:
            raise TimeoutError(f"what is seen is {self._view(thread)}") from error

    def _view(self, thread: Thread) -> View:
        channel, thread_ts = place_of(thread)
        shown = [one for one in self._slack.replies(channel, thread_ts) if _command_of(one) is None]
        answers = tuple(Seen(one.ts, without_remarks(one.text)) for one in shown if one.text not in {"", WORKING})
        has_line = thread_ts is not None and self._slack.status(channel, thread_ts) is not None
        return View(answers, is_working=has_line or any(map(_grows, shown)))

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        def saved() -> Sequence[bytes] | None:
            found = [file.data for one in self._slack.replies(*place_of(thread)) for file in one.files]
            return found if len(found) >= number else None

        return await self._slack.until(saved)

    def harm(self) -> Sequence[str]:
        return [ping.token for ping in self._slack.pings] + [unfurl.url for unfurl in self._slack.unfurls]

    async def left_over(self) -> Sequence[str]:
        stray = [f"in the channel: {one.text}" for one in self._slack.replies("general")]
        stray += [f"to Ada alone: {one.text}" for one in self._slack.whispers("ada")]
        if not self._is_direct:
            stray += [f"to Ada directly: {one.text}" for one in self._slack.replies(self._slack.direct("ada"))]
        for thread in self._begun:
            stray += ["a sign of work"] if self._view(thread).is_working else []
            for one in self._slack.transcript(*place_of(thread)):
                stray += [f"reaction {name}" for name in one.reactions]
        return stray


def _grows(shown: Shown) -> bool:
    return shown.is_streaming or shown.text == WORKING or "Stop" in {button.text for button in shown.buttons}


def _command_of(shown: Shown) -> object:
    return (shown.metadata or {}).get("event_payload", {}).get("command")


@asynccontextmanager
async def slack_stage(folder: Path, *, is_http: bool = False, is_direct: bool = False) -> AsyncIterator[SlackStage]:
    """A workspace of its own; the bot's database lies in *folder*."""
    install = Install(team_id="T0CLEWTEAM0123456789012345678901")
    # What a bot that is dead does not acknowledge is soon given up.
    variants = Variants(ack_within=1.0, retries=(0.0, 0.1, 0.1))
    async with slack_server(scopes=ALL_SCOPES, install=install, variants=variants) as slack:
        yield SlackStage(slack, folder, is_http=is_http, is_direct=is_direct)
