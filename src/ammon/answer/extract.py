"""An answer without a language model: the sentences of the best passages that answer, word for word, each cited.

A sentence is scored by what is asked (`ammon.answer.questions`), by the question's rare terms in it and in the one
before it, by its passage, and, if it is among the best by these, by the encoder. The weights are a softmax regression
over "which sentence holds the answer": every second question of squad_dev and every sixth of cmrc2018 together, whose
other questions they serve as well.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ammon.answer.questions import Kind, kind_of, offers
from ammon.answer.sentences import sentences
from ammon.answers import Answer, Citation, Statement
from ammon.normalising import normalised
from ammon.ports import Embedder
from ammon.store.local.derived.terms import terms
from ammon.types import Hit, Span, Vectors

Rarity: TypeAlias = Callable[[Sequence[str]], Mapping[str, float]]
"""How telling terms are: an inverse document frequency, 0 or more, for each."""

PASSAGES: Final = 4
"""How many of the best hits are looked into."""

EMBEDDED: Final = 6
"""How many sentences the encoder compares with the question: with more, no more is found."""

LIKENESS, HELD, HELD_BEFORE, PASSAGE, RANK = 8.8, 4.5, 6.2, 4.0, 1.3
OFFERED: Final[Mapping[Kind, float]] = {"when": 1.4, "how many": 1.5, "who": 0.9, "where": 0.7, "why": 1.5, "": 0.0}

COMMON: Final = 3.0
"""Added to a term's rarity in the library, before it is multiplied by that among these very sentences."""

STEEPNESS, MIDDLE = 6.2, 0.6
"""Logistic fit of "the paragraph holds the answer" by the best sentence's likeness, on squad2_sample."""

ANSWERS = 0.5
"""The confidence from which a passage that was given is taken to answer: best on squad2_sample."""

LONGEST_SENTENCE: Final = 400
"""Characters. What has no sentences, such as a table, is cut at its lines."""

NEUTRAL: Final = (
    *("The meeting was moved to another room.", "She bought bread and milk on the way home."),
    *("Press the button to save your changes.", "The weather stayed dry all week."),
    *("This function returns a list of names.", "The committee approved the annual budget."),
    *("会议改到了另一个房间。", "她在回家的路上买了面包和牛奶。", "点击按钮即可保存更改。"),
    *("整个星期天气都很干燥。", "该函数返回一个名称列表。", "委员会批准了年度预算。"),
)
"""What is no answer to anything: how like a question is to these is where a model's scale begins."""

_neutral: WeakKeyDictionary[Embedder, Vectors] = WeakKeyDictionary()
_LINE: Final = re.compile(r"[^\n]*\S[^\n]*")
_BLOCK: Final = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_OPENING: Final = re.compile(r"\s*(?:package|import|from|use|using|#include|module|require)\b")
"""How a block of code begins that only names other code."""

_CODE: Final = re.compile(r"text/x-(?!rst$|tex$)|application/(?:json|xml)")
"""Media types of what is no prose: its blocks of lines stand for sentences, and are shown as they are."""
_WRAPPED: Final = re.compile(r"\s*\n\s*")
_BETWEEN_WIDE: Final = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a hit; ``span`` is within the hit's text, ``score`` without the encoder."""

    hit: Hit
    rank: int
    span: Span
    text: str
    score: float


def extract(
    question: str,
    hits: Sequence[Hit],
    embedder: Embedder | None,
    rarity: Rarity,
    *,
    most: int = 2,
    threshold: float = ANSWERS,
) -> Answer:
    """At most ``most`` sentences of the hits that answer, in reading order; abstains below the ``threshold``.

    The confidence is that of the best sentence. Without an ``embedder`` words alone decide, and the best hit's score is
    the confidence.
    Raises: ModelUnavailable, ModelMismatch.
    """
    scored = sorted(_scored(question, hits[:PASSAGES], rarity), key=lambda each: each.score)
    best = sorted({each.text: each for each in scored}.values(), key=lambda each: -each.score)[:EMBEDDED]
    if not best:
        return Answer(question, "", "none", abstained=True, reason="No passage was found.", hits=hits)
    if embedder is None:
        confidence = hits[0].score
    else:
        likenesses = likeness(embedder, question, [each.text for each in best])
        confidence = float(1 / (1 + math.exp(STEEPNESS * (MIDDLE - float(likenesses.max())))))
        order = np.argsort([-each.score - LIKENESS * like for each, like in zip(best, likenesses, strict=True)])
        best = [best[at] for at in order.tolist()]
    if confidence < threshold:
        reason = f"No sentence of the {min(len(hits), PASSAGES)} best passages seems to answer this."
        return Answer(question, "", "none", abstained=True, reason=reason, confidence=confidence, hits=hits)
    return _answer(question, best[:most], confidence, hits)


def likeness(embedder: Embedder, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """How like each text is to the question, shape ``(n,)``: 0 as much as what has nothing to do with it, 1 the same.

    A share of what is left between the two, so that a model's own scale of cosines does not matter.
    """
    asked = embedder.embed_queries([normalised(question)])[0]
    if embedder not in _neutral:
        _neutral[embedder] = embedder.embed_passages(NEUTRAL)
    floor = float((_neutral[embedder] @ asked).mean())
    rows = embedder.embed_passages([normalised(text) for text in texts])
    return np.asarray((rows @ asked - floor) / max(1e-6, 1 - floor), np.float32)


def _scored(question: str, hits: Sequence[Hit], rarity: Rarity) -> Iterator[_Sentence]:
    """Every sentence of the hits, scored by what costs nothing."""
    asked = list(dict.fromkeys(terms(question)))
    pieces = [(rank, hit, span) for rank, hit in enumerate(hits) for span in _pieces(hit)]
    held = [frozenset(asked).intersection(terms(hit.text[span.start : span.end])) for _, hit, span in pieces]
    worth = _worth(asked, held, rarity(asked))
    kind = kind_of(question)
    offered = offers(kind, question)
    for at, (rank, hit, span) in enumerate(pieces):
        before = held[at - 1] if at and pieces[at - 1][1] is hit else frozenset()
        text = hit.text[span.start : span.end]
        score = (
            HELD * sum(worth[term] for term in held[at])
            + HELD_BEFORE * sum(worth[term] for term in held[at] | before)
            + PASSAGE * hit.score
            + RANK / (1 + rank)
            + OFFERED[kind] * offered(text)
        )
        yield _Sentence(hit, rank, span, text, score)


def _worth(asked: Sequence[str], held: Sequence[AbstractSet[str]], rare: Mapping[str, float]) -> Mapping[str, float]:
    """What each term of a question is worth, in all 1: rare ones more, and most those that few of the sentences hold.

    Among passages about one matter, what that is called tells none of their sentences from the others.
    """
    found = Counter(term for each in held for term in each)
    worth = {
        term: (rare[term] + COMMON) * math.log1p((len(held) - found[term] + 0.5) / (found[term] + 0.5))
        for term in asked
    }
    whole = sum(worth.values()) or 1.0
    return {term: each / whole for term, each in worth.items()}


def _pieces(hit: Hit) -> Iterator[Span]:
    """The sentences of a hit; longer ones by their lines. Of code, the blocks of lines without a blank one."""
    if _CODE.match(hit.media_type):
        blocks = [Span(*block.span()) for block in _BLOCK.finditer(hit.text)]
        yield from [block for block in blocks if not _OPENING.match(hit.text, block.start)] or blocks
        return
    for span in sentences(hit.text):
        if span.end - span.start <= LONGEST_SENTENCE:
            yield span
        else:
            for line in _LINE.finditer(hit.text, span.start, span.end):
                yield Span(line.start(), line.end())


def _answer(question: str, chosen: Sequence[_Sentence], confidence: float, hits: Sequence[Hit]) -> Answer:
    first_of = {each.hit.document_id: each.rank for each in sorted(chosen, key=lambda each: -each.rank)}
    reading = sorted(chosen, key=lambda each: (first_of[each.hit.document_id], each.hit.span.start + each.span.start))
    statements = tuple(
        Statement(
            each.text if _CODE.match(each.hit.media_type) else in_one_line(each.text), (cited(each.hit, each.span),)
        )
        for each in reading
    )
    return Answer(question, joined(statements), "extracted", statements, confidence=confidence, hits=hits)


def cited(hit: Hit, span: Span) -> Citation:
    """The citation of a stretch of a hit's text."""
    quote = hit.text[span.start : span.end]
    first = last = 0
    # Where the lines of the source are not those of the text, all that is known is where the passage stands.
    if hit.last_line - hit.first_line == hit.text.count("\n"):
        first = hit.first_line + hit.text.count("\n", 0, span.start)
        last = first + quote.count("\n")
    at = Span(hit.span.start + span.start, hit.span.start + span.end)
    return Citation(hit, at, quote, first or hit.first_line, last or hit.last_line)


def in_one_line(text: str) -> str:
    """A sentence without the line breaks of its source: for a space, or for nothing between Chinese characters."""
    return _BETWEEN_WIDE.sub("", _WRAPPED.sub(" ", text)) if "\n" in text else text


def joined(statements: Sequence[Statement]) -> str:
    """The text of an answer."""
    text = ""
    for each in statements:
        apart = "\n\n" if "\n" in each.text else " "
        text += ("" if not text or ord(text[-1]) > 0x2FFF else apart) + each.text
    return text
