"""A stand-in for Gemini: the Interactions API on loopback, for a bot without a key and for tests."""

from bot.offline.acting import Act, Acting
from bot.offline.arming import Faults
from bot.offline.brain import Brain
from bot.offline.conversation import Attached, Conversation, Utterance
from bot.offline.faults import (
    Afterwards,
    Call,
    CitationFault,
    ContinuationFault,
    CutFault,
    DropFault,
    EmptyFault,
    ErrorEventFault,
    Fault,
    FinalStatusFault,
    ForgetFault,
    FunctionCallFault,
    ImageFault,
    InProgressFault,
    PingFault,
    ResetFault,
    SlowFault,
    StallAt,
    StallFault,
    StatusFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
    UploadFault,
)
from bot.offline.requests import Received
from bot.offline.server import OfflineModel, offline_model
from bot.offline.wire import ErrorShape

__all__ = [
    "Act",
    "Acting",
    "Afterwards",
    "Attached",
    "Brain",
    "Call",
    "CitationFault",
    "ContinuationFault",
    "Conversation",
    "CutFault",
    "DropFault",
    "EmptyFault",
    "ErrorEventFault",
    "ErrorShape",
    "Fault",
    "Faults",
    "FinalStatusFault",
    "ForgetFault",
    "FunctionCallFault",
    "ImageFault",
    "InProgressFault",
    "OfflineModel",
    "PingFault",
    "Received",
    "ResetFault",
    "SlowFault",
    "StallAt",
    "StallFault",
    "StatusFault",
    "ThoughtFault",
    "UndecodableFault",
    "UnknownFault",
    "UploadFault",
    "Utterance",
    "offline_model",
]
