from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.scenes import Scene, open_scene


@pytest.fixture
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    """The platform of this name; see `scenes.everywhere`. Whatever a test does there, nobody is pinged."""
    async with open_scene(request.param, tmp_path) as scene:
        yield scene
        assert scene.people.harm() == []
