"""Every code block and command of the documentation runs, in the order in which a reader meets them.

A page runs in a folder of its own, which is also its home: a copy of ``examples/sample`` stands there as ``sample``,
and once more as ``notes`` and ``papers``. What runs:

- ```python blocks, all of a page in one namespace;
- in ```console blocks, the lines after ``$``; the lines below are what is shown, compared with digits set aside, and
  ``…`` stands for anything. A command may end in ``# exit code N``;
- in ```bash and ```sh blocks, every line.

``make`` is not run, but its target must exist; ``pip`` and ``git`` are not run. To leave a block out, put
``<!-- not run: why -->`` on the line before it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])
NOT_RUN = re.compile(r"<!-- not run: .{5,} -->")
NOT_OURS = {"pip", "git", "cd", "python3", "curl"}
LONGEST_SECONDS = 100


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line of the page where the text begins."""

    language: str
    text: str
    line: int


@dataclass
class Step:
    """One command and the lines that the page shows below it."""

    command: str
    line: int
    shown: list[str] = field(default_factory=list)
    code: int = 0


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page that are to run."""
    lines = text.splitlines()
    start, fence, language = 0, "", ""
    for number, line in enumerate(lines):
        opened = re.match(r"\s*(`{3,})\s*([\w-]*)", line)
        if not fence and opened:
            start, fence, language = number, opened[1], opened[2]
        elif fence and line.strip() == fence:
            before = lines[start - 1] if start else ""
            if not NOT_RUN.fullmatch(before.strip()):
                yield Block(language, "\n".join(lines[start + 1 : number]), start + 2)
            fence = ""
    assert not fence, f"line {start + 1}: a block is never closed"


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console or shell block."""
    step: Step | None = None
    for number, line in enumerate(block.text.splitlines(), block.line):
        if step is not None and step.command.endswith("\\"):
            step.command = step.command[:-1] + line.strip()
        elif block.language == "console" and not line.startswith("$ "):
            assert step is not None, f"line {number}: output before any command"
            step.shown.append(line)
        elif line.strip() and not line.startswith("#"):
            if step is not None:
                yield finished(step)
            step = Step(line.removeprefix("$ "), number)
    if step is not None:
        yield finished(step)


def finished(step: Step) -> Step:
    """The step with the exit code that its remark announces, and without blank lines at its end."""
    while step.shown and not step.shown[-1].strip():
        step.shown.pop()
    announced = re.search(r"\s+# exit code (\d+)$", step.command)
    if announced:
        step.command, step.code = step.command[: announced.start()], int(announced[1])
    return step


def alike(shown: list[str], real: list[str]) -> bool:
    """Whether what a page shows is what a command wrote, digits and trailing space set aside; ``…`` is anything."""
    pieces = [r"[^\S\n]*\n".join(pattern_of(line) for line in shown)] if shown else []
    return re.fullmatch("".join(pieces) + r"\s*", "\n".join(each.rstrip() for each in real)) is not None


def pattern_of(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.|\n)*"
    parts = re.split(r"(\d+(?:[.,]\d+)*|…)", line.rstrip())
    return "".join(
        ".*" if part == "…" else r"\d+(?:[.,]\d+)*" if part[:1].isdigit() else re.escape(part) for part in parts
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's home, with something to index in it."""
    from ammon.settings import Settings

    for name in ("sample", "notes", "papers", "examples/sample"):
        shutil.copytree(REPOSITORY / "examples" / "sample", tmp_path / name)
    # Models are built once for all pages and all tests.
    monkeypatch.setenv("AMMON_CACHE", str(Settings(cache=os.environ.get("AMMON_CACHE", "")).cache_folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_block_of_a_page_runs(page: Path, home: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text("utf-8")):
        if block.language == "python":
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page), "exec"), namespace)
        elif block.language in ("console", "bash", "sh"):
            for step in steps(block):
                check(step, page, home)
    close = getattr(namespace.get("library"), "close", None)
    if close is not None:
        close()


def check(step: Step, page: Path, home: Path) -> None:
    where = f"{page.relative_to(REPOSITORY)}:{step.line}: {step.command}"
    words = shlex.split(step.command, comments=True)
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), where
        return
    if words[0] in NOT_OURS:
        return
    done = subprocess.run(
        ["bash", "-c", step.command], cwd=home, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    assert done.returncode == step.code, f"{where}\n{done.stdout}{done.stderr}"
    real = (done.stdout if step.code == 0 else done.stdout + done.stderr).splitlines()
    if step.shown:
        assert alike(step.shown, real), f"{where}\nshown:\n{chr(10).join(step.shown)}\nreal:\n{chr(10).join(real)}"


def test_links_between_pages_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    missing = [
        f"{page.relative_to(REPOSITORY)}: {target}" for page, target in links if not (page.parent / target).exists()
    ]
    assert missing == []


# --- the checks themselves -------------------------------------------------------------------------------------------


def test_blocks_are_found_with_their_lines_and_left_out_only_for_a_reason() -> None:
    text = "# T\n```python\nx = 1\n```\n\n<!-- not run: needs a server -->\n```bash\nboom\n```\n\n````text\n```\n````\n"
    assert list(blocks(text)) == [Block("python", "x = 1", 3), Block("text", "```", 12)]


def test_commands_are_read_with_their_output_and_exit_code() -> None:
    block = Block("console", "$ ammon a \\\n    b\nout 1\nout 2\n\n$ ammon c  # exit code 2", 10)
    assert list(steps(block)) == [Step("ammon a b", 10, ["out 1", "out 2"]), Step("ammon c", 15, [], 2)]


@pytest.mark.parametrize(
    ("shown", "real", "expected"),
    [
        (["took 1.5 s"], ["took 20.25 s"], True),
        (["took 1.5 s"], ["took long"], False),
        (["a", "…", "z"], ["a", "b", "c", "z"], True),
        (["a … z"], ["a b c z"], True),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
    ],
)
def test_what_is_shown_is_compared_without_its_numbers(shown: list[str], real: list[str], expected: bool) -> None:
    assert alike(shown, real) is expected
