"""The walk opens what it should, in order, and says of everything else why not."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon import sources
from ammon.errors import PathNotFound, SourceError
from ammon.types import Skip, Source


def found(root: Path, **options: object) -> list[str]:
    """Relative names of the files that a walk yields."""
    walked = sources.walk(root, **options)  # type: ignore[arg-type]
    return [str(item.path.relative_to(root)) for item in walked if isinstance(item, Source)]


def skipped(root: Path, **options: object) -> dict[str, str]:
    """Relative name → code of what a walk leaves out."""
    walked = sources.walk(root, **options)  # type: ignore[arg-type]
    return {os.path.relpath(item.uri, root): item.code for item in walked if isinstance(item, Skip)}


def grow(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


def test_files_come_in_sorted_order_with_their_stamps(tmp_path: Path) -> None:
    grow(tmp_path, "b.txt", "a/z.txt", "a/b/c.md", "c.txt")
    assert found(tmp_path) == ["a/b/c.md", "a/z.txt", "b.txt", "c.txt"]
    first = next(item for item in sources.walk(tmp_path) if isinstance(item, Source))
    status = first.path.stat()
    assert (first.size, first.modified, first.uri) == (status.st_size, status.st_mtime_ns, str(first.path))


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("**/*.neat", ["a/one.neat", "two.neat"]),
        ("*.neat", ["a/one.neat", "two.neat"]),
        ("a/*", ["a/one.neat", "a/three.md"]),
        ("a/**", ["a/b/four.md", "a/one.neat", "a/three.md"]),
        (["*.neat", "*/b/*"], ["a/b/four.md", "a/one.neat", "two.neat"]),
        ("**/*.{neat,txt}", ["a/one.neat", "five.txt", "two.neat"]),
        ("[ft]*.neat", ["two.neat"]),
        ("nothing", []),
    ],
)
def test_globs_choose_files(tmp_path: Path, glob: str, expected: list[str]) -> None:
    grow(tmp_path, "two.neat", "a/one.neat", "a/three.md", "a/b/four.md", "five.txt")
    assert found(tmp_path, glob=glob) == expected


def test_ignore_files_are_honoured_at_every_depth_the_deeper_one_winning(tmp_path: Path) -> None:
    grow(tmp_path, "keep.txt", "a.log", "build/x.txt", "sub/a.log", "sub/b.log", "sub/secret.txt", "private/x.txt")
    (tmp_path / ".gitignore").write_text("*.log\n/build/\n")
    (tmp_path / "sub" / ".gitignore").write_text("!b.log\n")
    (tmp_path / "sub" / ".ammonignore").write_text("secret.*\n")
    (tmp_path / ".ammonignore").write_text("private\n")
    assert found(tmp_path) == ["keep.txt", "sub/b.log"]
    assert skipped(tmp_path) == dict.fromkeys(["a.log", "build", "private", "sub/a.log", "sub/secret.txt"], "ignored")


def test_tools_folders_and_libraries_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    grow(tmp_path, "a.txt", ".git/config", "node_modules/x.js", "notes.ammon/x.txt", ".env", "env/pyvenv.cfg")
    assert found(tmp_path) == ["a.txt"]
    assert skipped(tmp_path)[".env"] == "hidden"
    assert {skipped(tmp_path)[name] for name in (".git", "node_modules", "notes.ammon", "env")} == {"ignored"}
    assert found(tmp_path, glob=".env") == [".env"]


def test_links_never_lead_out_unless_asked_and_never_in_circles(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    grow(outside, "secret.txt")
    grow(root, "a.txt")
    (root / "file").symlink_to(outside / "secret.txt")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "nowhere").symlink_to(root / "absent")
    assert found(root) == ["a.txt"]
    assert set(skipped(root).values()) == {"link"}
    followed = [Path(item.uri).name for item in sources.walk(root, follow_links=True) if isinstance(item, Source)]
    assert followed == ["a.txt", "file", "secret.txt"]
    assert skipped(root, follow_links=True) == {"loop": "link-cycle", "nowhere": "link"}


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    grow(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        assert found(tmp_path) == ["a.txt"]
        assert skipped(tmp_path) == {"pipe": "not-regular", "socket": "not-regular"}


def test_a_file_that_became_a_pipe_or_a_link_is_refused_without_waiting(tmp_path: Path) -> None:
    grow(tmp_path, "a.txt", "b.txt")
    first, second = (item for item in sources.walk(tmp_path) if isinstance(item, Source))
    first.path.unlink()
    os.mkfifo(first.path)
    with pytest.raises(SourceError) as caught:
        sources.read(first)
    assert caught.value.code == "not-regular"
    second.path.unlink()
    second.path.symlink_to("/etc/hostname")
    with pytest.raises(SourceError) as caught:
        sources.read(second)
    assert caught.value.code == "unreadable"
    second.path.unlink()
    with pytest.raises(SourceError) as caught:
        sources.read(second)
    assert caught.value.code == "vanished"


def test_a_file_over_the_limit_is_named_with_the_limit_and_a_growing_one_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 101)
    (skip,) = sources.walk(tmp_path, max_bytes=100)
    assert isinstance(skip, Skip)
    assert skip.code == "too-large"
    assert "the limit (max_file_bytes) is 100" in skip.reason
    (source,) = sources.walk(tmp_path)
    assert isinstance(source, Source)
    with pytest.raises(SourceError) as caught:
        sources.read(source, max_bytes=100)
    assert caught.value.code == "too-large"
    assert sources.read(source, max_bytes=101) == b"x" * 101


def test_odd_names_have_a_storable_uri_that_leads_back(tmp_path: Path) -> None:
    names = [b"line\nend.txt", b"bad\xff\xfe.txt", "\ufffdff.txt".encode(), "naïve 中文.txt".encode()]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"text")
    walked = [item for item in sources.walk(tmp_path) if isinstance(item, Source)]
    uris = {item.uri.encode("utf-8") for item in walked}
    assert len(uris) == len(names)
    for item in walked:
        assert sources.path_of(item.uri) == item.path
        assert sources.uri_of(item.path) == item.uri
        assert sources.load(item, sources.read(item)).text == "text"


def test_one_file_as_root_is_read_whatever_the_ignore_files_say(tmp_path: Path) -> None:
    grow(tmp_path, "a.log")
    (tmp_path / ".gitignore").write_text("*.log")
    assert [item.uri for item in sources.walk(tmp_path / "a.log")] == [str(tmp_path / "a.log")]


def test_nothing_at_the_root_is_said(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound):
        list(sources.walk(tmp_path / "absent"))


@pytest.fixture
def plain_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which this process has no more rights than any user, even when the tests run as root."""
    if os.geteuid() != 0:
        yield tmp_path_factory.mktemp("plain")
        return
    with tempfile.TemporaryDirectory() as folder:
        nobody = 65534
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


def test_a_folder_that_cannot_be_listed_is_one_skip(plain_user: Path) -> None:
    grow(plain_user, "closed/a.txt", "open.txt")
    (plain_user / "closed").chmod(0)
    try:
        assert found(plain_user) == ["open.txt"]
        assert skipped(plain_user) == {"closed": "unreadable"}
    finally:
        (plain_user / "closed").chmod(0o700)


def test_a_file_that_may_not_be_read_is_an_error_with_its_name(plain_user: Path) -> None:
    grow(plain_user, "a.txt")
    (plain_user / "a.txt").chmod(0)
    (source,) = sources.walk(plain_user)
    assert isinstance(source, Source)
    with pytest.raises(SourceError, match=r"a\.txt") as caught:
        sources.read(source)
    assert caught.value.code == "unreadable"


def test_device_nodes_are_named_and_never_opened(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        os.mknod(tmp_path / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 0))
    except PermissionError:
        pytest.skip("This system does not let these tests make device nodes.")
    assert found(tmp_path) == []
    assert skipped(tmp_path) == {"zero": "not-regular", "disk": "not-regular"}


def test_a_file_that_became_a_device_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        sources.read(Source(Path("/dev/zero"), "/dev/zero", 0, 0))
    assert caught.value.code == "not-regular"


def test_a_file_that_grows_after_the_walk_or_during_the_read_is_bounded(tmp_path: Path) -> None:
    grow(tmp_path, "a.txt")
    (source,) = sources.walk(tmp_path, max_bytes=100)
    assert isinstance(source, Source)
    with source.path.open("a") as file:
        file.write("x" * 100)
    with pytest.raises(SourceError) as caught:
        sources.read(source, max_bytes=100)
    assert caught.value.code == "too-large"
    # A file of the kernel says that it has no bytes and gives many, as one that grows does.
    endless = Path("/proc/self/maps")
    if endless.exists():
        with pytest.raises(SourceError) as caught:
            sources.read(Source(endless, str(endless), 0, 0), max_bytes=10)
        assert caught.value.code == "too-large"


def test_ten_thousand_files_are_walked_in_a_moment(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"f{folder}").mkdir()
        for number in range(100):
            (tmp_path / f"f{folder}" / f"{number}.txt").touch()
    best = min(_seconds(tmp_path) for _ in range(3))
    assert best < 0.5  # of processor time: 0.1 s here


def _seconds(root: Path) -> float:
    started = time.process_time()
    assert sum(1 for _ in sources.walk(root)) == 10_000
    return time.process_time() - started
