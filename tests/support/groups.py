"""Errors as task groups raise them: wrapped, once for each group on the way."""


def only_error(error: BaseException) -> BaseException:
    """The one error in however many groups. Raises ValueError when there are several."""
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error
