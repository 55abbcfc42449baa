"""A file that is damaged, or made to do harm, is refused by name and changes nothing that it should not."""

from __future__ import annotations

import io
import json
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ammon import Library
from ammon.errors import AmmonError, InputError, LibraryError
from ammon.store.local.moving import portable
from moving.conftest import Open, held

MEMBERS = ["documents/000000.jsonl", "vectors/000000.npy", "vectors/000000.texts.npy"]
FLIPS = 120
CUTS = 25


@pytest.fixture
def other(tmp_path: Path, open_library: Open) -> Library:
    return open_library(tmp_path / "other")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, list[tuple[Any, ...]]]]:
    """The bytes of an export of a few documents, and what they hold."""
    from ammon import Document
    from toy_embedder import TrigramEmbedder

    home = tmp_path_factory.mktemp("small")
    with Library(home / "library", embedder=TrigramEmbedder()) as library:
        library.add([Document(f"d:{number}", f"Document {number} of a few. 第{number}篇") for number in range(6)])
        library.upkeep.export(home / "small.zip")
        return (home / "small.zip").read_bytes(), held(library)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def members(small: tuple[bytes, Any], tmp_path: Path) -> dict[str, bytes]:
    """The members of a small export, to be changed."""
    (tmp_path / "small.zip").write_bytes(small[0])
    return contents(tmp_path / "small.zip")


def test_a_flipped_byte_is_refused_or_without_effect(
    small: tuple[bytes, dict[str, Any]], tmp_path: Path, open_library: Open
) -> None:
    content, wanted = small
    other = open_library(tmp_path / "other")
    refused = 0
    for at in random.Random(5).sample(range(len(content)), FLIPS):
        flipped = bytearray(content)
        flipped[at] ^= 1 << (at % 8)
        (tmp_path / "flipped.zip").write_bytes(flipped)
        try:
            other.upkeep.import_file(tmp_path / "flipped.zip")
        except AmmonError as error:
            assert "flipped.zip" in str(error), f"byte {at}: {error}"
            assert error.hint
            assert held(other)["documents"] == [], f"byte {at} was refused after something was stored"
            refused += 1
        else:
            assert held(other) == wanted, f"byte {at} went unnoticed"
            other.close()
            other = open_library(tmp_path / f"other-{at}")
    assert refused > FLIPS / 2


def test_a_file_that_was_cut_is_refused(small: tuple[bytes, Any], tmp_path: Path, other: Library) -> None:
    content, _ = small
    for length in random.Random(6).sample(range(len(content)), CUTS):
        (tmp_path / "cut.zip").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.zip"):
            other.upkeep.import_file(tmp_path / "cut.zip")
    assert held(other)["documents"] == []


@pytest.mark.parametrize("name", MEMBERS)
def test_the_member_that_is_damaged_is_named(
    name: str, small: tuple[bytes, Any], members: dict[str, bytes], tmp_path: Path, other: Library
) -> None:
    path = pack(tmp_path / "stored.zip", members, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.find(members[name]) + len(members[name]) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"stored.zip: {name}: it is damaged"):
        other.upkeep.import_file(path)
    assert held(other)["documents"] == []
    assert small


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_is_missing_is_named_before_anything_is_stored(
    name: str, members: dict[str, bytes], tmp_path: Path, other: Library
) -> None:
    del members[name]
    with pytest.raises(InputError, match=f"{name}: it is missing"):
        other.upkeep.import_file(pack(tmp_path / "short.zip", members))
    assert held(other)["documents"] == []


def test_names_that_climb_out_lead_nowhere(members: dict[str, bytes], tmp_path: Path, open_library: Open) -> None:
    evil = {"../evil": b"x", "/tmp/ammon-evil": b"x", "catalog.db": b"x", "..\\evil": b"x"}
    manifest = json.loads(members["manifest.json"])
    members["../../climbing.jsonl"] = members.pop("documents/000000.jsonl")
    manifest["documents"][0]["member"] = "../../climbing.jsonl"
    members["manifest.json"] = json.dumps(manifest).encode()
    folder = tmp_path / "deep" / "down" / "other"
    open_library(folder).upkeep.import_file(pack(tmp_path / "climbing.zip", {**members, **evil}))
    found = {path.name for path in tmp_path.rglob("*")}
    assert not {"evil", "climbing.jsonl", "..\\evil"} & found
    assert not Path("/tmp/ammon-evil").exists()
    assert (folder / "catalog.db").stat().st_size > 1


def changed(members: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    return {**members, "manifest.json": json.dumps(manifest).encode()}


ABSURD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "rows of documents": lambda manifest: manifest["documents"][0].update(rows=10**18),
    "rows of vectors": lambda manifest: manifest["vectors"][0].update(rows=10**18),
    "dimensions": lambda manifest: manifest["model"].update(dim=10**12),
    "no dimensions": lambda manifest: manifest["model"].update(dim=0),
    "a model that is none": lambda manifest: manifest.update(model=[1, 2]),
    "roots that are none": lambda manifest: manifest.update(roots=[{"uri": 1}, 7]),
    "a setting that cannot be": lambda manifest: manifest.update(settings={"chunk_tokens": -1}),
    "documents that are none": lambda manifest: manifest.update(documents="all"),
    "nothing": lambda manifest: manifest.clear(),
}


@pytest.mark.parametrize("what", ABSURD)
def test_an_absurd_manifest_is_refused(what: str, members: dict[str, bytes], tmp_path: Path, other: Library) -> None:
    path = pack(tmp_path / "absurd.zip", changed(members, ABSURD[what]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AmmonError) as raised:
        other.upkeep.import_file(path)
    assert not isinstance(raised.value, LibraryError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_settings_cannot_send_texts_anywhere(members: dict[str, bytes], tmp_path: Path, other: Library) -> None:
    sent = {"embed_url": "http://192.0.2.1/v1", "model": "theirs", "cache": "/", "dense_weight": 0.25}
    path = pack(tmp_path / "sent.zip", changed(members, lambda manifest: manifest.update(settings=sent)))
    other.upkeep.import_file(path)
    assert (other.path / "ammon.toml").read_text() == "dense_weight = 0.25\n"


def saved(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_arrays_are_what_the_manifest_says_or_refused(
    members: dict[str, bytes], tmp_path: Path, other: Library
) -> None:
    good = np.load(io.BytesIO(members["vectors/000000.npy"]))
    absurd = members["vectors/000000.npy"].replace(b"(6, 64)", b"(6, 9**9**9)"[:7])
    huge = members["vectors/000000.npy"].replace(b"'shape': (6, 64), }      ", b"'shape': (6000000, 64000)")
    for content in (
        saved(good.astype("<f4")),
        saved(good[:5]),
        saved(good[:, :63]),
        saved(np.full_like(good, np.nan)),
        saved(np.zeros_like(good)),
        saved(good * np.float16(3)),
        saved(np.asfortranarray(good)),
        b"no array",
        absurd,
        huge,
        members["vectors/000000.npy"][:-2],
    ):
        path = pack(tmp_path / "array.zip", {**members, "vectors/000000.npy": content})
        with pytest.raises(InputError, match=r"vectors/000000\.npy"):
            other.upkeep.import_file(path)
        assert held(other)["vectors"] == []


def line(**fields: Any) -> bytes:
    return json.dumps({"uri": "a", "text": "abc", **fields}).encode() + b"\n"


LINES = {
    "no JSON": b"{",
    "no object": b"[1]\n",
    "no UTF-8": b'{"uri": "\xff"}\n',
    "no text": b'{"uri": "a"}\n',
    "no name": line(uri=""),
    "a name that is none": line(uri=7),
    "a span past the end": line(chunks=[{"start": 0, "end": 4}]),
    "a span backwards": line(chunks=[{"start": 2, "end": 1}]),
    "spans that overlap": line(chunks=[{"start": 0, "end": 2}, {"start": 1, "end": 3}]),
    "a span below zero": line(chunks=[{"start": -1, "end": 2}]),
    "a number too large": line(size=2**64),
    "headings that are none": line(chunks=[{"start": 0, "end": 2, "heading": [1]}]),
    "a state that is none": line(state="lost"),
    "a root that is none": line(root=5),
    "metadata that is none": line(metadata=[1]),
    "far too deep": b'{"uri": "a", "text": "b", "metadata": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}\n",
    "a number of a million digits": b'{"uri": "a", "text": "b", "size": ' + b"9" * 1_000_000 + b"}\n",
}


@pytest.mark.parametrize("what", LINES)
def test_a_line_that_is_no_document_is_refused_with_its_number(
    what: str, members: dict[str, bytes], tmp_path: Path, other: Library
) -> None:
    members["documents/000000.jsonl"] = line(uri="good") + LINES[what]
    with pytest.raises(InputError, match=r"bad\.zip: documents/000000\.jsonl: line 2"):
        other.upkeep.import_file(pack(tmp_path / "bad.zip", members))
    assert held(other)["documents"] == []
    assert other.doctor() == []


def test_a_bomb_is_refused_before_it_is_unpacked(
    members: dict[str, bytes], tmp_path: Path, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable, "LONGEST_LINE", 1_000_000)
    members["documents/000000.jsonl"] = b" " * 60_000_000
    path = pack(tmp_path / "bomb.zip", members)
    assert path.stat().st_size < 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="a line is longer"):
        other.upkeep.import_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


def test_a_file_larger_than_the_disk_is_refused(members: dict[str, bytes], tmp_path: Path, other: Library) -> None:
    path = pack(tmp_path / "large.zip", members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
        with pytest.raises(LibraryError, match="100 are free"):
            other.upkeep.import_file(path)
    assert held(other)["documents"] == []
    other.upkeep.import_file(path)
