"""Discord as a stage of the contract: in a channel, whose questions have threads of their own, or directly."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.discord.adapter import Rhythm
from adapters.discord.faces import WORKING
from adapters.discord.format import OVERFLOW_NAME
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from bot.answers import PLAIN, After, AnswerEvent, Manner, Question, Text
from bot.commands import Command
from bot.messages import MessageId, Thread
from bot.ports import Store
from tests.adapters.contract.life import DRAIN, Life
from tests.adapters.contract.stage import Bot, Post, Seen, Upload, View, without_remarks
from tests.support.discord import DiscordServer, DropBefore, Message, Shown, discord_server
from tests.support.discord_clew import SWIFT, DiscordClew, clew_on
from tests.support.scripted import ScriptedModel
from tests.support.slack_clew import interposed

_NAME = re.compile(r"^\[(?:Ada|Ben)[0-9]*\] ", re.MULTILINE)
RHYTHM = Rhythm(pause=0.05, longest_pause=0.2, catch_up=0.0, late=0.02)


class _Unnaming(ScriptedModel):
    """Does not hear who speaks, which Discord tells and other platforms do not."""

    async def answer(
        self, question: Question, *, after: After, manner: Manner = PLAIN
    ) -> AsyncGenerator[AnswerEvent, None]:
        unnamed = [Text(_NAME.sub("", one.text)) if isinstance(one, Text) else one for one in question]
        async for event in super().answer(tuple(unnamed), after=after, manner=manner):
            yield event


class DiscordStage:
    """A server with one channel. Directly, whoever begins another thread has to be somebody else."""

    harmful = "@everyone @here <@&{role}> <@{person}> https://spy.example/ [look](https://spy.example/) discord.gg/spy"

    def __init__(self, discord: DiscordServer, folder: Path, *, is_direct: bool) -> None:
        self.model = _Unnaming()
        self._discord, self._folder, self._is_direct = discord, folder, is_direct
        self._begun: list[Thread] = []
        self._taken_back: set[str] = set()
        self._spoken: set[str] = set()  # by bots, this one included, as people would
        ids = {"role": discord.role("crew", mentionable=True), "person": discord.person("ada")}
        self.harmful = DiscordStage.harmful.format(**ids)

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        life = Life()
        self._discord.faults.disarm()
        # What a bot that is dead asks of Discord comes to nothing.
        self._discord.faults.arm("*", DropBefore(), times=None, when=lambda call: life.reaper.struck.is_set())
        async with life.lived(self._run(life)) as bot:
            yield bot

    @asynccontextmanager
    async def _run(self, life: Life) -> AsyncIterator[DiscordClew]:
        async with clew_on(
            self._discord,
            url=f"sqlite:///{self._folder / 'clew.db'}",
            model=self.model,
            wrap_all=lambda store: self._telling(life.over_store(store)),
            rhythm=RHYTHM,
            pace=SWIFT,
            drain=DRAIN,
            inline_limit=15_000_000,
        ) as clew:
            yield clew

    def _telling(self, store: Store) -> Store:
        """The store, so that one can wait until something was taken back; see `heard`."""

        async def withdraw(thread: Thread, message: MessageId) -> bool:
            try:
                return await store.withdraw(thread, message)
            finally:
                self._taken_back.add(message)
                self._discord.look_again()

        return interposed(store, withdraw=withdraw)

    # --- what happens -----------------------------------------------------------------------------

    async def says(
        self, text: str, *, thread: Thread | None = None, by: str = "ada", files: Sequence[Upload] = ()
    ) -> Post:
        sent = [self._discord.uploads(file.name, file.data, content_type=file.mime_type) for file in files]
        channel = self._place(by) if thread is None else thread.thread_id
        said = await self._discord.says(by, text, channel=channel, mention=thread is None, files=sent)
        return await self._taken_in(said, channel, thread)

    async def speaks(self, text: str, *, thread: Thread | None, itself: bool) -> Post:
        channel = self._place("ada") if thread is None else thread.thread_id
        who = self._discord.bot_user_id if itself else "robot"
        said = await self._discord.says(who, text, channel=channel, bot=True)
        self._spoken.add(said)
        return await self._taken_in(said, channel, thread)

    async def _taken_in(self, said: str, channel: str, thread: Thread | None) -> Post:
        if thread is None:
            installation = DIRECT if self._is_direct else self._discord.guild()
            thread = Thread(DISCORD, installation, channel, channel if self._is_direct else said)
        await self._heard_in(channel)
        if thread not in self._begun and not self._discord.message(said).author.is_bot:
            self._begun.append(thread)
            # Whoever goes on in a thread does so when there is one.
            await self._discord.until(lambda: thread.thread_id in self._discord.world.channels)
        return Post(thread, said)

    def _place(self, by: str) -> str:
        if not self._is_direct:
            return self._discord.channel("general")
        return self._discord.direct(f"{by}{len(self._begun) or ''}")

    async def repeats(self, post: Post) -> None:
        self._discord.world.witness.posted(self._discord.message(post.id))
        await self._heard_in(self._discord.message(post.id).channel_id)

    async def edits(self, post: Post, text: str) -> None:
        await self._discord.edits(post.id, text)
        await self._heard_in(self._discord.message(post.id).channel_id)

    async def deletes(self, post: Post) -> None:
        channel = self._discord.message(post.id).channel_id
        await self._discord.deletes(post.id)
        await self._heard_in(channel)

    async def gives(self, command: Command, thread: Thread) -> str:
        given = await self._discord.says("ada", command.value, channel=thread.thread_id, mention=not self._is_direct)

        def told() -> str | None:
            shown = self._discord.replies(thread.thread_id)
            return next((_large(one.text) for one in shown if one.reply_to == given), None)

        return await self._discord.until(told)

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        def read() -> list[str]:
            said = [_large(one.text) for one in self._discord.replies(thread.thread_id) if one.text.startswith(ASIDE)]
            return [words for words in said if words.startswith(beginning)]

        return await self._discord.until(read)

    # --- what is seen -----------------------------------------------------------------------------

    async def heard(self) -> None:
        for thread in self._begun:
            for channel in {thread.channel_id, thread.thread_id} & self._discord.world.channels.keys():
                await self._heard_in(channel)

    async def _heard_in(self, channel: str) -> None:
        """Wait until all that happened there was taken in, in the order in which it did.

        Discord wants no receipt of its events. So something is taken back that nobody ever said.
        """
        world = self._discord.world
        place = world.channels[channel]
        nothing = Message(world.ids.new(), place.id, place.guild_id, world.user("nobody"), "", world.clock.now())
        world.witness.deleted(nothing)
        await self._discord.until(lambda: nothing.id in self._taken_back)

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        def look() -> View | None:
            view = self._view(thread)
            return view if until(view) else None

        try:
            return await self._discord.until(look)
        except TimeoutError as error:
            raise TimeoutError(f"what is seen is {self._view(thread)}") from error

    def _view(self, thread: Thread) -> View:
        if thread.thread_id not in self._discord.world.channels:
            return View((), is_working=False)
        shown = [one for one in self._discord.replies(thread.thread_id) if not one.text.startswith(ASIDE)]
        answers = tuple(Seen(one.id, without_remarks(one.text)) for one in shown if one.text != WORKING)
        if shown and OVERFLOW_NAME in [file.name for file in shown[-1].files]:
            # What is too long for messages is read in the file under the last of them.
            answers = (Seen(shown[-1].id, without_remarks(shown[-1].files[0].data.decode())),)
        is_typing = self._discord.typing(thread.thread_id) is not None
        return View(answers, is_working=is_typing or any(map(_grows, shown)))

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        def saved() -> Sequence[bytes] | None:
            found = [file.data for one in self._discord.replies(thread.thread_id) for file in one.files]
            return found if len(found) >= number else None

        return await self._discord.until(saved)

    def harm(self) -> Sequence[str]:
        pings = [ping for ping in self._discord.pings_by_bot() if ping.message not in self._spoken]
        return [f"{ping.kind} {ping.whom}" for ping in pings] + [preview.url for preview in self._discord.previews]

    async def left_over(self) -> Sequence[str]:
        said = [one for one in self._discord.replies("general") if one.id not in self._spoken]
        stray = [f"in the channel: {one.text}" for one in said]
        stray += [f"to Ada alone: {one.text}" for one in self._discord.whispers("ada")]
        if not self._is_direct:
            stray += [f"to Ada directly: {one.text}" for one in self._discord.replies(self._discord.direct("ada"))]
        for thread in self._begun:
            stray += ["a sign of work"] if self._view(thread).is_working else []
            for one in self._discord.transcript(thread.thread_id):
                stray += [f"reaction {name}" for name in one.reactions]
        return stray


def _grows(shown: Shown) -> bool:
    return shown.text == WORKING or "Stop" in shown.buttons


def _large(small: str) -> str:
    return "\n".join(line.removeprefix(ASIDE) for line in small.splitlines())


@asynccontextmanager
async def discord_stage(folder: Path, *, is_direct: bool = False) -> AsyncIterator[DiscordStage]:
    """A server of its own; the bot's database lies in *folder*."""
    async with discord_server() as discord:
        yield DiscordStage(discord, folder, is_direct=is_direct)
