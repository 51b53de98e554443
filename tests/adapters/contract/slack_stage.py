"""Slack as a stage of the contract: in a channel or directly, over Socket Mode or over HTTP."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from adapters.slack.manifest import HTTP_PATH
from adapters.slack.places import place_of
from bot.messages import Thread
from tests.adapters.contract.life import DRAIN, Life
from tests.adapters.contract.stage import Bot
from tests.support.people.seen import Post
from tests.support.people.slack import SlackPeople
from tests.support.scripted import ScriptedModel
from tests.support.slack import File, Install, SlackServer, Variants, slack_server
from tests.support.slack.people import PersonKind
from tests.support.slack_clew import ALL_SCOPES, SECRET, SlackClew, clew_on
from tests.support.slack_reaper import over_line


class SlackStage(SlackPeople):
    """A workspace, whose id is longer than Slack's are."""

    harmful = "<!channel> <!here|here> <!everyone> <@U0ADA00000> <!subteam^S0TEAM> `<!channel>` https://spy.example/"

    def __init__(self, slack: SlackServer, folder: Path, *, is_http: bool, is_direct: bool) -> None:
        super().__init__(slack, is_direct=is_direct)
        self.model = ScriptedModel()
        self._folder, self._is_http = folder, is_http

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        life = Life()
        async with life.lived(self._run(life)) as bot:
            yield bot

    @asynccontextmanager
    async def _run(self, life: Life) -> AsyncIterator[SlackClew]:
        async with clew_on(
            self.slack,
            http=self._is_http,
            url=f"sqlite:///{self._folder / 'clew.db'}",
            model=self.model,
            wrap_all=life.over_store,
            wrap_line=partial(over_line, life.reaper),
            drain=DRAIN,
            inline_limit=15_000_000,
        ) as clew:
            if port := re.search(r"port (\d+)", clew.line):
                self.slack.use_http(f"http://127.0.0.1:{port[1]}{HTTP_PATH}", SECRET)
            yield clew

    # --- what happens -----------------------------------------------------------------------------

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
        post = await super().posted(by, text, thread, files=files, kind=kind, channel=channel)
        await self.heard()
        return post

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        return await self.posted(self.slack.bot_user_id if itself else "robot", text, thread, kind="bot")

    async def repeats(self, post: Post) -> None:
        for delivery in [one for one in self.slack.deliveries if one.ts == post.id]:
            self.slack.again(delivery)
        await self.heard()

    async def edits(self, post: Post, text: str) -> None:
        await super().edits(post, text)
        await self.heard()

    async def deletes(self, post: Post) -> None:
        await super().deletes(post)
        await self.heard()

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        await self.slack.delivered()

    async def left_over(self) -> Sequence[str]:
        stray = [f"in the channel: {one.text}" for one in self.slack.replies("general")]
        stray += [f"to Ada alone: {one.text}" for one in self.slack.whispers("ada")]
        if not self._is_direct:
            stray += [f"to Ada directly: {one.text}" for one in self.slack.replies(self.slack.direct("ada"))]
        for thread in self.begun:
            stray += ["a sign of work"] if self.view(thread).is_working else []
            for one in self.slack.transcript(*place_of(thread)):
                stray += [f"reaction {name}" for name in one.reactions]
        return stray


@asynccontextmanager
async def slack_stage(folder: Path, *, is_http: bool = False, is_direct: bool = False) -> AsyncIterator[SlackStage]:
    """A workspace of its own; the bot's database lies in *folder*."""
    install = Install(team_id="T0CLEWTEAM0123456789012345678901")
    # What a bot that is dead does not acknowledge is soon given up.
    variants = Variants(ack_within=1.0, retries=(0.0, 0.1, 0.1))
    async with slack_server(scopes=ALL_SCOPES, install=install, variants=variants) as slack:
        yield SlackStage(slack, folder, is_http=is_http, is_direct=is_direct)
