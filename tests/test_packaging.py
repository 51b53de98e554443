"""What ships beside the code says the same as the code."""

import functools
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import bot
from bot.config import VARIABLES, read_settings
from bot.tool_settings import ToolsFile
from tests.support.layout import OWNERS, ROOMS, read_modules

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
FOR_LATER = {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "DISCORD_TOKEN"}


def plain(name: str) -> str:
    """A package's name as every index spells it, without versions and extras."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", name, maxsplit=1)[0]).lower()


def pins(file: str) -> dict[str, str]:
    """Each pinned package with its version."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {plain(name): version for name, version in found}


def default_of(variable: str) -> str:  # noqa: PLR0911 - a flat table
    """A setting's default as it would be written in a file; empty where there is none."""
    group, field = VARIABLES[variable]
    if variable == "CLEW_SYSTEM_PROMPT":
        return ""
    match getattr(getattr(read_settings({}, None), group), field):
        case None if field.startswith("daily_turns") or field == "retention_days":
            return "0"
        case None | ToolsFile():
            return ""
        case frozenset() as names:
            return ",".join(sorted(names))
        case tuple() as names:
            return ",".join(names)
        case bool() as switch if variable.startswith("CLEW_"):
            return "on" if switch else "off"
        case bool() as switch:
            return str(switch).lower()
        case float() as number:
            return f"{number:g}"
        case other:
            return str(other)


# --- settings ---------------------------------------------------------------------------------


def test_the_example_file_lists_every_setting_in_order_with_its_default_and_a_line_of_why() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    settings = [
        (number, found[1], found[2])
        for number, line in enumerate(lines)
        if (found := re.match(r"#?([A-Z_]+)=(.*)", line))
    ]

    assert [name for _, name, _ in settings] == list(VARIABLES)
    for number, name, value in settings:
        assert value == default_of(name), name
        assert re.match(r"# \w.*\.$", lines[number - 1]), name


def test_using_the_whole_example_file_changes_nothing(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))

    assert read_settings({}, env_file) == read_settings({}, None)


def test_the_operators_page_lists_every_setting_in_order_with_its_default() -> None:
    page = (ROOT / "docs/operating.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|[^|`]*) \| \S", page, re.MULTILINE)

    assert [name for name, _ in rows] == list(VARIABLES)
    for name, default in rows:
        assert default == default_of(name), name


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / "Dockerfile", ROOT / "compose.yaml", *(ROOT / "bot").rglob("*.py")],
    ids=lambda page: page.name,
)
def test_no_page_and_no_sentence_names_a_setting_there_is_not(page: Path) -> None:
    named = set(re.findall(r"\b(?:GEMINI|DATABASE|WEB|CLEW|SLACK|DISCORD)_[A-Z_]*[A-Z]\b", page.read_text()))
    assert named <= VARIABLES.keys() | FOR_LATER | {"CLEW_TEST_BROWSER", "CLEW_TEST"}


# --- commands ---------------------------------------------------------------------------------


@functools.cache
def clew_commands() -> set[str]:
    """What `clew` can be told, in its own words."""
    told = subprocess.run(
        [sys.executable, "-m", "bot", "--help"], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    ).stdout
    return set(re.findall(r"^ {4}(\w+) ", told, re.MULTILINE)) | {"--version", "--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_command_there_is_not(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()

    assert clew_commands() >= {"run", "check", "health"}
    # `/clew help` is a command of Slack's; `bin/clew run` is one of the shell's.
    assert set(re.findall(r"(?:`|^|bin/)clew ([\w-]+)", text, re.MULTILINE)) <= clew_commands()
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_every_link_of_a_page_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_make_help_tells_of_every_command_meant_for_people() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    ).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony is not None
    assert {line.split()[0] for line in told.splitlines()} == set(phony[1].split()) - {"venv", "venv-dev"}


def test_ci_runs_what_everybody_runs() -> None:
    script = ROOT / ".ci/run"

    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1] == "exec make test"


# --- dependencies -----------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_its_hashes_and_no_index_is_named(file: str) -> None:
    text = (ROOT / file).read_text()

    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|^-", text, re.MULTILINE)
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert len(entries) == len(pins(file))
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==\S+( ;[^\\]+)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+", entry), entry


def test_the_pins_cover_what_the_project_asks_for() -> None:
    runtime, everything = pins("requirements.txt"), pins("requirements-dev.txt")

    assert {plain(name) for name in PROJECT["project"]["dependencies"]} <= runtime.keys()
    # The bot is installed without build isolation, so that its build backend is pinned as well.
    assert {plain(name) for name in PROJECT["build-system"]["requires"]} <= runtime.keys()
    assert {plain(name) for name in PROJECT["dependency-groups"]["dev"]} <= everything.keys()
    assert runtime.items() <= everything.items()


def test_every_dependency_has_its_reason_on_record() -> None:
    record = (ROOT / "docs/decisions/0001-dependencies.md").read_text()
    reasons = {plain(name): reason for name, reason in re.findall(r"^- `([^`]+)`: (.*)$", record, re.MULTILINE)}
    asked = [
        *PROJECT["project"]["dependencies"],
        *(name for group in PROJECT["dependency-groups"].values() for name in group),
    ]

    assert reasons.keys() == {plain(name) for name in asked}
    assert all(len(reason.split()) > 4 for reason in reasons.values())


def test_what_is_imported_is_declared() -> None:
    declared = {plain(name) for name in PROJECT["project"]["dependencies"]}
    packages = importlib.metadata.packages_distributions()
    for module in read_modules(ROOT).values():
        for imported, _ in module.imports:
            top = imported.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in ROOMS:
                assert declared & {plain(name) for name in packages[top]}, f"{module.name} imports {imported}"


def test_every_owned_package_is_one_we_might_import() -> None:
    assert {owner.partition(".")[0] for owner in OWNERS.values()} <= set(ROOMS)


# --- the wheel, the version, the image --------------------------------------------------------


def test_the_wheel_holds_every_file_of_the_product_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for room in (*ROOMS, "tests"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-qq",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "-w",
            tmp_path,
            source,
        ],
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = next(archive.read(name) for name in archive.namelist() if name.endswith("entry_points.txt"))
    wanted = {
        path.relative_to(source).as_posix() for room in ROOMS for path in (source / room).rglob("*") if path.is_file()
    }
    assert held == wanted
    assert b"clew = bot.__main__:main" in entry_points
    assert wheel.name.startswith(f"clew_bot-{bot.__version__}-")


def test_the_version_stands_in_one_place() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)

    assert newest is not None
    assert newest[1] == bot.__version__
    for name in ("pyproject.toml", "README.md", "Dockerfile", "compose.yaml", "Makefile"):
        assert not re.search(rf"(?<![\d.]){re.escape(bot.__version__)}(?![\d.])", (ROOT / name).read_text()), name


def test_the_image_runs_as_nobody_in_particular_and_keeps_everything_in_its_volume() -> None:
    lines = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
    stages = [line for line in lines if line.startswith("FROM ")]
    last = lines[lines.index(stages[-1]) :]
    said = {line.partition(" ")[0]: line.partition(" ")[2] for line in last if line and not line.startswith("#")}
    variables = dict(re.findall(r'(\w+)="?([^ "]+)"?', said["ENV"]))

    assert [stage.split()[1] for stage in stages] == ["python:3.13-slim"] * 2
    assert any("--require-hashes --requirement requirements.txt" in line for line in lines)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"])
    assert said["VOLUME"] == said["WORKDIR"] == "/data"
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(said["HEALTHCHECK"].partition(" CMD ")[2]) == ["clew", "health"]
    assert json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"]) == ["clew", "run"]
    assert variables["WEB_ENABLED"] == "false"
    settings = read_settings({**variables, "WEB_ENABLED": "true"}, None)
    assert settings.database.path == Path("/data/clew.db")


def test_the_image_is_built_from_the_product_alone() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert [line for line in ignored if line and line[0] not in "#!"] == ["*", "**/__pycache__"]
    assert {line[1:] for line in ignored if line.startswith("!")} == {
        name for names in copied for name in names.split()
    }
