"""Take the README's picture of the page: a first conversation with the offline model, as a newcomer has it.

.venv/bin/python -m tests.support.picture docs/page.png
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize, expect

from tests.support.browser import open_browser, window
from tests.support.process import running_clew

_NOTES = b"# Field notes\n\n- hive 3 swarmed on Tuesday\n- the new queen is marked blue\n"


async def take(picture: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            running_clew(Path(folder)) as clew,
            open_browser() as browser,
            window(browser, viewport=ViewportSize(width=1200, height=900)) as opened,
        ):
            tab = await opened.new_page()
            await tab.goto(clew.address)
            box = tab.get_by_role("textbox", name="Message")
            for number, text in enumerate(
                ("My name is Ada and I keep bees.", "Here are my notes.", "What is my name?")
            ):
                if number == 1:
                    await tab.locator("#files").set_input_files(
                        {"name": "notes.md", "mimeType": "text/markdown", "buffer": _NOTES}
                    )
                await box.fill(text)
                await box.press("Enter")
                await expect(tab.get_by_role("article", name="Clew")).to_have_count(number + 1)
                await expect(tab.get_by_role("button", name="Stop the answer")).to_be_hidden(timeout=15_000)
            await tab.screenshot(path=picture, scale="css")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
