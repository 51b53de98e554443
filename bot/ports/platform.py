"""What the core needs of a platform."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.answers import Draft, Ending
from bot.messages import Attachment, Message, MessageId, Person, Platform, Said, Standing, Thread, Turn
from bot.ports.approvals import Approval


class Reply(Protocol):
    """A place in the thread that grows."""

    def changed(self) -> None:
        """The draft has more. Returns at once; the platform's pace decides when it is shown."""
        ...

    async def end(self, ending: Ending) -> None:
        """Make the thread show how the turn ended, and return when it stands there.

        Raises:
            StaleTurn: the thread was reset meanwhile and the post refused.
        """
        ...


class Adapter(Protocol):
    """A platform, as far as the core needs one."""

    @property
    def platform(self) -> Platform: ...

    def reply(self, turn: Turn, draft: Draft) -> AbstractAsyncContextManager[Reply]:
        """Open the reply to a turn, adopting what an earlier attempt put in the thread.

        While it is open the thread shows that work goes on; leaving it ends that sign, whatever happened.
        """
        ...

    def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        """Stream an attachment's bytes, in pieces of a size of the adapter's choosing.

        Raises:
            AttachmentUnreadable: the platform does not hand it out.
        """
        ...

    async def history(self, thread: Thread, *, before: MessageId, since: float | None) -> Sequence[Said]:
        """What was said in the thread before a message, and after *since* (seconds since the epoch), oldest first.

        As much of the newest of it as the adapter sees fit; without its signs of work, unfinished replies included.
        """
        ...

    async def read(self, message: Message) -> Message:
        """A message whose text was blanked since, with text and attachments as its platform has them now.

        Raises:
            MessageGone: it was deleted there.
        """
        ...

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool]
    ) -> Sequence[Said]:
        """What was said in the thread, or in the message, that a link leads to, oldest first, for somebody who asks in
        a thread: only in the same installation, and only what they are seen to be allowed to read there.

        Args:
            link: anything at all.
            permits: whether the policy lets a thread be read.

        Raises:
            LinkRefused: it leads elsewhere, they may not read it, or whether they may cannot be told.
            MessageGone, PlatformError: as `history` and `read` do.
        """
        ...

    async def standing(self, thread: Thread, person: Person) -> Standing:
        """What somebody is to the installation, looked up when it is not known yet."""
        ...

    async def catch_up(self, thread: Thread) -> None:
        """Hand everything to the inbox that was said in the thread and not told: by events that were lost, or while
        nobody listened. It returns when that is done, at once where nothing can have been missed, and also where the
        platform will never tell. Raises nothing that waiting mends: then it goes on waiting.
        """
        ...

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Ask whoever asks, once, whether something may be done: *words* (Markdown) in the turn's thread, with the
        buttons Approve and Decline under them. What an earlier attempt posted is found and left as it stands.
        """
        ...

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Let what was asked show what was decided, and no buttons; nothing where it was never asked."""
        ...

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Say, once, in a thread or to the person alone, what became of the command that a message was. Markdown."""
        ...
