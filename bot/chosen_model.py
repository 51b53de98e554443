"""Gemini, or without a key the offline model, spoken to in the same way."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.config import Settings
from bot.gemini import open_model
from bot.gemini_model import GeminiModel
from bot.offline import offline_model


def beside(settings: Settings, suffix: str) -> Path:
    """A file or a folder that belongs to the database."""
    path = settings.database.path
    return path.with_name(path.name + suffix)  # the whole name: two databases side by side share nothing


@asynccontextmanager
async def open_chosen_model(settings: Settings, *, borrowed: bool = False) -> AsyncIterator[GeminiModel]:
    """The model that the settings choose.

    Args:
        borrowed: what the offline model remembers may be a running bot's, so it is looked at and left alone.
    """
    async with AsyncExitStack() as stack:
        gemini = settings.gemini
        if gemini.api_key is not None:
            key, url = gemini.api_key.get_secret_value(), gemini.base_url
        else:
            key = secrets.token_hex()  # nobody else on this machine has any business with it
            record = beside(settings, ".offline.jsonl")
            if borrowed:
                folder = stack.enter_context(TemporaryDirectory())
                record = await asyncio.to_thread(_copied, record, Path(folder))
            url = (await stack.enter_async_context(offline_model(record=record, key=key, requests_kept=0))).url
        yield await stack.enter_async_context(
            open_model(
                api_key=key,
                model=gemini.model,
                successors=gemini.fallback_models,
                base_url=url,
                api_version=gemini.api_version,
                concurrency=settings.bot.concurrency,
                system_instruction=settings.bot.system_prompt,
            )
        )


def _copied(record: Path, folder: Path) -> Path:
    with suppress(FileNotFoundError):
        shutil.copy(record, folder)
    return folder / record.name
