"""How a setting's value may be spelt. Each function takes the text and gives the value.

A spelling that is wrong raises ValueError with the rest of a sentence that begins with the variable's name:
what was found, and what to give instead. Values that are values already, a setting's default or a test's, pass.
"""

import ipaddress
import math
import re
from collections.abc import Callable
from urllib.parse import urlsplit

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*\.?")


def found(text: object) -> str:
    """What was found, short enough for a sentence."""
    shown = repr(text)
    return shown if len(shown) <= 60 else f"{shown[:56]}...{shown[-1]}"


def number(
    wanted: str, *, most: float, least: float = -math.inf, above: float = -math.inf
) -> Callable[[object], float]:
    """A number; *wanted* names the range in words."""

    def read(text: object) -> float:
        try:
            value = float(str(text))
        except ValueError:
            value = math.nan
        # Not a number compares as false with everything, so it is refused here as well.
        if not (least <= value <= most and value > above):
            raise ValueError(f"is {found(text)}; give {wanted}")
        return value

    return read


def whole(wanted: str, *, least: int, most: int) -> Callable[[object], int]:
    """A whole number; *wanted* names the range in words."""

    def read(text: object) -> int:
        # int() takes 1_000 and digits of every script, which nobody means to write here.
        value = int(str(text)) if re.fullmatch(r"\d{1,12}", str(text), re.ASCII) else least - 1
        if not least <= value <= most:
            raise ValueError(f"is {found(text)}; give {wanted}")
        return value

    return read


port = whole("a port from 0 to 65535, where 0 takes any free one", least=0, most=65_535)


def cap(text: object) -> int | None:
    """A number of turns; 0 is no cap."""
    if text is None:
        return None
    return whole("a whole number of turns, or 0 for no cap", least=0, most=10**9)(text) or None


def days(text: object) -> int | None:
    """A number of days; 0 is for ever."""
    if text is None:
        return None
    return whole("a whole number of days, or 0 to keep for ever", least=0, most=36_500)(text) or None


def or_never(things: str, *, least: int) -> Callable[[object], int]:
    """A number of things; 0 is never."""
    wanted = f"a whole number of {things} from {least} to 1000000000, or 0 for never"

    def read(text: object) -> int:
        return 0 if str(text) == "0" else whole(wanted, least=least, most=10**9)(text)

    return read


def _either(yes: str, no: str) -> Callable[[object], bool]:
    def read(text: object) -> bool:
        spelt = str(text).lower()
        if spelt not in _TRUE | _FALSE:
            raise ValueError(f"is {found(text)}; give {yes} or {no}")
        return spelt in _TRUE

    return read


switch = _either("true", "false")
on_or_off = _either("on", "off")


def choice(*words: str) -> Callable[[object], str]:
    """One of a few words, in upper or lower case."""

    def read(text: object) -> str:
        spelt = str(text).lower()
        if spelt not in words:
            raise ValueError(f"is {found(text)}; give {', '.join(words[:-1])} or {words[-1]}")
        return spelt

    return read


def ids(text: object) -> frozenset[str]:
    """Ids with commas between them."""
    if isinstance(text, frozenset):
        return text
    listed = frozenset(filter(None, (name.strip() for name in str(text).split(","))))
    for name in listed:
        # A list with blanks or semicolons would be one id that admits nobody, or worse, blocks nobody.
        if re.search(r"[\s;]", name):
            raise ValueError(f"holds {found(name)}; put commas, and nothing else, between the ids")
    return listed


def channels(text: object) -> frozenset[str]:
    """Ids of channels with commas between them; a name, or a link, would be an id that no channel has."""
    listed = ids(text)
    for name in sorted(listed):
        if not is_channel(name):
            raise ValueError(
                f"holds {found(name)}, which is no channel's id; give ids such as C0123ABCD (Slack), "
                "123456789012345678 (Discord) or page"
            )
    return listed


def is_channel(name: str) -> bool:
    """Whether a channel may have this id: one of Slack's, of Discord's, or the page."""
    return re.fullmatch(r"[CDG][A-Z0-9]+|\d+|page", name, re.ASCII) is not None


def words(text: object) -> tuple[str, ...]:
    """Words with commas between them, in their order."""
    if isinstance(text, tuple):
        return text
    listed = tuple(filter(None, (name.strip() for name in str(text).split(","))))
    for name in listed:
        if re.search(r"[\s;]", name):
            raise ValueError(f"holds {found(name)}; put commas, and nothing else, between the names")
    return listed


def word(text: object) -> str:
    """A word without blanks."""
    if re.search(r"\s", str(text)):
        raise ValueError(f"is {found(text)}; give one word without blanks")
    return str(text)


def secret(*, least: int = 1) -> Callable[[object], object]:
    """A key or token. It is never shown, and judged only by what no header could carry."""

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("holds a blank, a line break or a character outside ASCII; copy it again, in one piece")
        if len(text) < least:
            raise ValueError(f"has {len(text)} characters; give at least {least}")
        return text

    return read


_SLACK_TOKENS = {
    "xoxb-": "a bot token, which belongs in SLACK_BOT_TOKEN",
    "xapp-": "an app-level token, which belongs in SLACK_APP_TOKEN",
    "xoxp-": "a user token, which Clew has no use for",
}


def slack_token(prefix: str) -> Callable[[object], object]:
    """A token of Slack's of the kind that begins with *prefix*; nothing else is judged by its looks."""
    is_sound = secret()

    def read(text: object) -> object:
        if not isinstance(is_sound(text), str) or str(text).startswith(prefix):
            return text
        for other, kind in _SLACK_TOKENS.items():
            if str(text).startswith(other):
                raise ValueError(f"holds {kind}; give the token that begins with {prefix}")
        raise ValueError(f"does not begin with {prefix}; copy the token again, in one piece")

    return read


def slack_api_url(text: object) -> str:
    """Where Slack's Web API is. The token travels with every call, so plain http is taken on loopback only."""
    return _address(text, schemes=("http", "https"), ending="/api/", example="https://slack.com/api/")


def discord_api_url(text: object) -> str:
    """Where Discord's REST API is; the token travels with every call, as with Slack's."""
    return _address(text, schemes=("http", "https"), ending="/api/v10", example="https://discord.com/api/v10")


def discord_gateway_url(text: object) -> str:
    """Where Discord's gateway is; the token is the first thing said there."""
    return _address(text, schemes=("ws", "wss"), ending="", example="wss://gateway.discord.gg/")


def _address(text: object, *, schemes: tuple[str, str], ending: str, example: str) -> str:
    """An address that a token is sent to; the first of the schemes, which hides nothing, on loopback only."""
    plain, safe = schemes
    try:
        url = urlsplit(str(text))
        _ = url.port
    except ValueError:
        raise ValueError(f"is not a URL; give one such as {example}") from None
    if "@" in url.netloc:
        raise ValueError("holds a user name or a password; give the address alone")
    if url.scheme not in schemes or not url.hostname or re.search(r"\s", str(text)):
        raise ValueError(f"is {found(text)}; give a URL such as {example}")
    if url.query or url.fragment or not url.path.endswith(ending):
        wanted = f"that ends in {ending}" if ending else "without a query"
        raise ValueError(f"is {found(text)}; give a URL {wanted}")
    if url.scheme == plain and not is_loopback(url.hostname):
        article = "an https" if safe == "https" else f"a {safe}"
        raise ValueError(f"is {found(text)}; give {article} address, since the token travels with every call")
    return str(text)


def file_hosts(text: object) -> frozenset[str]:
    """Hosts with commas between them, in lower case, some of them with a port: ``files.example`` or ``127.0.0.1:80``.

    Without a port a host stands for any port on loopback, and for the default port elsewhere.
    """
    if isinstance(text, frozenset):
        return text
    listed = frozenset(filter(None, (name.strip().lower() for name in str(text).split(","))))
    for name in listed:
        spelt, _, number = name.partition(":")
        is_port = re.fullmatch(r"[1-9]\d{0,4}", number, re.ASCII) and int(number) <= 65_535
        if not _HOST_NAME.fullmatch(spelt) or (":" in name and not is_port):
            raise ValueError(f"holds {found(name)}; give names like files.example.org, with commas between them")
    if not listed:
        raise ValueError("names no host; give names like files.example.org, with commas between them")
    return listed


def api_version(text: object) -> str:
    """A version as it stands in an API's path."""
    if not re.fullmatch(r"v\d+[a-z0-9]*", str(text)):
        raise ValueError(f"is {found(text)}; give a version such as v1 or v1beta")
    return str(text)


def base_url(text: object) -> str | None:
    """An endpoint's address, without a version and without a slash at its end.

    The key travels with every request, so plain http is taken on loopback only.
    """
    if text is None:
        return None
    try:
        url = urlsplit(str(text))
        _ = url.port
    except ValueError:
        raise ValueError("is not a URL; give one such as https://gateway.example") from None
    if "@" in url.netloc:
        raise ValueError("holds a user name or a password; put the key into GEMINI_API_KEY")
    if url.scheme not in {"http", "https"} or not url.hostname or re.search(r"\s", str(text)):
        raise ValueError(f"is {found(text)}; give a URL such as https://gateway.example")
    if url.query or url.fragment:
        raise ValueError("holds a ? or a #; give the address alone")
    version = next((part for part in url.path.split("/") if re.fullmatch(r"v\d+((alpha|beta)\d*)?", part)), None)
    if version:
        raise ValueError(f"ends in a version, {version!r}; leave that to GEMINI_API_VERSION")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError(f"is {found(text)}; give an https address, since the key travels with every request")
    return str(text).rstrip("/")


def database_url(text: object) -> str:
    """Where the database is. The URL may hold a password, so no more than its scheme is ever shown."""
    scheme, separator, rest = str(text).partition("://")
    if separator and scheme.split("+")[0] in {"postgres", "postgresql"}:
        raise ValueError("names a PostgreSQL database, which a later version can use; give sqlite:///clew.db")
    if not separator or scheme != "sqlite":
        shown = f"begins with {found(scheme)}" if separator else "has no scheme"
        raise ValueError(f"{shown}; give sqlite:///relative/path or sqlite:////absolute/path")
    if not rest.startswith("/"):
        raise ValueError("has too few slashes; give sqlite:///relative/path or sqlite:////absolute/path")
    path = rest[1:]
    if not path.strip("/") or path == ":memory:" or path.endswith("/"):
        raise ValueError("names no file; give sqlite:///relative/path or sqlite:////absolute/path")
    if "?" in path or "#" in path:
        raise ValueError("holds a ? or a #; give the path alone")
    return str(text)


def host(text: object) -> str:
    """An address or a name to listen on."""
    spelt = str(text).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(spelt)
    except ValueError:
        # What looks like an address and is none would be asked of the name server.
        if not _HOST_NAME.fullmatch(spelt) or re.fullmatch(r"[\d.]+", spelt):
            raise ValueError(
                f"is {found(text)}; give an address such as 127.0.0.1 or 0.0.0.0, without a port"
            ) from None
    return spelt


def is_loopback(name: str) -> bool:
    """Whether only this machine can reach *name*."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"
