"""From which hosts a platform's files may be fetched."""

from collections.abc import Collection
from urllib.parse import urlsplit

from yarl import URL

from bot.spellings import is_loopback


def is_allowed(url: URL, hosts: Collection[str]) -> bool:
    """Whether a file may be fetched from there, with whatever secret goes along.

    The host has to be one of *hosts*, whole. One without a port stands for any port on loopback and for the default
    one elsewhere. Plain http is taken on loopback only.
    """
    host = (url.raw_host or "").lower()
    is_local = is_loopback(host)
    if url.scheme not in ({"http", "https"} if is_local else {"https"}) or url.raw_user or url.raw_password:
        return False
    for name, port in map(_host_and_port, hosts):
        if name == host and (url.port == port or (port is None and (is_local or url.is_default_port()))):
            return True
    return False


def _host_and_port(entry: str) -> tuple[str | None, int | None]:
    """What an entry of the list of hosts names; no host when it is not one."""
    try:
        named = urlsplit(f"//{entry}")
        return named.hostname or None, named.port
    except ValueError:
        return None, None
