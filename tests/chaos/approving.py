"""What asks for approval in a thread of any platform, and how people press its buttons."""

import re
from contextlib import suppress
from dataclasses import dataclass

from adapters.discord.history import ASIDE
from adapters.slack.places import place_of
from tests.chaos.history_functions import CALL, Asking, Decision
from tests.chaos.place_discord import DiscordPlace
from tests.chaos.place_page import PagePlace
from tests.chaos.place_slack import SlackPlace
from tests.chaos.places import Place
from tests.support.people.slack import command_of

APPROVE, DECLINE = "Approve", "Decline"
ASKS = "May I do this?"
TOLD_WITHIN = 5.0  # seconds in which people look what a button does


@dataclass(frozen=True, slots=True)
class Press:
    """Who presses what."""

    asking: Asking
    by: str
    is_askers: bool
    approves: bool

    @property
    def label(self) -> str:
        return APPROVE if self.approves else DECLINE


def asking_in(place: Place) -> list[Asking]:
    """Everything that asks, or asked, for approval in a thread."""
    match place:
        case SlackPlace():
            return _asking_in_slack(place)
        case DiscordPlace():
            return _asking_in_discord(place)
        case PagePlace():
            turns = place.window.turns
            return [
                Asking(place.thread, turn.id, _calls_in(turn.asks), is_open=True, stays=False)
                for turn in turns
                if turn.asks and not turn.has_ended
            ]
        case _:
            raise ValueError(place)


async def press(place: Place, it: Press) -> Decision | None:
    """Press a button. None when it has gone before anybody could."""
    match place:
        case SlackPlace():
            return await _press_in_slack(place, it)
        case DiscordPlace():
            return await _press_in_discord(place, it)
        case PagePlace():
            return await _press_on_page(place, it)
        case _:
            raise ValueError(place)


def _decision(place: Place, it: Press) -> Decision:
    now = place.world.now
    return Decision(place.thread, it.asking.calls, it.by, it.is_askers, it.approves, now)


def _calls_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(CALL.findall(text)))


# --- Slack ----------------------------------------------------------------------------------------


def _asking_in_slack(place: SlackPlace) -> list[Asking]:
    shown = place.world.slack.replies(*place_of(place.thread))
    return [
        Asking(place.thread, one.ts, _calls_in(one.text), is_open=APPROVE in {button.text for button in one.buttons})
        for one in shown
        if str(command_of(one)).startswith("approval-")
    ]


async def _press_in_slack(place: SlackPlace, it: Press) -> Decision | None:
    slack = place.world.slack
    shown = next((one for one in slack.replies(*place_of(place.thread)) if one.ts == it.asking.id), None)
    buttons = [button for button in shown.buttons if button.text == it.label] if shown else []
    if not buttons:
        return None
    decision, since = _decision(place, it), slack.clock.now()
    feedback = await slack.clicks(buttons[0], by=it.by)
    decision.is_taken = feedback.error is None
    channel, thread_ts = place_of(place.thread)
    # Nothing tells which press a whisper is about, but it cannot be about one of the other button.
    words = SlackPlace.OF_DECISIONS - {"Declined." if it.approves else "Approved."}

    def told() -> str | None:
        alone = [one for one in slack.whispers(it.by, channel) if one.thread_ts == thread_ts]
        return next((one.text for one in alone if float(one.ts) >= since and one.text in words), None)

    if decision.is_taken:
        with suppress(TimeoutError):
            decision.told = await slack.until(told, within=TOLD_WITHIN)
    return decision


# --- Discord --------------------------------------------------------------------------------------


def _asking_in_discord(place: DiscordPlace) -> list[Asking]:
    here, discord = place.thread.thread_id, place.world.discord
    shown = discord.replies(here) if here in discord.world.channels else []
    return [
        Asking(place.thread, one.id, _calls_in(one.text), is_open=APPROVE in one.buttons)
        for one in shown
        if one.text.startswith(f"{ASIDE}{ASKS}")
    ]


async def _press_in_discord(place: DiscordPlace, it: Press) -> Decision | None:
    discord = place.world.discord
    try:
        button = discord.button(it.asking.id, it.label)
    except LookupError:
        return None
    decision = _decision(place, it)
    interaction = await discord.presses(it.by, button)
    decision.is_taken = interaction.is_acknowledged

    def told() -> str | None:
        shown = interaction.original
        is_said = interaction.is_acknowledged and shown is not None and not interaction.is_thinking
        return shown.content if is_said and shown is not None and shown is not interaction.source else None

    if decision.is_taken:
        with suppress(TimeoutError):
            decision.told = await discord.until(told, within=TOLD_WITHIN)
    return decision


# --- the page -------------------------------------------------------------------------------------


async def _press_on_page(place: PagePlace, it: Press) -> Decision | None:
    turn = next((turn for turn in place.window.turns if turn.id == it.asking.id), None)
    if turn is None or _calls_in(turn.asks) != it.asking.calls:
        return None
    decision = _decision(place, it)
    told = await place.tries(it.label.lower(), asked=turn.asked)
    decision.is_taken = told is not None
    decision.told = None if told is None else re.sub("<[^>]*>", "", told).strip()
    return decision
