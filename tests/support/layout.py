"""Reads the imports of the product's modules and says which of them the layout does not allow.

Everything here works on a mapping of dotted module names to source text, so that it can be tried on made-up sources.
"""

import ast
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOMS = ("bot", "adapters", "storage")
COMPOSITION_ROOT = "bot.__main__"
MOST_LINES = 350

# Who may import what is not ours; a package that is not listed is everybody's.
OWNERS = {
    "google.genai": "bot.gemini",
    "slack_bolt": "adapters.slack",
    "slack_sdk": "adapters.slack",
    "discord": "adapters.discord",
    "aiosqlite": "storage",
    "sqlite3": "storage",
    "asyncpg": "storage",
    "psycopg": "storage",
    "sqlalchemy": "storage",
}

# A field of one of these names makes the logging library raise KeyError, and only when the line is written.
LOGGING_KEEPS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


@dataclass(frozen=True)
class Module:
    """One module: its dotted name (a package has its folder's) and its source."""

    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def imports(self) -> tuple[tuple[str, ast.stmt], ...]:
        """Every dotted name that is imported, wherever it stands. ``from a import b`` gives ``a.b``."""
        found: list[tuple[str, ast.stmt]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.extend((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.extend((f"{'.' * node.level}{node.module or ''}.{alias.name}", node) for alias in node.names)
        return tuple(found)


def read_modules(root: Path) -> dict[str, Module]:
    """The product's modules by name."""
    modules: dict[str, Module] = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = Module(name, path.read_text())
    return modules


def faults(modules: Mapping[str, Module]) -> list[str]:
    """Everything the layout does not allow, a sentence each."""
    told = [fault for module in modules.values() for fault in _faults_of(module)]
    cycle = find_cycle(modules)
    if cycle:
        told.append(f"these import each other in a circle: {' -> '.join(cycle)}")
    return told


def find_cycle(modules: Mapping[str, Module]) -> list[str] | None:
    """The modules of a circle of imports, if there is one."""
    graph = {
        name: {other for imported, _ in module.imports if (other := _ours(imported, modules)) and other != name}
        for name, module in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return None


def importers(modules: Mapping[str, Module], package: str) -> list[str]:
    """The modules that import *package* or something in it."""
    return [
        name for name, module in modules.items() if any(_is_within(imported, package) for imported, _ in module.imports)
    ]


def _ours(imported: str, modules: Mapping[str, Module]) -> str | None:
    # ``a.b.c`` is the module of that name, or something in the module ``a.b``.
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in modules), None)


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _room(name: str) -> str:
    """``bot``, ``storage``, or the folder of one adapter."""
    parts = name.split(".")
    return ".".join(parts[:2] if parts[0] == "adapters" else parts[:1])


def _faults_of(module: Module) -> Iterator[str]:
    lines = module.source.count("\n")
    if lines > MOST_LINES:
        yield f"{module.name} has {lines} lines, more than {MOST_LINES}"
    for imported, node in module.imports:
        here = f"{module.name}, line {node.lineno}, imports {imported}"
        if imported.startswith("."):
            yield f"{here}: name it in full"
        elif _is_forbidden_arrow(module.name, imported):
            yield f"{here}: no such arrow"
        for package, owner in OWNERS.items():
            if _is_within(imported, package) and not _is_within(module.name, owner):
                yield f"{here}: that belongs to {owner}"
    yield from _hidden_imports(module)
    yield from _environment_readers(module)
    yield from _impossible_fields(module)


def _is_forbidden_arrow(importer: str, imported: str) -> bool:
    target = imported.partition(".")[0]
    if target in {"tests", "benchmarks"}:
        return True
    if target not in ROOMS or importer == COMPOSITION_ROOT:
        return False
    if _is_within(imported, COMPOSITION_ROOT):
        return True
    return target != "bot" and _room(importer) != _room(imported)


def _hidden_imports(module: Module) -> Iterator[str]:
    text = module.source.splitlines()
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                line, above = text[node.lineno - 1], text[node.lineno - 2].strip()
                if "#" not in line and not above.startswith("#"):
                    yield f"{module.name}, line {node.lineno}: an import inside a function says why in a comment"


def _environment_readers(module: Module) -> Iterator[str]:
    if module.name == "bot.config":
        return
    named = {"os.environ", "os.getenv", "os.environb", "os.getenvb"}
    used: Iterable[str] = [imported for imported, _ in module.imports] + [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    for name in sorted(named.intersection(used)):
        yield f"{module.name} uses {name}: only bot.config reads the environment"


def _impossible_fields(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
            for key in node.value.keys:
                if isinstance(key, ast.Constant) and key.value in LOGGING_KEEPS:
                    yield f"{module.name}, line {key.lineno}: {key.value!r} cannot be a log line's field"
