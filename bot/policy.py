"""Who may ask, and how much in a day. A bot open to the world is an open wallet."""

from dataclasses import dataclass

from bot.errors import CapReached
from bot.messages import Message, Refusal
from bot.ports import Claim


@dataclass(frozen=True, slots=True)
class Names:
    """A list of ids to allow and one to block. Allowing nobody in particular allows everybody."""

    allowed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()

    def admits(self, name: str) -> bool:
        return name not in self.blocked and (not self.allowed or name in self.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's rules. A cap of None is no cap."""

    installations: Names = Names()
    channels: Names = Names()
    people: Names = Names()
    daily_turns_per_person: int | None = None
    daily_turns: int | None = None

    def refusal(self, message: Message) -> Refusal | None:
        """Why a message must not be read; None when it may be."""
        if not self.installations.admits(message.thread.installation_id):
            return Refusal.INSTALLATION
        if not self.channels.admits(message.thread.channel_id):
            return Refusal.CHANNEL
        if not self.people.admits(message.author.id):
            return Refusal.PERSON
        return None

    def check_caps(self, claim: Claim) -> None:
        """Let a claimed turn pass, or raise CapReached."""
        if self.daily_turns_per_person is not None and claim.today_by_asker >= self.daily_turns_per_person:
            raise CapReached(self.daily_turns_per_person, personal=True)
        if self.daily_turns is not None and claim.today_in_all >= self.daily_turns:
            raise CapReached(self.daily_turns, personal=False)
