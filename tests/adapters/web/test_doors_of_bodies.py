"""What is sent to the page packed, nested or named so that it becomes more than it looks."""

import gzip
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.support.page import THREAD, served_page

MESSAGES = f"api/threads/{THREAD}/messages"


async def test_a_message_that_unpacks_to_a_hundred_megabytes_is_not_unpacked() -> None:
    bomb = gzip.compress(b'{"id": "message-0001", "text": "' + b"x" * 100_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with served_page() as page:
        status, _, _ = await page.asks(MESSAGES, "POST", data=bomb, headers=headers)
        healthy, _, _ = await page.asks("healthz")

    assert (status, healthy) == (413, 200)


async def test_a_file_that_unpacks_beyond_the_cap_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    head = b'--end\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    bomb = gzip.compress(head + bytes(100_000_000) + b"\r\n--end--\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=end", "Content-Encoding": "gzip"}
    async with served_page(files=tmp_path, largest_file=1_000_000) as page:
        status, _, _ = await page.asks(MESSAGES, "POST", data=bomb, headers=headers)

    assert status == 413
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "path",
    [
        "api/threads/..%2f..%2f..%2fetc/files/passwd",
        "api/threads/%2e%2e/events",
        f"api/threads/{THREAD}/files/..%2f..%2fclew.db",
        f"api/threads/{THREAD}/files/%00",
        f"api/threads/{THREAD}%00/events",
        "api/events?thread=../../etc",
        "static/..%2f..%2f..%2fetc%2fpasswd",
        "static/%2e%2e/%2e%2e/bot/config.py",
        "//etc/passwd",
    ],
)
async def test_no_path_leads_out_of_the_page(path: str) -> None:
    async with served_page() as page, aiohttp.ClientSession() as session:
        url = URL(f"{page.address}{path}", encoded=True)
        async with session.get(url, allow_redirects=False) as response:
            status, body = response.status, await response.read()

    assert status in {400, 404}
    assert b"root:" not in body
