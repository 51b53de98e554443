"""The wire format of the Interactions API: a question, and what goes before it, into the body of a request. Pure."""

import base64
import json

from bot.answers import After, Content, Media, ModelStep, Question, Text, UserStep
from bot.calls import Results


def inline_bytes(question: Question | Results, after: After) -> int:
    """How many bytes of files would have to be turned into base64, and of earlier steps be read."""
    steps = after if isinstance(after, tuple) else ()
    told = [content for step in steps if isinstance(step, UserStep) for content in step.content]
    files = sum(len(content.data or b"") for content in (*told, *_contents(question)) if isinstance(content, Media))
    return files + sum(len(step.json) for step in steps if isinstance(step, ModelStep))


def question_body(question: Question | Results, after: After) -> dict[str, object]:
    """The part of a create request that differs from one question to the next."""
    asked = [one.step() for one in question.results] if isinstance(question, Results) else [_user_step(question)]
    if isinstance(after, tuple):
        return {"input": [*(_step(step) for step in after), *asked]}
    body: dict[str, object] = {"input": asked}
    if after is not None:
        body["previous_interaction_id"] = after
    return body


def _contents(question: Question | Results) -> Question:
    return () if isinstance(question, Results) else question


def _step(step: UserStep | ModelStep) -> object:
    return _user_step(step.content) if isinstance(step, UserStep) else json.loads(step.json)


def _user_step(question: Question) -> dict[str, object]:
    return {"type": "user_input", "content": [_content(content) for content in question]}


def _content(content: Content) -> dict[str, object]:
    if isinstance(content, Text):
        return {"type": "text", "text": content.text}
    if content.data is not None:
        # As text: bytes are not turned into base64 by the SDK, but sent as they are or refused.
        source = {"data": base64.b64encode(content.data).decode("ascii")}
    else:
        source = {"uri": content.uri or ""}
    if content.mime_type:  # a film on YouTube has none
        source["mime_type"] = content.mime_type
    return {"type": content.kind.value, **source}
