"""People on a server of Discord: in a channel, whose questions have threads of their own, or directly."""

from collections.abc import Callable, Sequence

from adapters.discord.faces import is_sign
from adapters.discord.format import OVERFLOW_NAME
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from bot.commands import Command
from bot.messages import Thread
from tests.support.discord import DiscordServer, Shown
from tests.support.people.seen import WITHIN, Post, Seen, Upload, View, looked, without_remarks


class DiscordPeople:
    """A server with one channel. Directly, whoever begins another thread has to be somebody else."""

    def __init__(self, discord: DiscordServer, *, is_direct: bool = False) -> None:
        self.discord, self._is_direct = discord, is_direct
        self.begun: list[Thread] = []
        self.spoken: set[str] = set()  # by bots, the one looked at included, as people would

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "DISCORD_FILE_HOSTS": "127.0.0.1",
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
        sent = [self.discord.uploads(file.name, file.data, content_type=file.mime_type) for file in files]
        if thread is not None:
            await self._opened(thread)
        place = self.place(by, channel) if thread is None else thread.thread_id
        said = await self.discord.says(by, text, channel=place, mention=thread is None, files=sent)
        return self.noted(said, place, thread)

    def noted(self, said: str, channel: str, thread: Thread | None) -> Post:
        """A message that stands there, and the thread it belongs to or begins."""
        if thread is None:
            installation = DIRECT if self._is_direct else self.discord.guild()
            thread = Thread(DISCORD, installation, channel, channel if self._is_direct else said)
        if thread not in self.begun and not self.discord.message(said).author.is_bot:
            self.begun.append(thread)
        return Post(thread, said)

    def place(self, by: str, channel: str = "general") -> str:
        """The id of the channel where somebody begins a thread."""
        if not self._is_direct:
            return self.discord.channel(channel)
        return self.discord.direct(f"{by}{len(self.begun) or ''}")

    async def _opened(self, thread: Thread) -> None:
        await self.discord.until(lambda: thread.thread_id in self.discord.world.channels or None, within=WITHIN)

    async def edits(self, post: Post, text: str) -> None:
        await self.discord.edits(post.id, text)

    async def deletes(self, post: Post) -> None:
        await self.discord.deletes(post.id)

    async def gives(self, command: Command, thread: Thread) -> str:
        await self._opened(thread)
        given = await self.discord.says("ada", command.value, channel=thread.thread_id, mention=not self._is_direct)

        def told() -> str | None:
            shown = self.discord.replies(thread.thread_id)
            return next((_large(one.text) for one in shown if one.reply_to == given), None)

        return await self.discord.until(told, within=WITHIN)

    async def is_told(self, command: Command, thread: Thread, *, by: str = "ada") -> str:
        await self._opened(thread)
        before = len(self.discord.whispers(by))
        await self.discord.uses(by, command.value, in_=thread.thread_id)

        def told() -> str | None:
            shown = self.discord.whispers(by)[before:]
            return "\n".join(one.text for one in shown) if shown and not any(one.is_loading for one in shown) else None

        return await self.discord.until(told, within=WITHIN)

    async def presses(self, label: str, thread: Thread) -> None:
        await self._opened(thread)

        def found() -> Shown | None:
            return next((one for one in reversed(self.discord.replies(thread.thread_id)) if label in one.buttons), None)

        shown = await self.discord.until(found, within=WITHIN)
        await self.discord.presses("ada", self.discord.button(shown.id, label))

    async def asked(self, thread: Thread, *, number: int = 1) -> int:
        await self._opened(thread)

        def asking() -> bool:
            return sum("Approve" in one.buttons for one in self.discord.replies(thread.thread_id)) == number

        await self.discord.until(asking, within=WITHIN)
        return number

    async def reads(self, thread: Thread, beginning: str) -> Sequence[str]:
        def read() -> list[str]:
            said = [_large(one.text) for one in self.discord.replies(thread.thread_id) if one.text.startswith(ASIDE)]
            return [words for words in said if words.startswith(beginning)]

        return await self.discord.until(read, within=WITHIN)

    # --- what is seen -----------------------------------------------------------------------------

    async def looks(self, thread: Thread, until: Callable[[View], bool] = lambda view: True) -> View:
        return await looked(self.discord, lambda: self.view(thread), until)

    def view(self, thread: Thread) -> View:
        if thread.thread_id not in self.discord.world.channels:
            return View((), is_working=False)
        replies = self.discord.replies(thread.thread_id)
        shown = [one for one in replies if is_sign(one.text) or not one.text.startswith(ASIDE)]
        answers = tuple(Seen(one.id, without_remarks(one.text)) for one in shown if not is_sign(one.text))
        if shown and OVERFLOW_NAME in [file.name for file in shown[-1].files]:
            # What is too long for messages is read in the file under the last of them.
            answers = (Seen(shown[-1].id, without_remarks(shown[-1].files[0].data.decode())),)
        is_typing = self.discord.typing(thread.thread_id) is not None
        return View(answers, is_working=is_typing or any(map(_grows, shown)))

    async def watches(self, thread: Thread, until: Callable[[str], bool]) -> str:
        await self._opened(thread)

        def watched() -> str | None:
            words = next((one.text for one in self.discord.replies(thread.thread_id) if is_sign(one.text)), "")
            return words or " " if until(words) else None

        return (await self.discord.until(watched, within=WITHIN)).strip()

    async def saves(self, thread: Thread, number: int) -> Sequence[bytes]:
        await self._opened(thread)

        def saved() -> Sequence[bytes] | None:
            found = [file.data for one in self.discord.replies(thread.thread_id) for file in one.files]
            return found if len(found) >= number else None

        return await self.discord.until(saved, within=WITHIN)

    def harm(self) -> Sequence[str]:
        pings = [ping for ping in self.discord.pings_by_bot() if ping.message not in self.spoken]
        return [f"{ping.kind} {ping.whom}" for ping in pings] + [preview.url for preview in self.discord.previews]


def _grows(shown: Shown) -> bool:
    return is_sign(shown.text) or "Stop" in shown.buttons


def _large(small: str) -> str:
    return "\n".join(line.removeprefix(ASIDE) for line in small.splitlines())
