"""A real browser, and one window of it for each test."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright, expect

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=780)
PATIENCE = 30_000  # milliseconds: machines are slow, and a page that is right is not waited for any longer


def executable() -> str | None:
    """The browser to use: the one CLEW_TEST_BROWSER names, the system's, or else Playwright's own (None)."""
    named = os.environ.get("CLEW_TEST_BROWSER")
    return named or shutil.which("chromium", path="/usr/bin") or None


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start a browser without a screen.

    Raises:
        AssertionError: there is none; a suite that silently leaves the page out would prove nothing.
    """
    path = executable()
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        if path is None and not os.path.exists(playwright.chromium.executable_path):
            raise AssertionError(
                "No browser was found for the tests of the page: set CLEW_TEST_BROWSER to a Chromium, "
                "or run `playwright install chromium`."
            )
        # Chromium's sandbox cannot be had as root.
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if is_root else [])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, *, viewport: ViewportSize = DESKTOP, dark: bool = False, phone: bool = False
) -> AsyncIterator[BrowserContext]:
    """A window with a history and storage of its own. What its pages complain about fails the test."""
    context = await browser.new_context(
        viewport=PHONE if phone else viewport,
        color_scheme="dark" if dark else "light",
        is_mobile=phone,
        has_touch=phone,
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    complaints: list[str] = []
    # A refused resource (503 and the like) is logged by the browser itself, and is some tests' very point.
    context.on(
        "console",
        lambda said: (
            complaints.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None
        ),
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.set_default_timeout(PATIENCE)
    try:
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context
    finally:
        await context.close()
    assert not complaints, complaints
