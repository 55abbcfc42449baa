"""Incremental equals from scratch: whatever happens to a folder, its library is as if it had been read for the first time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ammon import Library, Settings
from ammon.progress import Progress, Watcher
from properties.holdings import Holdings, found_by_vector, found_by_words, holdings, require_tidy
from properties.rights import bound_by_permissions
from toy_embedder import TrigramEmbedder

MEMORY = Path("/dev/shm")
"""Where libraries are made, if it is there: what a disk makes of a power cut is tested elsewhere."""

NAMES = (
    "a.md",
    "b.md",
    "notes.txt",
    "Makefile",
    "LICENSE",
    "rows.csv",
    "deep/a.md",
    "deep/code.py",
    "deep/page.html",
    "新的.txt",
    "odd.xyz",
)
PARAGRAPHS = (
    "# Apples\n\nApples ripen in autumn, and pears off the tree.",
    "## Quinces\n\nQuinces are hard and sour until they are cooked for a long time.",
    "苹果在秋天成熟，梨要摘下来以后才变软。",
    "the same words stand in many files",
    "name,colour\nplum,blue\ncherry,red",
    "def ripen(fruit: str) -> None:\n    '''Wait for autumn.'''\n    return None",
    "<p>A page with <b>bold</b> fruit.</p>",
    "A long tale of an orchard by the river. " * 12,
    "Ünïcödé wörds, für alle Fälle.",
    " ",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "latin-1")
RULES = ("", "*.md\n", "deep/\n", "*\n!a.md\n", "Makefile\nodd.*\n", "/a.md\n")
QUERIES = ("apples in autumn", "苹果在秋天", "the same words", "ripen fruit")

names = st.sampled_from(NAMES)
bodies = st.lists(st.sampled_from(PARAGRAPHS), max_size=4).map("\n\n".join)
encodings = st.sampled_from(ENCODINGS)


class Interrupted(Exception):
    """What a user's Ctrl-C is like, at a moment of our choosing."""


def open_library(place: Path) -> Library:
    return Library(place, settings=Settings(chunk_tokens=96), embedder=TrigramEmbedder())


class Mirroring(RuleBasedStateMachine):
    """A folder that changes, and a library that follows it."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="ammon-", dir=MEMORY if MEMORY.is_dir() else None))
        self.folder = self.place / "folder"
        (self.folder / "deep").mkdir(parents=True)
        self.library = open_library(self.place / "library")
        self.killed = False

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())

    def picked(self, number: int) -> Path | None:
        there = self.files()
        return there[number % len(there)] if there else None

    # --- what happens to files -------------------------------------------------------------------------------------

    @rule(name=names, body=bodies, encoding=encodings)
    def write(self, name: str, body: str, encoding: str) -> None:
        path = self.folder / name
        if path.parent.is_dir() and not path.is_dir():
            path.write_bytes(body.encode(encoding, "replace"))

    @rule(first=names, second=names, body=bodies)
    def write_twice(self, first: str, second: str, body: str) -> None:
        self.write(first, body, "utf-8")
        self.write(second, body, "utf-8")

    @rule(number=st.integers(0, 99), body=bodies)
    def append(self, number: int, body: str) -> None:
        path = self.picked(number)
        if path is not None:
            with path.open("ab") as file:
                file.write(body.encode())

    @rule(
        number=st.integers(0, 99), content=st.sampled_from([b"", b"\n \n", bytes(range(256)), b"\x89PNG\r\n\x1a\n\0"])
    )
    def spoil(self, number: int, content: bytes) -> None:
        path = self.picked(number)
        if path is not None:
            path.write_bytes(content)

    @rule(number=st.integers(0, 99), name=names)
    def rename(self, number: int, name: str) -> None:
        path, target = self.picked(number), self.folder / name
        if path is not None and target.parent.is_dir() and not target.is_dir():
            path.replace(target)

    @rule(number=st.integers(0, 99), other=st.integers(0, 99))
    def swap(self, number: int, other: int) -> None:
        one, two, between = self.picked(number), self.picked(other), self.place / "between"
        if one is not None and two is not None and one != two:
            one.rename(between)
            two.rename(one)
            between.rename(two)

    @rule(number=st.integers(0, 99))
    def delete(self, number: int) -> None:
        path = self.picked(number)
        if path is not None:
            path.unlink()

    @rule(number=st.integers(0, 99), mode=st.sampled_from([0o000, 0o200, 0o644]))
    def change_mode(self, number: int, mode: int) -> None:
        path = self.picked(number)
        if path is not None:
            path.chmod(mode)

    @rule(mode=st.sampled_from([0o000, 0o755]))
    def change_mode_of_folder(self, mode: int) -> None:
        if (self.folder / "deep").is_dir():
            (self.folder / "deep").chmod(mode)

    @rule(number=st.integers(0, 99), when=st.sampled_from([0, 10**9, None]))
    def touch(self, number: int, when: int | None) -> None:
        path = self.picked(number)
        if path is not None:
            os.utime(path, None if when is None else (when, when))

    @rule(number=st.integers(0, 99))
    def edit_with_size_and_time_restored(self, number: int) -> None:
        path = self.picked(number)
        if path is not None:
            state = path.stat()
            path.write_bytes(path.read_bytes().swapcase())
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    @rule(number=st.integers(0, 99), body=bodies)
    def replace_by_folder(self, number: int, body: str) -> None:
        path = self.picked(number)
        if path is not None:
            path.unlink()
            path.mkdir()
            (path / "inner.md").write_text(body, "utf-8")

    @rule(name=names)
    def replace_by_file(self, name: str) -> None:
        path = self.folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            path.write_text(PARAGRAPHS[0], "utf-8")

    @rule(number=st.integers(0, 99), name=names, hard=st.booleans())
    def link(self, number: int, name: str, hard: bool) -> None:
        path, target = self.picked(number), self.folder / name
        if path is not None and target.parent.is_dir() and not os.path.lexists(target):
            target.hardlink_to(path) if hard else target.symlink_to(path)

    @rule(rules=st.sampled_from(RULES), below=st.booleans())
    def ignore(self, rules: str, below: bool) -> None:
        path = self.folder / "deep" / ".gitignore" if below else self.folder / ".gitignore"
        if path.parent.is_dir() and not path.is_dir():
            path.write_text(rules, "utf-8")

    @rule(one=st.sampled_from(["deep", "deeper"]), two=st.sampled_from(["deep", "deeper", "a.md"]))
    def move_folder(self, one: str, two: str) -> None:
        if (self.folder / one).is_dir() and not os.path.lexists(self.folder / two):
            (self.folder / one).rename(self.folder / two)

    # --- what happens to the library ---------------------------------------------------------------------------------

    @rule()
    def index(self) -> None:
        before = holdings(self.library)
        with bound_by_permissions():
            report = self.library.index(self.folder)
        after = holdings(self.library)
        assert report.pending == 0
        for skip in report.failed:
            if skip.code == "unreadable" and skip.uri in before.documents and is_held(before, skip.uri):
                assert after.documents[skip.uri] == before.documents[skip.uri]

    @rule(moment=st.integers(0, 12))
    def interrupt(self, moment: int) -> None:
        try:
            with bound_by_permissions():
                self.library.index(self.folder, progress=at(moment))
        except Interrupted:
            return

    @rule(moment=st.integers(0, 12))
    @precondition(lambda self: not self.killed)
    def kill(self, moment: int) -> None:
        """At most once: a process takes a while to start."""
        self.killed = True
        words = [sys.executable, __file__, str(self.place / "library"), str(self.folder), str(moment)]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        ended = subprocess.run(words, env=environ, check=False, timeout=60)
        assert ended.returncode in (0, -signal.SIGKILL)

    @rule()
    def reopen(self) -> None:
        self.library.close()
        self.library = open_library(self.place / "library")

    @rule()
    def compact(self) -> None:
        assert self.library.upkeep.compact().note == ""

    @rule()
    def repair(self) -> None:
        assert self.library.doctor(repair=True) == []

    # --- the law -----------------------------------------------------------------------------------------------------

    @rule(compacted=st.booleans())
    def compare(self, compacted: bool) -> None:
        """Compare with a library that reads the folder for the first time."""
        self.index()
        require_tidy(self.library)
        scratch = open_library(self.place / "scratch")
        try:
            with bound_by_permissions():
                scratch.index(self.folder)
            expected, actual = holdings(scratch), holdings(self.library)
            closed = unreadable(expected, actual)
            assert actual.without(closed) == expected.without(closed)
            if not closed:
                assert actual.vectors == expected.vectors
                if compacted:
                    self.compact()
                    scratch.upkeep.compact()
                require_same_hits(self.library, scratch, scores=compacted)
        finally:
            scratch.close()
            shutil.rmtree(self.place / "scratch")

    def open_up(self) -> None:
        for path in [self.folder, *self.folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)

    def teardown(self) -> None:
        try:
            self.open_up()
            self.compare(compacted=True)
        finally:
            self.library.close()
            shutil.rmtree(self.place)


def is_held(holding: Holdings, uri: str) -> bool:
    return bool(holding.documents[uri][9] == "ok")


def unreadable(*those: Holdings) -> set[str]:
    """Documents that one of them could not read, or that stand below a folder that could not be listed."""
    closed = {skip.uri for each in those for skip in each.left_out if skip.code == "unreadable"}
    below = tuple(uri + os.sep for uri in closed)
    return closed | {uri for each in those for uri in each.documents if uri.startswith(below)}


def require_same_hits(one: Library, two: Library, *, scores: bool) -> None:
    """See that both find the same; with the same ``scores`` by words only where no removed passage counts in them."""
    for query in QUERIES:
        found = [found_by_words(library.store, query) for library in (one, two)]
        if not scores:
            found = [sorted((0.0, *place[1:]) for place in places) for places in found]
        assert found[0] == found[1]
        vector = TrigramEmbedder().embed_queries([query])[0]
        assert found_by_vector(one.store, vector) == found_by_vector(two.store, vector)


def at(moment: int, die: bool = False) -> Watcher:
    """A watcher that ends everything at the call of this number."""
    seen = 0

    def watch(_: Progress) -> None:
        nonlocal seen
        if seen == moment and die:
            os.kill(os.getpid(), signal.SIGKILL)
        if seen == moment:
            raise Interrupted
        seen += 1

    return watch


TestMirroring = Mirroring.TestCase
TestMirroring.settings = settings(
    max_examples=max(8, settings().max_examples // 25),
    stateful_step_count=20,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink what takes seconds would take minutes
)

if __name__ == "__main__":
    with open_library(Path(sys.argv[1])) as opened, bound_by_permissions():
        opened.index(sys.argv[2], progress=at(int(sys.argv[3]), die=True))
