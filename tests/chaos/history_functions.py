"""What happened in a run around functions: who was asked, what they decided, what was done, what Gemini was told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.messages import Thread

CALL = re.compile(r"call-\d+-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Call:
    """A call the model made; its id is found nowhere else in a run.

    Attributes:
        tags: of the question that it was made for.
        interaction: that made it.
    """

    id: str
    function: str
    tags: tuple[str, ...]
    interaction: str


@dataclass(frozen=True, slots=True)
class Mark:
    """That something which needs approval was done."""

    call: str
    at: float


@dataclass(frozen=True, slots=True)
class Asking:
    """A post that asks for approval, as it stands.

    Attributes:
        calls: that it names.
        is_open: it can be approved of or declined.
        stays: it can be seen once it is decided, so that somebody could count how often it was asked.
    """

    thread: Thread
    id: str
    calls: tuple[str, ...]
    is_open: bool
    stays: bool = True


@dataclass(slots=True)
class Decision:
    """Somebody's press on Approve or Decline.

    Attributes:
        calls: that the post named under which they pressed.
        is_askers: it was the person who had asked.
        told: what they were told about it.
        is_taken: the platform heard that it was taken in.
    """

    thread: Thread
    calls: tuple[str, ...]
    by: str
    is_askers: bool
    approves: bool
    at: float
    told: str | None = None
    is_taken: bool = True


@dataclass(frozen=True, slots=True)
class Functions:
    """All of it.

    Attributes:
        told: for each request that results were told in, groups of them: the results of one round, by call.
    """

    calls: Mapping[str, Call] = field(default_factory=dict)
    marks: Sequence[Mark] = ()
    asking: Sequence[Asking] = ()
    decisions: Sequence[Decision] = ()
    told: Sequence[Sequence[Mapping[str, str]]] = ()
