"""What the offline model does before it answers, or instead of it: it uses a tool, or calls for functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.offline.calling import called_for
from bot.offline.conversation import Conversation
from bot.offline.orders import Order
from bot.offline.toolbox import UNUSED, Use, use_of
from bot.offline.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Act:
    """What was done."""

    used: Use = UNUSED
    called: Sequence[JsonObject] = ()  # steps; with any of them there is no answer yet


Acting = Callable[[Conversation, Order, str], Act]
"""From a conversation, the order it is to be answered by, and a token that is new each time."""


def act(conversation: Conversation, order: Order, token: str) -> Act:
    """The default: what the question asks for in so many words."""
    question = conversation.question
    if not question.by_person:
        return Act()
    return Act(use_of(question.text, order.tools), called_for(question, order.functions, token))
