"""What happens between a bare clone and the first command: `deploy/venv.sh` and the browser."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.get_browser import NoBrowser, get_browser

ROOT = Path(__file__).parents[1]

# Stands in for Python: it tells a version, makes an environment with itself inside, and notes what pip is asked for.
PYTHON = r"""#!/bin/sh
case "$*" in
    *version_info*) echo "$(cat "$PRETEND/version")"; [ "$(cat "$PRETEND/version")" != 3.10 ] ;;
    "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo venv >> "$PRETEND/log" ;;
    "-m pip "*) echo pip >> "$PRETEND/log"; [ ! -e "$PRETEND/fail" ] ;;
esac
"""


@dataclass(frozen=True)
class Clone:
    """A clone in which a stand-in for Python is used."""

    folder: Path
    pretend: Path

    def install(self, requirements: str = "requirements.txt", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self.folder / "deploy/venv.sh", requirements],
            env={"PATH": os.environ["PATH"], "PRETEND": str(self.pretend), "PYTHON": f"{self.pretend}/python"}
            | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def done(self) -> list[str]:
        """What was done since the last look: environments made, pip called."""
        log = self.pretend / "log"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def is_python(self, version: str) -> None:
        (self.pretend / "version").write_text(version)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "a clone", tmp_path / "pretend")
    (made.folder / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/venv.sh", made.folder / "deploy")
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        (made.folder / name).write_text(name)
    made.pretend.mkdir()
    (made.pretend / "python").write_text(PYTHON)
    (made.pretend / "python").chmod(0o755)
    made.is_python("3.12")
    return made


def test_the_first_start_installs_and_the_second_does_nothing(clone: Clone) -> None:
    assert "with Python 3.12" in clone.install().stderr
    assert clone.done() == ["venv", "pip", "pip"]

    assert clone.install().stderr == ""
    assert clone.done() == []


def test_what_the_tests_need_serves_the_bot_as_well(clone: Clone) -> None:
    clone.install("requirements-dev.txt")
    clone.done()

    clone.install("requirements.txt")
    assert clone.done() == []


def test_the_bots_own_needs_do_not_serve_the_tests(clone: Clone) -> None:
    clone.install("requirements.txt")
    clone.done()

    clone.install("requirements-dev.txt")
    assert clone.done() == ["pip", "pip"]


def change_a_pin(clone: Clone) -> Clone:
    (clone.folder / "requirements.txt").write_text("another pin")
    return clone


def change_the_python(clone: Clone) -> Clone:
    clone.is_python("3.13")
    return clone


def move(clone: Clone) -> Clone:
    return Clone(clone.folder.rename(clone.folder.with_name("elsewhere")), clone.pretend)


def lose_the_python(clone: Clone) -> Clone:
    (clone.folder / ".venv/bin/python").unlink()
    return clone


@pytest.mark.parametrize(
    ("happens", "done"),
    [
        pytest.param(change_a_pin, ["pip", "pip"], id="a pin changed"),
        pytest.param(change_the_python, ["venv", "pip", "pip"], id="another Python came first"),
        pytest.param(move, ["venv", "pip", "pip"], id="the clone was moved"),
        pytest.param(lose_the_python, ["venv", "pip", "pip"], id="its Python was removed"),
    ],
)
def test_an_environment_that_no_longer_fits_is_mended(
    clone: Clone, happens: Callable[[Clone], Clone], done: list[str]
) -> None:
    clone.install()
    clone.done()
    clone = happens(clone)

    assert clone.install().returncode == 0
    assert clone.done() == done
    clone.install()
    assert clone.done() == []


def test_an_installation_that_failed_is_done_again(clone: Clone) -> None:
    (clone.pretend / "fail").touch()
    assert clone.install().returncode != 0
    clone.done()

    (clone.pretend / "fail").unlink()
    assert clone.install().returncode == 0
    assert clone.done() == ["pip", "pip"]


def test_after_a_failed_installation_nothing_counts_as_installed(clone: Clone) -> None:
    clone.install("requirements.txt")
    (clone.pretend / "fail").touch()
    clone.install("requirements-dev.txt")
    clone.done()

    (clone.pretend / "fail").unlink()
    clone.install("requirements.txt")
    assert clone.done() == ["pip", "pip"]


def test_an_old_python_is_named_in_one_sentence_and_nothing_is_made(clone: Clone) -> None:
    clone.is_python("3.10")
    told = clone.install()

    assert told.returncode == 1
    assert told.stderr.startswith("Clew needs Python 3.11 or newer, and found none as ")
    assert told.stderr.count("\n") == 1
    assert not (clone.folder / ".venv").exists()


def test_an_old_python3_is_passed_over_for_a_newer_one_beside_it(clone: Clone, tmp_path: Path) -> None:
    found = tmp_path / "path"
    found.mkdir()
    (found / "python3").write_text("#!/bin/sh\nexit 1\n")
    (found / "python3").chmod(0o755)
    (found / "python3.14").symlink_to(clone.pretend / "python")
    clone.is_python("3.14")

    assert "with Python 3.14" in clone.install(PYTHON="", PATH=f"{found}:{os.environ['PATH']}").stderr


# --- the browser ------------------------------------------------------------------------------


def browser(path: Path, *, status: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_the_browser_somebody_chose_is_taken(tmp_path: Path) -> None:
    chosen, other = browser(tmp_path / "chosen"), browser(tmp_path / "other")
    assert get_browser(str(chosen), [lambda: other]) == chosen


def test_a_chosen_browser_that_does_not_run_is_not_passed_over_silently(tmp_path: Path) -> None:
    with pytest.raises(NoBrowser, match=r"CLEW_TEST_BROWSER is '.*missing', which does not run"):
        get_browser(str(tmp_path / "missing"), [lambda: browser(tmp_path / "other")])


def test_the_first_browser_that_runs_is_taken(tmp_path: Path) -> None:
    broken, good = browser(tmp_path / "broken", status=127), browser(tmp_path / "good")
    assert get_browser(None, [lambda: tmp_path / "missing", lambda: None, lambda: broken, lambda: good]) == good


def test_no_browser_at_all_is_one_sentence() -> None:
    with pytest.raises(NoBrowser, match=r"^The tests need Chromium, .* set CLEW_TEST_BROWSER to its path\.$"):
        get_browser(None, [lambda: None])
