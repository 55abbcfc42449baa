"""The house stays as it was drawn: sizes, layers, docstrings, and what must not be there at all.

Limits and layers are the project's own; each test lists what breaks it, with the line to look at.
"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "ammon"
FLOORS = (
    {
        *("types", "answers", "chat", "errors", "settings", "ports", "extras"),
        *("closing", "normalising", "progress", "_version"),
    },
    {"sources", "split", "embed", "store"},
    {"search"},
    {"answer", "memory", "agent", "evaluate"},
    {
        "ingest",
        "embedding",
        "encoder",
        "indexer",
        "evaluation",
        "reembedding",
        "upkeep",
        "library",
        "searchable",
        "asking",
        "summarising",
        "optimising",
    },
    {"cli", "serve", "cluster", "integrations", "testing", "__init__", "__main__"},
)
"""Who may stand on whom: a module imports from floors below its own, and from its own package."""

OPEN_FLOORS = (0, 4, 5)
"""Floors whose modules are one concept spread over files, and may import one another; the others are stages."""

FILE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 8
PARAMETERS = 7
METHODS = 12
INHERITANCE = 2
VAGUE = {"utils", "util", "helpers", "helper", "manager", "handler", "base", "common", "misc"}
EDGES = {"cli"}
"""Where printing, and a parameter for every option, is the point."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of the package, parsed."""

    name: str
    path: Path
    lines: int
    tree: ast.Module

    @property
    def top(self) -> str:
        """The package or file directly under ``ammon`` that it belongs to."""
        return self.name.split(".")[1] if "." in self.name else "__init__"

    def at(self, node: ast.AST) -> str:
        """Where a node stands, for a message."""
        return f"{self.path.relative_to(PACKAGE.parent)}:{getattr(node, 'lineno', 1)}"


@cache
def modules() -> tuple[Module, ...]:
    return tuple(read(path) for path in sorted(PACKAGE.rglob("*.py")))


def read(path: Path) -> Module:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text("utf-8")
    return Module(name, path, text.count("\n"), ast.parse(text))


def functions() -> Iterator[tuple[Module, Function]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                yield module, node


def classes() -> Iterator[tuple[Module, ast.ClassDef]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module, node


def length(function: Function) -> int:
    """Lines of a function without its docstring, which should be as long as it needs to be."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def parameters(function: Function) -> list[ast.arg]:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [each for each in every if each.arg not in ("self", "cls")]


def imported(module: Module, *, at_load: bool) -> Iterator[tuple[ast.AST, str]]:
    """Modules of the package that ``module`` imports; ``at_load`` leaves out those inside functions and for types."""
    known = {each.name for each in modules()}
    for node in loaded(module.tree.body) if at_load else ast.walk(module.tree):
        for name in targets(node):
            # `from package import name` may mean a module or something in one.
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target not in ("ammon", module.name):
                yield node, target


def loaded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from loaded(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from loaded(node.body + [each for handler in node.handlers for each in handler.body] + node.orelse)
        elif not isinstance(node, Function):
            yield node


def targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{each.name}" for each in node.names]
    return []


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_the_limit() -> None:
    assert [f"{each.path}: {each.lines}" for each in modules() if each.lines > FILE_LINES] == []


def test_no_function_is_longer_than_the_limit() -> None:
    assert [f"{m.at(f)} {f.name}: {length(f)}" for m, f in functions() if length(f) > FUNCTION_LINES] == []


def test_half_of_the_functions_are_short() -> None:
    assert statistics.median(length(function) for _, function in functions()) <= MEDIAN_FUNCTION_LINES


def test_no_function_takes_too_many_parameters() -> None:
    long = [(m, f) for m, f in functions() if m.top not in EDGES and len(parameters(f)) > PARAMETERS]
    assert [f"{m.at(f)} {f.name}: {len(parameters(f))}" for m, f in long] == []


def test_no_class_has_too_many_methods() -> None:
    def count(node: ast.ClassDef) -> int:
        named = [each.name for each in node.body if isinstance(each, Function)]
        return sum(not (name.startswith("__") and name.endswith("__")) for name in named)

    assert [f"{m.at(c)} {c.name}: {count(c)}" for m, c in classes() if count(c) > METHODS] == []


def test_inheritance_is_shallow_except_for_errors() -> None:
    parents = {
        node.name: [ast.unparse(each).split("[")[0].split(".")[-1] for each in node.bases] for _, node in classes()
    }

    def depth(name: str) -> int:
        return 0 if name not in parents else 1 + max((depth(each) for each in parents[name]), default=0)

    def is_error(name: str) -> bool:
        return name.endswith(("Error", "Exception")) or any(is_error(each) for each in parents.get(name, []))

    assert [name for name in parents if depth(name) - 1 > INHERITANCE and not is_error(name)] == []


# --- layers ----------------------------------------------------------------------------------------------------------


def floor_of(top: str) -> int:
    return next((number for number, floor in enumerate(FLOORS) if top in floor), -1)


def test_every_module_stands_on_a_floor() -> None:
    assert sorted({each.top for each in modules() if floor_of(each.top) < 0}) == []


def test_no_module_imports_upward_or_across() -> None:
    found = []
    for module in modules():
        for node, target in imported(module, at_load=False):
            above = target.split(".")[1]
            mine, theirs = floor_of(module.top), floor_of(above)
            if module.top in (above, "__init__") or theirs < mine:
                continue
            if theirs > mine or mine not in OPEN_FLOORS:
                found.append(f"{module.at(node)} {module.name} imports {target}")
    assert found == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = {module.name: {target for _, target in imported(module, at_load=True)} for module in modules()}

    def reaches_itself(start: str) -> bool:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            name = todo.pop()
            if name == start:
                return True
            if name not in seen:
                seen.add(name)
                todo.extend(graph[name])
        return False

    assert [name for name in graph if reaches_itself(name)] == []


# --- words -----------------------------------------------------------------------------------------------------------


def test_no_name_is_vague() -> None:
    names = [(m, part) for m in modules() for part in m.name.split(".")]
    names += [(m, node.name) for m, node in classes()]
    assert [f"{m.name}: {name}" for m, name in names if VAGUE & set(words(name))] == []


def words(name: str) -> list[str]:
    """``WriteManager`` and ``write_manager`` → write, manager."""
    spread = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
    return [each for each in spread.split("_") if each]


def test_everything_public_says_what_it_is() -> None:
    named = [module for module in modules() if module.tree.body and not module.path.stem.startswith("_v")]
    found = [module.name for module in named if not ast.get_docstring(module.tree)]
    for module in modules():
        found += [f"{module.at(node)} {node.name}" for node in public(module.tree) if not ast.get_docstring(node)]
    assert found == []


def public(scope: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Public functions, classes and methods; what stands inside a function or a private class is private."""
    for node in scope.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def test_everything_is_annotated() -> None:
    found = []
    for module, function in functions():
        every = [*parameters(function), *filter(None, (function.args.vararg, function.args.kwarg))]
        found += [f"{module.at(function)} {function.name}({each.arg})" for each in every if each.annotation is None]
        if function.returns is None:
            found.append(f"{module.at(function)} {function.name} -> ?")
    assert found == []


CONVERSATIONS = {
    *("ammon.answer.sessions", "ammon.asking", "ammon.store.local.checking.examining"),
    *("ammon.cli.app", "ammon.cli.asking", "ammon.cli.reference", "ammon.cli.sessions"),
}
"""Modules that speak of sessions because it is what users call a conversation that goes on."""


@pytest.mark.parametrize("word", ["session", "helper", "/work/", "shared/", "TODO", "FIXME", "XXX"])
def test_nothing_unfinished_or_private_is_left_in_the_text(word: str) -> None:
    rest = [each for each in modules() if word != "session" or each.name not in CONVERSATIONS]
    assert [str(each.path) for each in rest if word in each.path.read_text("utf-8")] == []


# --- what must not be there ------------------------------------------------------------------------------------------


def test_only_the_command_line_prints() -> None:
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            printing = isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.stdout.write")
            if printing and module.top not in EDGES:
                found.append(module.at(node))
    assert found == []


def test_no_error_is_caught_wholesale_or_swallowed() -> None:
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            kind = ast.unparse(node.type) if node.type else "BaseException"
            raised_again = any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(node))
            if "Exception" in kind.replace("(", " ").replace(",", " ").split() or kind == "BaseException":
                found += [] if raised_again else [module.at(node)]
            if all(isinstance(each, ast.Pass) for each in node.body):
                found.append(module.at(node))
    assert found == []


def test_the_library_never_configures_logging() -> None:
    calls = ("logging.basicConfig", "logging.disable", "warnings.simplefilter", "warnings.filterwarnings")
    found = [
        module.at(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
    ]
    assert found == []
