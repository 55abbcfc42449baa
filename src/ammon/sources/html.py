"""HTML → text in the manner of Markdown: headings, lists, tables and code kept; scripts, styles and menus dropped."""

from __future__ import annotations

import re
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.html_text import Writer
from ammon.sources.kinds import Kind
from ammon.sources.language import language_of
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.sections import parts_of

DEEPEST: Final = 800
"""Elements inside one another. Beyond this the parser's time grows with the square of the depth."""

MOST_ATTRIBUTES: Final = 2_000
"""Of one element: the parser compares each with all before it."""

_NEVER_EMPTY: Final = frozenset(
    "a abbr article aside b blockquote body button center code details div dl em fieldset figure font footer form "
    "header html i ins label main nav ol pre q s section small span strong sub sup table tbody template u ul".split()
)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>")
_VOID: Final = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "tr",
        "th",
        "dt",
        "dd",
        "option",
    ]
)
_AUTHOR: Final = ("author", "article:author", "dc.creator", "citation_author")
_DATE: Final = ("article:published_time", "date", "dc.date", "citation_publication_date", "last-modified")
_DESCRIPTION: Final = ("description", "og:description")


def load(text: str, _kind: Kind) -> Loaded:
    """Return the page's text, cut at its headings.

    Raises: SourceError with the code ``malformed``, if its elements are nested beyond all measure.
    """
    tree = _tree(text)
    writer = Writer()
    writer.write(tree.body or tree.root)
    written = writer.text()
    named = tree.css_first("title")
    title = one_line(named.text()) if named else ""
    described = _meta(tree)
    metadata = {
        name: value
        for name, keys in (("author", _AUTHOR), ("date", _DATE), ("description", _DESCRIPTION))
        if (value := next((described[key] for key in keys if described.get(key)), ""))
    }
    root = tree.css_first("html")
    declared = ((root.attributes.get("lang") if root else "") or "")[:2].lower()
    return Loaded(
        written,
        title=title or described.get("og:title", "") or (writer.headings[0].title if writer.headings else ""),
        # The attribute is often the template's, not the text's.
        language=language_of(written) or (declared if declared.isalpha() else ""),
        metadata=metadata,
        parts=parts_of(written, writer.headings, "markdown"),
    )


def plain_text(fragment: str) -> str:
    """Return the text of a fragment of HTML, as a page's would be."""
    writer = Writer()
    tree = _tree(fragment)
    writer.write(tree.body or tree.root)
    return writer.text()


def _tree(text: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    if _depth(text) > DEEPEST:
        raise SourceError(f"Its elements are nested more than {DEEPEST} deep.", code="malformed")
    return LexborHTMLParser(text)


def _depth(text: str) -> int:
    """How deeply elements stand in one another, from the tags alone."""
    deepest = depth = 0
    for found in _TAG.finditer(text):
        closing, name, empty = found.groups()
        if found[0].count("=") > MOST_ATTRIBUTES:
            raise SourceError(f"An element has more than {MOST_ATTRIBUTES:,} attributes.", code="malformed")
        # Only drawings and formulas know elements that end with their slash.
        if (empty and name.lower() not in _NEVER_EMPTY) or name.lower() in _VOID:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _meta(tree: Any) -> dict[str, str]:
    """What the head's ``meta`` elements say: name or property, lower case → content."""
    said: dict[str, str] = {}
    for element in tree.css("meta"):
        attributes = element.attributes
        name = (attributes.get("name") or attributes.get("property") or "").lower()
        content = one_line(attributes.get("content") or "")
        if name and content:
            said.setdefault(name, content)
    return said
