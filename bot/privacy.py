"""What is stored where and for how long, in words for the people of a thread."""

from collections.abc import Iterator

from bot.messages import Platform, Thread
from bot.policy import Policy
from bot.tools import NEED_STORAGE, NO_TOOLS, Toolbox, words_for

_TIERS = {
    "paid": "for 55 days",
    "free": "for one day, since its key is a free one",
    None: "for 55 days with a paid key, for one day with a free one; which this is, the operator has not said",
}
_USES = {
    "free": "With a free key, Google may use what is sent to improve its products.",
    None: "If the key is a free one, Google may use what is sent to improve its products.",
}


class Privacy:
    """Says what is kept of a thread.

    Args:
        policy: knows which threads are private.
        tier: of the key, ``free`` or ``paid``; None when the operator has not said.
        retention_days: after how many days a thread is forgotten by itself; None for never.
        is_offline: the built-in offline model answers, and nothing goes to Google.
        keeps_text: the platforms whose text is kept here until it is forgotten.
        toolbox: knows which tools are offered.
        has_research: an agent researches where that is asked for.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        tier: str | None,
        retention_days: int | None,
        is_offline: bool,
        keeps_text: frozenset[Platform],
        toolbox: Toolbox = NO_TOOLS,
        has_research: bool = False,
    ) -> None:
        self._has_research = has_research
        self._policy, self._tier, self._retention_days = policy, tier, retention_days
        self._is_offline, self._keeps_text, self._toolbox = is_offline, keeps_text, toolbox

    def words(self, thread: Thread) -> str:
        """What is kept of a thread, where and for how long. Markdown."""
        is_private = self._policy.is_private(thread)
        told = [
            self._at_the_model(is_private=is_private),
            *self._of_tools(thread, is_private=is_private),
            *self._of_research(is_private=is_private),
            self._here(is_private=is_private, keeps_text=thread.platform in self._keeps_text),
            self._in_time(),
            "`reset` lets me begin afresh and removes the text kept here; at Gemini it deletes nothing.",
            "`forget` deletes every exchange and file of this thread at Gemini and all of it here, "
            "and says what could not be deleted. The ids of messages stay here, so that none is answered twice, and "
            "for 400 days how many answers and tokens each person took in a day.",
        ]
        if thread.platform not in self._keeps_text:
            told.append("What stands in this thread itself is yours to delete.")
        return "**What is kept of this thread**\n\n" + "\n".join(f"- {line}" for line in told)

    def _at_the_model(self, *, is_private: bool) -> str:
        if self._is_offline:
            keeps = "nothing" if is_private else "each exchange for 55 days"
            return (
                f"The built-in offline model answers here, and nothing goes to Google. It keeps {keeps}, on my machine."
            )
        if is_private:
            keeps = (
                "This thread is private: Gemini answers, and keeps nothing of it. If it was not private before, "
                "what was said in it then is kept there until it expires or is forgotten."
            )
        else:
            keeps = (
                f"Gemini keeps each exchange, what is said to me and what I answer, {_TIERS[self._tier]}. "
                "Large files and videos stay there for 48 hours."
            )
        return " ".join(filter(None, (keeps, _USES.get(self._tier))))

    def _of_tools(self, thread: Thread, *, is_private: bool) -> Iterator[str]:
        """What is used here beside the model, and what that keeps for itself."""
        every = self._toolbox.of_channel(thread.channel_id)
        tools = self._toolbox.offered_in(thread, is_private=is_private)
        if self._is_offline or not every:
            return
        told = [f"Gemini may use here: {words_for(tools)}." if tools else "Gemini uses no tools here."]
        kept = dict.fromkeys(kind for tool in tools if (kind := str(tool.get("type"))) in NEED_STORAGE)
        told += [f"{NEED_STORAGE[kind]}, and neither `reset` nor `forget` changes that." for kind in kept]
        if left_out := [tool for tool in every if tool not in tools]:
            told.append(f"Because this thread is private, it does without {words_for(left_out)}.")
        yield " ".join(told)

    def _of_research(self, *, is_private: bool) -> Iterator[str]:
        if self._has_research and not self._is_offline and not is_private:
            yield (
                "Research, which only `research:` asks for, is told what was said in this thread and searches the web: "
                f"{NEED_STORAGE['google_search']}. `forget` deletes the report there, not what was searched for."
            )

    def _here(self, *, is_private: bool, keeps_text: bool) -> str:
        if keeps_text:
            return "I keep the text and the files of this thread until it is reset or forgotten."
        if is_private:
            return "I keep what was said until this thread is reset or forgotten, to tell Gemini with each question."
        return "I keep the text of a message only until it is answered; then its id, its author and numbers."

    def _in_time(self) -> str:
        if not self._retention_days:
            return "Nothing is forgotten by itself here: I keep what I keep until somebody asks me to forget it."
        days = "a day" if self._retention_days == 1 else f"{self._retention_days} days"
        return f"A thread in which nothing happens for {days} is forgotten by itself, here and at Gemini."
