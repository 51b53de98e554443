"""The page on security names tests that there are; the linter's security rules are on, and exceptions say why."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LET_PAST = re.compile(r"#\s*noqa\b(?P<rules>:[\s,A-Z0-9]*)?(?P<reason>.*)")


def test_every_line_of_the_page_on_security_is_shown_by_tests_that_there_are() -> None:
    page = ROOT / "docs" / "security.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    shown = [re.findall(r"\[([^\]]+)\]\(([^)]+)\)", row.rpartition(" | ")[2]) for row in rows if "**" not in row]
    missing = [
        name
        for tests in shown
        for name, path in tests
        if f"def test_{name.replace(' ', '_')}(" not in (page.parent / path).read_text(encoding="utf-8")
    ]

    assert len(shown) > 20
    assert all(shown)
    assert missing == []


def test_the_security_rules_are_on() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    off = {
        rule
        for rules in (lint["ignore"], *lint["per-file-ignores"].values())
        for rule in rules
        if re.fullmatch(r"S\d*", rule)
    }

    assert "S" in lint["select"]
    # In tests: asserts, servers and made-up tokens, and processes of the test's own. Nothing is off in the product.
    assert off == {"S101", "S104", "S105", "S106", "S603", "S607"}
    assert not any(
        re.fullmatch(r"S\d*", rule)
        for place, rules in lint["per-file-ignores"].items()
        if not place.startswith(("tests/", "benchmarks/"))
        for rule in rules
    )


def test_whatever_is_let_past_a_security_rule_says_why() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("bot", "adapters", "storage", "tests", "benchmarks")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for found in _LET_PAST.finditer(line)
        if not found["rules"] or (re.search(r"\bS\d", found["rules"]) and len(found["reason"].strip(" #-")) < 5)
    ]

    assert silent == []
