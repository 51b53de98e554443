"""Who may ask, and how much in a day. A bot open to the world is an open wallet."""

from dataclasses import dataclass
from enum import StrEnum

from bot.errors import CapReached
from bot.messages import Message, Person, Refusal, Standing, Thread
from bot.ports import Claim, ThreadNote


class Follow(StrEnum):
    """Which threads are followed, so that messages in them need no mention."""

    SMART = "smart"  # those that hang from a message addressed to the bot
    ALWAYS = "always"  # those in which the bot was ever addressed
    MENTION = "mention"  # none


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
    follow: Follow = Follow.SMART
    guests: bool = False
    outsiders: bool = False
    private: bool = False
    private_channels: frozenset[str] = frozenset()

    def is_private(self, thread: Thread) -> bool:
        """Whether nothing of a thread is to be kept at Gemini."""
        return self.private or thread.channel_id in self.private_channels

    def refusal(self, message: Message) -> Refusal | None:
        """Why a message must not be read; None when it may be."""
        return self.refusal_of(message.thread, message.author)

    def refusal_of(self, thread: Thread, person: Person) -> Refusal | None:
        """Why somebody has no business with the bot in a thread; None when they may have."""
        if not self.installations.admits(thread.installation_id):
            return Refusal.INSTALLATION
        if not self.channels.admits(thread.channel_id):
            return Refusal.CHANNEL
        if not self.people.admits(person.id):
            return Refusal.PERSON
        return None if person.standing is None else self.refusal_of_standing(person.standing)

    def refusal_of_standing(self, standing: Standing) -> Refusal | None:
        """Why people of a standing are not served; None when they are."""
        if standing is Standing.GUEST and not self.guests:
            return Refusal.GUEST
        if standing is Standing.OUTSIDER and not self.outsiders:
            return Refusal.OUTSIDER
        return None

    def follows(self, thread: ThreadNote) -> bool:
        """Whether a message in a thread is meant for the bot although it names nobody."""
        if not thread.is_known or thread.is_quiet:
            return False
        return self.follow is Follow.ALWAYS or (self.follow is Follow.SMART and thread.is_ours)

    def check_caps(self, claim: Claim) -> None:
        """Let a claimed turn pass, or raise CapReached."""
        if self.daily_turns_per_person is not None and claim.today_by_asker >= self.daily_turns_per_person:
            raise CapReached(self.daily_turns_per_person, personal=True)
        if self.daily_turns is not None and claim.today_in_all >= self.daily_turns:
            raise CapReached(self.daily_turns, personal=False)
