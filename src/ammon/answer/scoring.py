"""How near a text comes to one of the right answers, in [0, 1]: for choosing among prompts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Metric: TypeAlias = Callable[[str, Sequence[str]], float]
"""What was answered, and the right answers → 0 to 1."""

_ARTICLES: Final = {"a", "an", "the"}
_TOKEN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")


def tokens(text: str) -> list[str]:
    """Words without case, articles and punctuation, as SQuAD compares them; of Chinese, characters."""
    found = _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())
    return [each for each in found if each not in _ARTICLES]


def exact(said: str, right: Sequence[str]) -> float:
    """1 where the text is one of the right answers."""
    return float(any(tokens(said) == tokens(each) for each in right))


def contains(said: str, right: Sequence[str]) -> float:
    """1 where one of the right answers stands in the text, as whole words."""
    text = f" {' '.join(tokens(said))} "
    return float(any(f" {' '.join(tokens(each))} " in text for each in right))


def f1(said: str, right: Sequence[str]) -> float:
    """The best harmonic mean of precision and recall over tokens (Rajpurkar et al. 2016, section 6.1)."""
    return max((_f1(tokens(said), tokens(each)) for each in right), default=0.0)


def _f1(said: list[str], right: list[str]) -> float:
    shared = sum((Counter(said) & Counter(right)).values())
    return 2 * shared / (len(said) + len(right)) if shared else 0.0


METRICS: Final[dict[str, Metric]] = {"contains": contains, "exact": exact, "f1": f1}
