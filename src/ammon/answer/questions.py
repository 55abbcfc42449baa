"""What kind of thing a question asks for, in English and Chinese, and whether a sentence has one to offer."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["when", "how many", "who", "where", "why", ""]

_ASKS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "when",
        re.compile(
            r"\bwhen\b|\b(?:what|which|what's the) (?:year|date|day|month|time|century|decade)\b|\bhow (?:long|old)\b"
            r"|何时|何年|什么时[候间]|哪一?[年天日月]|几[年月日]|多久|年代|時候|何時"
        ),
    ),
    (
        "how many",
        re.compile(
            r"\bhow (?:many|much|far|tall|large|big|high|deep|wide|fast|often)\b"
            r"|\b(?:what|which) (?:percent(?:age)?|number|amount|population|proportion|fraction)\b"
            r"|多少|多[大高长远重深宽]|第几|几[个名位种次家座所人条部首岁]|幾"
        ),
    ),
    ("who", re.compile(r"\bwho(?:m|se)?\b|谁|誰|哪位|何人|什么人|哪个人")),
    (
        "where",
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:country|city|state|place|region|continent|town|river|location)\b"
            r"|哪里|哪裡|何处|何地|什么地方|在哪|哪个(?:国家|城市|省|地方|地区)|哪[国省市]"
        ),
    ),
    ("why", re.compile(r"\bwhy\b|为什么|為什麼|为何|何故|什么原因")),
)

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand "
    "million billion half third quarter dozen twice double"
).split()

_DATE: Final = re.compile(
    rf"\b(?:1\d{{3}}|20\d\d)s?\b|\b(?:{'|'.join(_MONTHS + _DAYS)}|century|decade|today|years?|months?|days?)\b"
    r"|\d\s*[年月日]|世纪|世紀|年代|年间|时期|時期",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(rf"\d|\b(?:{'|'.join(_NUMBERS)})\b|[一二三四五六七八九十百千万亿两萬億]", re.IGNORECASE)
_CAUSE: Final = re.compile(
    r"\b(?:because|since|due to|so that|in order to|as a result|therefore|caused?|reason|to avoid|thus|led to)\b"
    r"|因为|由于|因此|因而|所以|为了|原因|导致|以免|因為|由於",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<!^)(?<![.!?。！？]\s)\b[A-Z][\w'-]+")
_LATIN: Final = re.compile(r"[A-Za-z]{3}")
_WORD: Final = re.compile(r"\w+")


def kind_of(question: str) -> Kind:
    """What the question asks for; empty where that cannot be told."""
    folded = question.lower()
    for kind, asks in _ASKS:
        if asks.search(folded):
            return kind
    return ""


def offers(kind: Kind, question: str) -> Callable[[str], float]:
    """Tells of a sentence whether it holds such a thing: 1 where it does, -1 where not, 0 where that is unknown.

    A name that the question itself holds is no answer to it. Names are told by their capitals, so of Chinese nothing
    is known; the lack of a word for a cause says nothing.
    """
    if kind == "when":
        return lambda sentence: 1.0 if _DATE.search(sentence) else -1.0
    if kind == "how many":
        return lambda sentence: 1.0 if _NUMBER.search(sentence) else -1.0
    if kind == "why":
        return lambda sentence: 1.0 if _CAUSE.search(sentence) else 0.0
    if kind in ("who", "where") and _LATIN.search(question):
        asked = frozenset(_WORD.findall(question.lower()))
        return lambda sentence: 1.0 if _has_name(sentence, asked) else -1.0
    return lambda _sentence: 0.0


def _has_name(sentence: str, asked: AbstractSet[str]) -> bool:
    return any(name.lower() not in asked for name in _NAME.findall(sentence))
