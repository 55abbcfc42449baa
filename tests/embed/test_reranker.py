"""Cross-encoders: the same scores as plain arithmetic gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import load_reranker
from ammon.errors import ModelNotFound

QUERY = "what is memory"
TEXTS = ["a", "elephants remember", "大象的记忆", "the quick brown fox jumps over " * 9, ""]


def logits(weights: tiny.Arrays, text: str, *, roberta: bool) -> np.ndarray:
    cut = tiny.tokenizer()
    offset = 1 if roberta else 0
    cut.enable_truncation(tiny.PLACES - offset)
    encoded = cut.encode(QUERY, text)
    rows = tiny.hidden_states(
        weights, encoded.ids, heads=tiny.HEADS, epsilon=1e-5, offset=offset, kinds=encoded.type_ids
    )
    inner, outer = ("classifier.dense", "classifier.out_proj") if roberta else ("pooler.dense", "classifier")
    pooled = np.tanh(weights[f"{inner}.weight"] @ rows[0] + weights[f"{inner}.bias"])
    return np.asarray(weights[f"{outer}.weight"] @ pooled + weights[f"{outer}.bias"])


def write(folder: Path, weights: tiny.Arrays, kind: str, labels: int) -> Path:
    names = {str(at): f"LABEL_{at}" for at in range(labels)}
    return tiny.write_folder(folder, weights, kind=kind, architectures=["XForSequenceClassification"], id2label=names)


@pytest.mark.parametrize(("kind", "prefix"), [("bert", "bert."), ("xlm-roberta", "roberta.")])
@pytest.mark.parametrize("labels", [1, 2])
def test_scores_are_those_of_plain_arithmetic(tmp_path: Path, kind: str, prefix: str, labels: int) -> None:
    roberta = kind != "bert"
    weights = tiny.random_weights(8, prefix=prefix, labels=labels, roberta=roberta)
    reranker = load_reranker(str(write(tmp_path / "m", weights, kind, labels)), cache=tmp_path / "c", threads=1)
    plain = {name.removeprefix(prefix): array for name, array in weights.items()}
    found = [logits(plain, text, roberta=roberta) for text in TEXTS]
    expected = [1 / (1 + np.exp(-(one[0] if labels == 1 else one[1] - one[0]))) for one in found]
    scores = reranker.score(QUERY, TEXTS)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_no_texts_have_no_scores(tmp_path: Path) -> None:
    weights = tiny.random_weights(8, prefix="bert.", labels=1)
    reranker = load_reranker(str(write(tmp_path / "m", weights, "bert", 1)), cache=tmp_path / "c", threads=1)
    assert reranker.score(QUERY, []).shape == (0,)
    assert reranker.score("", ["", "\x00", "\ud800"]).shape == (3,)


def test_a_classifier_of_many_classes_is_no_reranker(tmp_path: Path) -> None:
    weights = tiny.random_weights(8, prefix="bert.", labels=3)
    folder = write(tmp_path / "m", weights, "bert", 3)
    with pytest.raises(ModelNotFound, match="3 classes"):
        load_reranker(str(folder), cache=tmp_path / "c", threads=1)


def test_an_embedding_model_is_no_reranker(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m", tiny.random_weights(1))
    with pytest.raises(ModelNotFound, match="no cross-encoder"):
        load_reranker(str(folder), cache=tmp_path / "c", threads=1)


def test_threads_that_share_a_reranker_get_what_one_alone_would_get(tmp_path: Path) -> None:
    weights = tiny.random_weights(8, prefix="bert.", labels=1)
    reranker = load_reranker(str(write(tmp_path / "m", weights, "bert", 1)), cache=tmp_path / "c", threads=1)
    work = [[text + "memory" * (at % 5) for text in TEXTS] for at in range(80)]
    alone = [reranker.score(QUERY, texts) for texts in work]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda texts: reranker.score(QUERY, texts), work))
    np.testing.assert_allclose(together, alone, atol=1e-5)
