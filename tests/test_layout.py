"""The rooms of the code, and who may know whom."""

from pathlib import Path

import pytest

from tests.support.layout import MOST_LINES, Module, faults, find_cycle, importers, read_modules

ROOT = Path(__file__).parents[1]


def made_up(**sources: str) -> dict[str, Module]:
    """Modules from sources; two underscores in a name stand for a dot."""
    names = {name: name.replace("__", ".") for name in sources}
    return {names[name]: Module(names[name], source) for name, source in sources.items()}


def test_the_rooms_know_each_other_as_the_architecture_says() -> None:
    assert faults(read_modules(ROOT)) == []


def test_one_file_knows_the_gemini_sdk() -> None:
    assert importers(read_modules(ROOT), "google.genai") == ["bot.gemini"]


def test_the_walk_sees_every_room() -> None:
    modules = read_modules(ROOT)

    assert {"bot", "adapters", "storage", "bot.messages", "bot.config", "bot.__main__"} <= modules.keys()
    assert ("bot.errors.SettingsError", 1) in [
        (imported, len(node.names))  # type: ignore[attr-defined]  # an import statement always has names
        for imported, node in modules["bot.config"].imports
    ]


@pytest.mark.parametrize(
    ("modules", "fault"),
    [
        pytest.param(
            made_up(bot__inbox="import adapters.web.adapter"),
            "bot.inbox, line 1, imports adapters.web.adapter: no such arrow",
            id="the core knows a platform",
        ),
        pytest.param(
            made_up(bot__inbox="from storage import sqlite"),
            "bot.inbox, line 1, imports storage.sqlite: no such arrow",
            id="the core knows a database",
        ),
        pytest.param(
            made_up(storage__sqlite="def f():\n    # because\n    from adapters.web import adapter\n"),
            "storage.sqlite, line 3, imports adapters.web.adapter: no such arrow",
            id="the store knows a platform, deep inside",
        ),
        pytest.param(
            made_up(adapters__web__adapter="import storage"),
            "adapters.web.adapter, line 1, imports storage: no such arrow",
            id="a platform knows the store",
        ),
        pytest.param(
            made_up(adapters__slack__format="from adapters.discord.format import bold"),
            "adapters.slack.format, line 1, imports adapters.discord.format.bold: no such arrow",
            id="a platform knows another one",
        ),
        pytest.param(
            made_up(adapters__web__adapter="from bot.__main__ import main"),
            "adapters.web.adapter, line 1, imports bot.__main__.main: no such arrow",
            id="a platform knows the composition root",
        ),
        pytest.param(
            made_up(bot__offline="from tests.support import layout"),
            "bot.offline, line 1, imports tests.support.layout: no such arrow",
            id="the product knows its tests",
        ),
        pytest.param(
            made_up(bot__history="from .gemini import ask"),
            "bot.history, line 1, imports .gemini.ask: name it in full",
            id="a relative import",
        ),
        pytest.param(
            made_up(bot__gemini="from google import genai", bot__other="from google import genai"),
            "bot.other, line 1, imports google.genai: that belongs to bot.gemini",
            id="a second file knows the Gemini SDK",
        ),
        pytest.param(
            made_up(adapters__web__events="if True:\n    import google.genai.types as t"),
            "adapters.web.events, line 2, imports google.genai.types: that belongs to bot.gemini",
            id="a platform knows the Gemini SDK",
        ),
        pytest.param(
            made_up(bot__dispatch="import aiosqlite"),
            "bot.dispatch, line 1, imports aiosqlite: that belongs to storage",
            id="SQL in the core",
        ),
        pytest.param(
            made_up(adapters__web__events="from slack_sdk.errors import SlackApiError"),
            "adapters.web.events, line 1, imports slack_sdk.errors.SlackApiError: that belongs to adapters.slack",
            id="a chat SDK outside its folder",
        ),
        pytest.param(
            made_up(bot__chunks="def f():\n    import json\n"),
            "bot.chunks, line 2: an import inside a function says why in a comment",
            id="a hidden import",
        ),
        pytest.param(
            made_up(bot__chunks="x = 1\n" * (MOST_LINES + 1)),
            f"bot.chunks has {MOST_LINES + 1} lines, more than {MOST_LINES}",
            id="a module too long",
        ),
        pytest.param(
            made_up(
                bot__a="from bot.b import x", bot__b="from bot import c", bot__c="def f():  # why\n  import bot.a # why"
            ),
            "these import each other in a circle: bot.a -> bot.c -> bot.b -> bot.a",
            id="a circle, with a link hidden in a function",
        ),
        pytest.param(
            made_up(storage__sqlite="import os\nprint(os.environ['HOME'])"),
            "storage.sqlite uses os.environ: only bot.config reads the environment",
            id="a second reader of the environment",
        ),
        pytest.param(
            made_up(bot__a="import logging\nlogging.getLogger().info('x', extra={'thread': 1})"),
            "bot.a, line 2: 'thread' cannot be a log line's field",
            id="a log field that raises when it is written",
        ),
    ],
)
def test_what_the_layout_forbids_is_found(modules: dict[str, Module], fault: str) -> None:
    assert faults(modules) == [fault]


def test_what_the_layout_allows_is_left_alone() -> None:
    allowed = {
        "bot.__main__": "import os\nfrom adapters.web.adapter import WebAdapter\nfrom storage.sqlite import open_store",
        "bot.gemini": "from google import genai\nfrom bot.errors import BotError",
        "bot.errors": "from google.auth import default",
        "bot.config": "import os\nos.environ",
        "adapters.slack.adapter": "import slack_sdk\nfrom adapters.slack.format import bold\nfrom bot import errors",
        "adapters.slack.format": "def f():\n    # It is slow to import.\n    import json\n",
        "adapters.web.adapter": "from bot.errors import BotError",
        "storage.sqlite": "import aiosqlite\nimport storage.schema\nfrom bot.errors import BotError",
        "storage.schema": "",
    }
    assert faults({name: Module(name, source) for name, source in allowed.items()}) == []


def test_a_package_and_its_modules_are_no_circle() -> None:
    modules = made_up(
        bot__offline="from bot.offline.server import serve", bot__offline__server="from bot import errors"
    )
    assert find_cycle(modules) is None
