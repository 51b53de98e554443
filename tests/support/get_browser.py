"""Prints the path of a Chromium for the tests to drive, getting one first when there is none.

Run by `make test`. The first of these that works is taken: the browser $CLEW_TEST_BROWSER names, the system's
Chromium, the one Playwright has already fetched, one that Playwright can fetch, one that Debian's packages bring.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from playwright.sync_api import sync_playwright

SYSTEM = Path("/usr/bin/chromium")


class NoBrowser(Exception):
    """There is no browser to be had; the text says what to do."""


def get_browser(named: str | None, ways: Iterable[Callable[[], Path | None]]) -> Path:
    """A browser that answers when asked for its version.

    Args:
        named: the path somebody chose; it is taken, or nothing is.
        ways: what to try otherwise, in this order. Each gives a path, or None when it cannot.

    Raises:
        NoBrowser: none works.
    """
    if named:
        if works(Path(named)):
            return Path(named)
        raise NoBrowser(f"CLEW_TEST_BROWSER is {named!r}, which does not run; name a Chromium, or unset it.")
    for way in ways:
        path = way()
        if path is not None and works(path):
            return path
    raise NoBrowser(
        "The tests need Chromium, and there is none to be found or fetched; install it (on Debian: apt-get install "
        "chromium), or set CLEW_TEST_BROWSER to its path."
    )


def works(path: Path) -> bool:
    """Whether the program at *path* starts."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> Path:
    """Where Playwright keeps its Chromium, whether it is there or not."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def fetched_by_playwright() -> Path | None:
    """Let Playwright download its Chromium."""
    return playwrights_own() if _run(sys.executable, "-m", "playwright", "install", "chromium") else None


def installed_from_debian() -> Path | None:
    """Let apt install Chromium, where we may."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    # A new machine has no lists yet, and a list that is only old does well enough.
    _run("apt-get", "update")
    return SYSTEM if _run("apt-get", "install", "--yes", "--no-install-recommends", "chromium") else None


def _run(*command: str) -> bool:
    try:
        # Progress goes to stderr: stdout is for the path alone.
        return subprocess.run(command, stdout=sys.stderr, check=False, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    try:
        found = get_browser(
            os.environ.get("CLEW_TEST_BROWSER"),
            (lambda: SYSTEM, playwrights_own, fetched_by_playwright, installed_from_debian),
        )
    except NoBrowser as nothing:
        sys.exit(str(nothing))
    print(found)  # noqa: T201 -- it is what this script is for
