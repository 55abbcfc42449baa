"""XML: the text of the elements in their order; feeds read as a list of entries.

The parser is closed to the outside: no entities of the document's own, no external DTD, no network, no huge trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from lxml import etree  # type: ignore[import-untyped]

from ammon.errors import SourceError
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line, storable
from ammon.sources.rows import Rows

Element: TypeAlias = Any
"""An lxml element; lxml brings no types of its own."""

MOST_ATTRIBUTES: Final = 2_000
"""Of one element: the parser compares each with all before it."""

_TAG: Final = re.compile("<[^<>!?/][^<>]*")
_ENTRIES: Final = frozenset({"item", "entry"})
_FEEDS: Final = frozenset({"rss", "feed", "RDF"})
_SILENT: Final = frozenset({"script", "style", "guid", "id"})
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def load(text: str, kind: Kind) -> Loaded:
    """Return the elements' text, a line each; a feed's entries as rows.

    Raises: SourceError with the code ``malformed``, if no element can be read.
    """
    root, fault = _parsed(text)
    name = _name(root)
    if name == "html":
        from ammon.sources.html import load as load_html

        return load_html(text, kind)
    metadata = {"malformed": fault} if fault else {}
    title = next((one_line(_whole(element)) for element in root.iter() if _name(element) == "title"), "")
    language = (root.get(_LANGUAGE) or "")[:2].lower()
    if name in _FEEDS:
        return _feed(root, storable(title), language)
    return Loaded(storable("\n".join(_lines(root))), title, language, metadata)


def _parsed(text: str) -> tuple[Element, str]:
    """The root element, and what was wrong with the document, if anything was."""
    if any(found[0].count("=") > MOST_ATTRIBUTES for found in _TAG.finditer(text)):
        raise SourceError(f"An element has more than {MOST_ATTRIBUTES:,} attributes.", code="malformed")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"It is no XML: {error.msg}.", code="malformed") from error
    if root is None:
        raise SourceError("It is no XML: not one element can be read.", code="malformed")
    errors = parser.error_log
    return root, f"line {errors[0].line}: {errors[0].message}" if len(errors) else ""


def _name(element: Element) -> str:
    """The element's name without its namespace; empty for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _whole(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _lines(root: Element) -> Iterator[str]:
    """Yield the texts in reading order. An element that holds only others ends with a blank line."""
    silent: Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if silent is not None:
            silent = None if event == "end" and element is silent else silent
        elif event == "start" and _name(element) in _SILENT:
            silent = element
        elif event == "start":
            yield from _own(element)
        elif len(element):
            yield ""
        if event == "end" and element is not root and element.tail and element.tail.strip():
            yield element.tail.strip()


def _own(element: Element) -> Iterator[str]:
    text = element.text.strip() if element.text else ""
    if text:
        yield text
    elif not len(element):
        # An element that is empty says what it says in its attributes.
        yield from (f"{etree.QName(str(name)).localname}: {value}" for name, value in element.attrib.items() if value)


def _feed(root: Element, title: str, language: str) -> Loaded:
    rows = Rows()
    rows.add(title)
    for element in root.iter():
        if _name(element) in _ENTRIES and not any(_name(above) in _ENTRIES for above in element.iterancestors()):
            rows.add(storable("\n".join(filter(None, map(_readable, element)))), heading=(title,) if title else ())
    declared = next((_whole(element) for element in root.iter() if _name(element) == "language"), "")
    return Loaded(rows, title, language or declared[:2].lower(), parts=rows.parts)


def _readable(element: Element) -> str:
    """A field of an entry as text; the HTML that feeds put into fields is read, not shown."""
    text = _whole(element) if _name(element) not in _SILENT else ""
    if "<" not in text:
        return text
    from ammon.sources.html import plain_text

    return plain_text(text)
