"""The command line as people type it, and what it prints. Pure: what is done stands in `bot.__main__`."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot import __version__
from bot.config import Settings
from bot.errors import StartError
from bot.messages import Thread
from bot.ports import Pointed
from bot.tools import names_of

MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed, and how to end with a word about it."""

    command: str  # run, check, health, thread, usage, slack manifest, discord invite
    parser: argparse.ArgumentParser
    link: str = ""
    days: int = 0
    http: str | None = None
    client_id: str | None = None


def read_arguments(arguments: Sequence[str] | None) -> Given:
    """Read what was typed; None for what stands on the command line. Ends the process when it is not understood."""
    parser = argparse.ArgumentParser(
        prog="clew", description="Gemini in Slack and Discord threads, keeping the place of every conversation."
    )
    parser.add_argument("--version", action="version", version=f"clew {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="start the bot (the default)")
    commands.add_parser("check", help="read the settings, say what would run, and change nothing")
    commands.add_parser("health", help="ask the running bot how it is; exit 0 when it is well")
    thread = commands.add_parser("thread", help="show a thread's turns as Gemini holds them, also beside a running bot")
    thread.add_argument("link", metavar="LINK", help="to a message in Slack or Discord, to a thread, or a thread's key")
    usage = commands.add_parser("usage", help="show what answers took and what that costs, by day, model and person")
    usage.add_argument("--days", type=_days, default=30, metavar="N", help="how many days, today included (30)")
    slack = commands.add_parser("slack", help="set Slack up").add_subparsers(dest="step", metavar="STEP", required=True)
    manifest = slack.add_parser("manifest", help="print the app's manifest, and a link that creates the app from it")
    manifest.add_argument("--http", metavar="URL", help="take events over HTTP at this address, not by Socket Mode")
    discord = commands.add_parser("discord", help="set Discord up")
    discord_steps = discord.add_subparsers(dest="step", metavar="STEP", required=True)
    invite = discord_steps.add_parser("invite", help="print the link that puts the bot into a server")
    invite.add_argument("--client-id", metavar="ID", help="the application's id; without it DISCORD_TOKEN is asked")
    given = parser.parse_args(arguments)
    match given.command:
        case "thread":
            return Given("thread", thread, link=given.link)
        case "usage":
            return Given("usage", usage, days=given.days)
        case "slack":
            return Given("slack manifest", manifest, http=given.http)
        case "discord":
            return Given("discord invite", invite, client_id=given.client_id)
        case name:
            return Given(name or "run", parser)


def pointed_by(typed: str, links: Iterable[Callable[[str], Pointed | None]]) -> Pointed | Thread:
    """What somebody means by a link or by the key of a thread.

    Args:
        links: what reads the links of each platform, and gives None for another's.

    Raises:
        StartError: it is neither; the text is a sentence for the person at the terminal.
    """
    for read in links:
        if (pointed := read(typed)) is not None:
            return pointed
    try:
        return Thread.from_key(typed.strip())
    except ValueError:
        raise StartError(
            f"{typed!r} leads to no thread: give a link to a message in Slack or Discord, the address of a thread of "
            "the page, or a key such as slack:T1:C1:1700000000.000100 from the log."
        ) from None


def outlook(settings: Settings, *, address: str | None = None) -> Iterator[str]:
    """What runs, what does not, and which variable would change that.

    Args:
        address: of the page; None when nothing has been started.
    """
    web, gemini = settings.web, settings.gemini
    page = address or f"http://{web.host}:{web.port or '(any free port)'}"
    connects = "set up" if address is None else "connecting"
    yield f"Clew {__version__}"
    yield f"  page      {page}" if web.enabled else "  page      off; WEB_ENABLED=true turns it on"
    yield (
        f"  model     {gemini.model} at Gemini"
        if gemini.api_key
        else "  model     the built-in offline model; GEMINI_API_KEY turns Gemini on"
    )
    yield from _tools(settings)
    yield f"  database  {settings.database.path}"
    yield (
        f"  Slack     {connects}"
        if settings.slack.is_set
        else "  Slack     off; SLACK_BOT_TOKEN and SLACK_APP_TOKEN turn it on, and docs/slack.md says how"
    )
    yield (
        f"  Discord   {connects}"
        if settings.discord.is_set
        else "  Discord   off; DISCORD_TOKEN turns it on, and docs/discord.md says how"
    )
    if not any(getattr(settings.bot, name) for name in ("daily_turns_per_person", "daily_turns")):
        yield "  no daily cap: CLEW_DAILY_TURNS and CLEW_DAILY_TURNS_PER_PERSON set one"


def _tools(settings: Settings) -> Iterator[str]:
    """What is offered where."""
    toolbox = settings.toolbox
    yield f"  tools     {', '.join(names_of(toolbox.everywhere)) or 'none; CLEW_TOOLS offers some'}"
    for channel in sorted({*toolbox.channels, *toolbox.search_channels}):
        yield f"            in {channel}: {', '.join(names_of(toolbox.of_channel(channel)))}"


def _days(typed: str) -> int:
    days = int(typed) if typed.isascii() and typed.isdigit() else 0
    if not 1 <= days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a number of days between 1 and {MOST_DAYS}")
    return days
