"""The text spelling of a filter: ``year >= 2020 and lang = 'zh'``. A hand-written descent, one function a rule.

    either     = both ("or" both)*
    both       = single ("and" single)*
    single     = "not" single | "(" either ")" | field condition
    condition  = compare value | ["not"] "in" "(" [value ("," value)*] ")" | "is" ["not"] "null" | ["not"] "exists"
    compare    = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=" | "contains" | "startswith" | "endswith" | "like"
    value      = number | 'text' | "text" | "true" | "false" | "null"
    field      = key ("." key)*          key = word | "any text"

Words are read in any case. A quote inside text is doubled. ``= null`` is ``is null``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, cast

from ammon.errors import BadFilter
from ammon.store.local.filters.checks import (
    MAX_DEPTH,
    MAX_VALUES,
    Mistake,
    comparison_mistake,
    nearest,
    value_mistake,
)
from ammon.store.local.filters.tree import (
    KEYWORDS,
    WORD,
    Among,
    And,
    Compare,
    Exists,
    Field,
    Node,
    Not,
    Operator,
    Or,
    Value,
    field_of,
)

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<word>"""
    + WORD.pattern
    + r""")
    | (?P<symbol><=|>=|<>|!=|==|[=<>(),.])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_LIKE_A_DATE = re.compile(r"[\w:.+-]*")
_SYMBOLS: dict[str, Operator] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_WORDS = ("contains", "startswith", "endswith", "like")
_OPERATORS = (*_WORDS, "in", "not", "is", "exists")
_HABITS = {
    "&": "and",
    "|": "or",
    "!": "not",
    "～": "like",
    "~": "like",
    "＝": "=",
    "‘": "'",
    "’": "'",
    "“": "'",
    "”": "'",
    "（": "(",
    "）": ")",
    "，": ",",
}
"""Characters that people type, and what is meant here."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def parse_text(source: str) -> Node | None:
    """The tree of a filter's text; ``None`` for blank text.

    Raises: BadFilter, pointing at the mistake.
    """
    reader = _Reader(source)
    if reader.token.kind == "end":
        return None
    node = reader.either()
    if reader.token.kind != "end":
        reader.trailing()
    return node


class _Reader:
    """Reads one filter from left to right; ``token`` is the one to be read next."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.values = 0
        self.depth = 0
        self.token = self._next(0)

    def fail(self, message: str, position: int, hint: str = "") -> NoReturn:
        raise BadFilter(message, source=self.source, position=position, hint=hint)

    def _next(self, at: int) -> _Token:
        found = _TOKEN.match(self.source, at)
        if found is None:
            self._unreadable(at + len(self.source[at:]) - len(self.source[at:].lstrip()))
        kind = found.lastgroup or "end"
        return _Token(kind, found[kind], found.start(kind))

    def _unreadable(self, at: int) -> NoReturn:
        letter = self.source[at]
        if letter in "'\"":
            self.fail("A quote is never closed.", at, f"Close it with {letter}; inside text, double it: {letter * 2}.")
        if letter in _HABITS:
            self.fail(f"{letter} means nothing here.", at, f"Write: {_HABITS[letter]}")
        self.fail(f"{letter!r} means nothing here.", at)

    def take(self) -> _Token:
        taken = self.token
        self.token = self._next(taken.start + len(taken.text))
        return taken

    def took(self, text: str) -> bool:
        """Whether the next token is this word or symbol, which is then read."""
        if self.token.word != text and (self.token.kind != "symbol" or self.token.text != text):
            return False
        self.take()
        return True

    def either(self) -> Node:
        nodes = [self.both()]
        while self.took("or"):
            nodes.append(self.both())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def both(self) -> Node:
        nodes = [self.single()]
        while self.took("and"):
            nodes.append(self.single())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def single(self) -> Node:
        start = self.token.start
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"The filter is nested deeper than {MAX_DEPTH} levels.", start, "Write it flatter.")
        if self.took("not"):
            node: Node = Not(self.single())
        elif self.took("("):
            node = self.either()
            if not self.took(")"):
                self.unclosed(start)
        else:
            node = condition(self)
        self.depth -= 1
        return node

    def unclosed(self, start: int) -> NoReturn:
        if self.token.kind == "end":
            self.fail("A parenthesis is never closed.", start, "Close it with ).")
        self.trailing()

    def trailing(self) -> NoReturn:
        found = self.token
        if found.text == ")":
            self.fail("This parenthesis was never opened.", found.start)
        self.fail(
            f"Expected 'and', 'or' or the end, not {found.text or 'the end'}.",
            found.start,
            "Join conditions with `and` or `or`; put text in quotes.",
        )


def condition(reader: _Reader) -> Node:
    """A field and what is asked of it."""
    field = _field(reader)
    token = reader.token
    if token.kind == "symbol" and token.text in _SYMBOLS:
        reader.take()
        return _comparison(reader, field, _SYMBOLS[token.text])
    if token.word in _WORDS:
        reader.take()
        return _comparison(reader, field, cast("Operator", token.word))
    if reader.took("exists"):
        return Exists(field)
    if reader.took("is"):
        return _is_null(reader, field)
    if reader.took("in"):
        return Among(field, _values(reader, field))
    if reader.took("not"):
        if reader.took("exists"):
            return Not(Exists(field))
        if reader.took("in"):
            return Among(field, _values(reader, field), negated=True)
        reader.fail("Expected 'in' or 'exists' after 'not'.", reader.token.start, "Write: not (year = 2020).")
    return _no_operator(reader, field)


def _field(reader: _Reader) -> Field:
    start = reader.token.start
    path = [_key(reader)]
    while reader.took("."):
        path.append(_key(reader))
    return field_of(tuple(path), start)


def _key(reader: _Reader) -> str:
    token = reader.token
    if token.kind == "word" and token.word not in KEYWORDS:
        return reader.take().text
    if token.kind == "quoted":
        text = _unquoted(reader.take().text)
        _refuse(reader, value_mistake(text), token.start)
        return text
    if token.kind == "end":
        reader.fail("A field is expected here, but the filter ends.", token.start)
    if token.kind == "word":
        hint = f'If a field is called so, quote it: "{token.text}" = 1.'
        reader.fail(f"A field is expected here, not '{token.text}'.", token.start, hint)
    hint = "The field comes first: year >= 2020." if token.kind == "number" else ""
    reader.fail(f"A field is expected here, not {token.text}.", token.start, hint)


def _comparison(reader: _Reader, field: Field, operator: Operator) -> Node:
    token = reader.token
    value = _value(reader)
    if value is None:
        if operator == "=":
            return Not(Exists(field))
        if operator == "!=":
            return Exists(field)
        reader.fail(f"null cannot be compared by '{operator}'.", token.start, f"Write: {field.text} is null.")
    _refuse(reader, comparison_mistake(field, operator, value), token.start)
    return Compare(field, operator, value)


def _refuse(reader: _Reader, problem: Mistake | None, position: int) -> None:
    if problem:
        reader.fail(problem.message, position, problem.hint)


def _is_null(reader: _Reader, field: Field) -> Node:
    there = reader.took("not")
    if not reader.took("null"):
        hint = f"Write: {field.text} is null, or {field.text} = …"
        reader.fail("Expected 'null' or 'not null' after 'is'.", reader.token.start, hint)
    return Exists(field) if there else Not(Exists(field))


def _values(reader: _Reader, field: Field) -> tuple[Value, ...]:
    start = reader.token.start
    if not reader.took("("):
        reader.fail("A list in parentheses is expected here.", start, f"Write: {field.text} in ('a', 'b').")
    values: list[Value] = []
    while not reader.took(")"):
        if values and not reader.took(","):
            reader.fail("Expected ',' or ')' in the list.", reader.token.start)
        token = reader.token
        value = _value(reader)
        if value is None:
            reader.fail("null cannot be in a list.", token.start, f"Write: {field.text} is null or …")
        _refuse(reader, comparison_mistake(field, "=", value), token.start)
        values.append(value)
    return tuple(values)


def _value(reader: _Reader) -> Value | None:
    token = reader.token
    reader.values += 1
    if reader.values > MAX_VALUES:
        reader.fail(f"The filter holds more than {MAX_VALUES:,} values.", token.start, "Split the question.")
    if token.word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[reader.take().text.lower()]
    if token.kind == "quoted":
        return _unquoted(reader.take().text)
    if token.kind == "number":
        return _number(reader, reader.take())
    if token.kind == "word":
        reader.fail(f"Text needs quotes: {token.text}", token.start, f"Write: '{token.text}'.")
    found = "the filter ends" if token.kind == "end" else f"there is {token.text}"
    reader.fail(f"A value is expected here, but {found}.", token.start, "Write a number, 'text', true, false or null.")


def _number(reader: _Reader, token: _Token) -> int | float:
    after = reader.token
    if after.kind in ("word", "number") and after.start == token.start + len(token.text):
        written = _LIKE_A_DATE.match(reader.source, token.start)
        whole = written[0] if written else token.text
        reader.fail(f"{whole} is not a number.", token.start, f"Put text and dates in quotes: '{whole}'.")
    if re.fullmatch(r"[+-]?\d{1,4000}", token.text):
        return int(token.text)
    return float(token.text)


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def _no_operator(reader: _Reader, field: Field) -> NoReturn:
    token = reader.token
    if token.kind == "end":
        hint = f"Write: {field.text} = 1, or {field.text} exists."
        reader.fail(f"A condition is expected after '{field.text}'.", token.start, hint)
    if token.kind == "word":
        near = nearest(token.text, _OPERATORS)
        hint = f"Did you mean '{near}'?" if near else "Operators: = != < <= > >= in, not in, like, contains, exists."
        reader.fail(f"There is no operator '{token.text}'.", token.start, hint)
    reader.fail(f"An operator is expected here, not {token.text}.", token.start)


def parse_path(source: str, position: int = 0) -> Field:
    """The field that a dotted path names, as the mapping spelling uses it; ``position`` is where it stands.

    Raises: BadFilter.
    """
    if WORD.fullmatch(source):
        return field_of((source,), position)
    reader = _Reader(source)
    found = _field(reader)
    if reader.token.kind != "end":
        hint = f'Quote a key that is not a plain word: "{source}".'
        reader.fail(f"'{source}' is not a field's name.", reader.token.start, hint)
    return Field(found.column, found.path, position)
