"""The seams: what the core needs of a platform, a database and a model, in its own words."""

from bot.ports.model import Model
from bot.ports.platform import Adapter, Reply
from bot.ports.store import (
    CatchUpStore,
    Claim,
    ControlStore,
    MessageStore,
    Parcel,
    Place,
    PlacingStore,
    Retried,
    Store,
    ThreadNote,
    ThreadSummary,
    TranscriptStore,
    TurnStore,
    Unconfirmed,
)

__all__ = [
    "Adapter",
    "CatchUpStore",
    "Claim",
    "ControlStore",
    "MessageStore",
    "Model",
    "Parcel",
    "Place",
    "PlacingStore",
    "Reply",
    "Retried",
    "Store",
    "ThreadNote",
    "ThreadSummary",
    "TranscriptStore",
    "TurnStore",
    "Unconfirmed",
]
