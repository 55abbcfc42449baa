"""Which leg can serve a query at all. A leg that cannot is given less of the word, or none.

The keyword leg is weighed by how much of the question its best hits hold: a Chinese question over English passages
matches a number here and a name there. The dense leg is left out where its model does not read the script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ammon.search.hits import share_held
from ammon.types import Record

FULL_SHARE = 0.2
"""From this share of held terms on, the keyword leg has its whole weight. Best hits of questions in the passages' own
language held at least 0.40 (5th percentile, five sets), of questions in another at most 0.06 (95th)."""

LOOKED_AT = 3
"""Best keyword hits that are looked at."""

_SCRIPTS = (
    (re.compile(r"[\u3041-\u30ff]"), frozenset({"ja"})),
    (re.compile(r"[\uac00-\ud7a3]"), frozenset({"ko"})),
    (re.compile(r"[\u3400-\u9fff]"), frozenset({"zh", "ja"})),
    (re.compile(r"[\u0400-\u04ff]"), frozenset({"ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn"})),
    (re.compile(r"[\u0370-\u03ff]"), frozenset({"el"})),
    (re.compile(r"[\u0590-\u05ff]"), frozenset({"he", "yi"})),
    (re.compile(r"[\u0600-\u06ff]"), frozenset({"ar", "fa", "ur", "ps"})),
    (re.compile(r"[\u0900-\u097f]"), frozenset({"hi", "mr", "ne"})),
    (re.compile(r"[\u0e00-\u0e7f]"), frozenset({"th"})),
)
"""A character class and the languages written with it. Latin letters tell nothing and are not listed."""


def lexical_trust(distinct: Sequence[str], best: Sequence[Record]) -> float:
    """How far the keyword leg can be trusted, in [0, 1].

    It is the largest share of the query's ``distinct`` terms that one of its ``best`` hits holds, over `FULL_SHARE`.
    """
    trust = 0.0
    for record in best:
        trust = max(trust, share_held(distinct, record) / FULL_SHARE)
        if trust >= 1:
            return 1.0
    return trust


def model_reads(text: str, languages: frozenset[str]) -> bool:
    """Whether a model of these languages (ISO 639-1; none: any) reads the script that most of ``text`` is in.

    >>> model_reads("注意力机制是什么", frozenset({"en"}))
    False
    """
    letters = sum(map(str.isalpha, text))
    for pattern, written in _SCRIPTS:
        if languages and not languages & written and 2 * len(pattern.findall(text)) > letters:
            return False
    return True
