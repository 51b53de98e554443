import pytest

from bot import errors
from bot.errors import AttachmentTooLarge, AttachmentUnreadable, AttachmentUnsupported
from bot.messages import Refusal
from bot.notices import notice_for, remark_for

GENERAL = notice_for(Exception("anything"))

TOLD = [
    errors.ModelUnavailable("503"),
    errors.ModelBusy("429"),
    errors.ModelBusy("429", retry_after=90.0),
    errors.ModelBusy("429", retry_after=7200.0),
    errors.QuotaExhausted("daily"),
    errors.KeyRejected("401"),
    errors.PaymentRequired("402"),
    errors.ModelUnknown("gemini-99"),
    errors.QuestionRejected("invalid_request", chained=True),
    errors.QuestionRejected("invalid_request", chained=False),
    errors.AnswerBroken("cut"),
    errors.AnswerBlocked("safety"),
    errors.AnswerEmpty("nothing"),
    errors.NothingAsked(),
    errors.TooManyAttempts("5"),
    errors.CapReached(1, personal=True),
    errors.CapReached(20, personal=False),
    errors.AgentUnknown("researcher"),
    errors.NoResearch(private=True),
    errors.NoResearch(private=False),
    errors.ResearchSpent(5),
    errors.ResearchFailed("failed"),
    errors.ResearchTooLong(3600.0),
    errors.ResearchUncertain("cut"),
    *(errors.NotAllowed(refusal) for refusal in Refusal),
]


@pytest.mark.parametrize("error", TOLD, ids=repr)
def test_every_failure_has_words_of_its_own_that_say_what_to_do(error: Exception) -> None:
    words = notice_for(error)

    assert words != GENERAL
    assert words.endswith((".", "?"))
    assert str(error) not in words or not str(error)  # what happened inside is for the log


def test_the_general_words_tell_nothing_of_what_happened_inside() -> None:
    assert "secret" not in notice_for(RuntimeError("secret"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AttachmentTooLarge("film.mov", limit=15_000_000), "15 MB"),
        (AttachmentUnsupported("sheet.xlsx", mime_type="application/zip"), "application/zip"),
        (AttachmentUnsupported("Call.ULAW", mime_type="application/octet-stream"), "WAV"),
        (AttachmentUnreadable("note.txt"), "attach it again"),
    ],
)
def test_a_file_left_out_is_named_with_the_reason(error: errors.AttachmentError, words: str) -> None:
    assert f"`{error.name}`" in remark_for(error)
    assert words in remark_for(error)
