"""Builds on disk: opened when sound, made anew when not, and never needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import available_models, load_embedder, opening
from ammon.embed.cache import MANIFEST, find, save
from ammon.embed.specification import Origin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.write_folder(tmp_path / "model", tiny.random_weights(1))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models whose graphs were built."""
    counted: list[str] = []
    original = opening.build

    def counting(origin: Origin, kind: opening.Kind, place: Path, threads: int) -> opening.Opened:
        counted.append(origin.name)
        return original(origin, kind, place, threads)

    monkeypatch.setattr(opening, "build", counting)
    return counted


def test_a_model_is_built_once(folder: Path, tmp_path: Path, builds: list[str]) -> None:
    first = load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    second = load_embedder(str(folder), cache=tmp_path / "cache", threads=2)
    assert builds == [str(folder)]
    assert first.fingerprint == second.fingerprint
    np.testing.assert_allclose(first.embed_passages(["memory"]), second.embed_passages(["memory"]), atol=1e-5)


def test_changed_weights_are_built_anew_with_another_fingerprint(
    folder: Path, tmp_path: Path, builds: list[str]
) -> None:
    first = load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    tiny.write_safetensors(folder / "model.safetensors", tiny.random_weights(2))
    second = load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    assert len(builds) == 2
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("name", [MANIFEST, opening.GRAPH, opening.TOKENIZER])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "empty"])
def test_a_damaged_build_is_made_anew(folder: Path, tmp_path: Path, builds: list[str], name: str, damage: str) -> None:
    before = load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    expected = before.embed_passages(["memory"])
    file = next((tmp_path / "cache").rglob(name))
    content = bytearray(file.read_bytes())
    file.unlink()
    if damage != "gone":
        content[len(content) // 2] ^= 0xFF
        damaged: dict[str, bytes | bytearray] = {"cut": content[:-9], "flipped": content, "empty": b""}
        file.write_bytes(damaged[damage])
    again = load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    assert len(builds) == 2
    np.testing.assert_allclose(again.embed_passages(["memory"]), expected, atol=1e-5)
    load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    assert len(builds) == 2


def test_a_graph_that_the_runtime_refuses_is_made_anew(folder: Path, tmp_path: Path, builds: list[str]) -> None:
    load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    place = next((tmp_path / "cache").rglob(MANIFEST)).parent
    found = find(place)
    assert found is not None
    files = {opening.GRAPH: b"of a runtime to come", opening.TOKENIZER: (place / opening.TOKENIZER).read_bytes()}
    (place / MANIFEST).unlink()
    assert save(place, files, found.facts) is not None
    assert load_embedder(str(folder), cache=tmp_path / "cache", threads=1).embed_passages(["a"]).shape == (
        1,
        tiny.HIDDEN,
    )
    assert len(builds) == 2


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("where a folder should be")
    embedder = load_embedder(str(folder), cache=blocked, threads=1)
    assert embedder.embed_queries(["memory"]).shape == (1, tiny.HIDDEN)
    assert embedder.count_tokens(["abc"]) == [3]
    assert blocked.read_text() == "where a folder should be"


def test_processes_that_build_at_once_leave_one_sound_build(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ammon.embed import load_embedder\n"
        "print(load_embedder(sys.argv[1], cache=Path(sys.argv[2]), threads=1).embed_passages(['memory']).sum())"
    )
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(outputs) == 1
    assert len(list((tmp_path / "cache" / "models").iterdir())) == 1


def test_the_manifest_tells_what_the_models_list_shows(folder: Path, tmp_path: Path) -> None:
    load_embedder(str(folder), cache=tmp_path / "cache", threads=1)
    manifest = next((tmp_path / "cache").rglob(MANIFEST))
    card = next(card for card in available_models(cache=tmp_path / "cache") if card.name == str(folder))
    assert (card.dim, card.max_tokens, card.state) == (tiny.HIDDEN, tiny.PLACES, "cached")
    assert card.size >= json.loads(manifest.read_text())["facts"]["dim"]


def test_the_default_model_heads_the_list(tmp_path: Path) -> None:
    cards = available_models(cache=tmp_path)
    assert [card.name for card in cards] == ["multilingual-e5-small", "all-MiniLM-L6-v2"]
    for card in cards:
        assert card.licence
        assert bool(card.install) == (card.state == "absent")
