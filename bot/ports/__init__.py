"""The seams: what the core needs of a platform, a database and a model, in its own words."""

from bot.ports.approvals import Approval, ApprovalStore, Decided
from bot.ports.books import Booked, BookStore, Pointed, Spent
from bot.ports.catching_up import CatchUpStore, Parcel, Place, PlacingStore
from bot.ports.chains import Chain, ChainStore, Growth
from bot.ports.forgetting import ForgettingStore, Forgotten, Undeleted
from bot.ports.model import Keeper, Model
from bot.ports.platform import Adapter, Reply
from bot.ports.runs import Run, RunStore
from bot.ports.store import (
    Claim,
    ControlStore,
    MessageStore,
    Retried,
    Store,
    ThreadNote,
    ThreadSummary,
    TranscriptStore,
    TurnStore,
    Unconfirmed,
)
from bot.ports.uploads import FileShelf, FileState, GeminiFile, Upload, UploadStore

__all__ = [
    "Adapter",
    "Approval",
    "ApprovalStore",
    "BookStore",
    "Booked",
    "CatchUpStore",
    "Chain",
    "ChainStore",
    "Claim",
    "ControlStore",
    "Decided",
    "FileShelf",
    "FileState",
    "ForgettingStore",
    "Forgotten",
    "GeminiFile",
    "Growth",
    "Keeper",
    "MessageStore",
    "Model",
    "Parcel",
    "Place",
    "PlacingStore",
    "Pointed",
    "Reply",
    "Retried",
    "Run",
    "RunStore",
    "Spent",
    "Store",
    "ThreadNote",
    "ThreadSummary",
    "TranscriptStore",
    "TurnStore",
    "Unconfirmed",
    "Undeleted",
    "Upload",
    "UploadStore",
]
