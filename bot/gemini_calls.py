"""How a call of Gemini's APIs can fail, before it is known what that means."""

from bot.model_errors import Failure


class CallFailed(Exception):
    """Gemini answered a call with an error."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class NoConnection(Exception):
    """A call did not reach Gemini, or what it answered did not arrive."""

    def __init__(self, reason: str, *, was_sent: bool = True) -> None:
        super().__init__(reason)
        self.was_sent = was_sent  # it may have arrived there
