from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.contract.platforms import PLATFORMS
from tests.adapters.contract.stage import Stage


@pytest.fixture
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """The platform of this name; see `platforms.where`. Whatever a test does there, nothing else comes of it."""
    async with PLATFORMS[request.param].open(tmp_path) as stage:
        yield stage
        assert await stage.left_over() == []
        assert stage.harm() == []
