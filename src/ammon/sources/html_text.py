"""The elements of a page, written down in reading order. Knows tags; knows nothing of files or metadata."""

from __future__ import annotations

from typing import Any, Final

from ammon.sources.loaded import one_line
from ammon.sources.sections import Heading

_DROPPED: Final = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "svg",
        "iframe",
        "object",
        "canvas",
        "head",
        "button",
        "select",
        "datalist",
        "dialog",
        "-comment",
    ]
)
_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "details",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "html",
        "main",
        "ol",
        "p",
        "section",
        "summary",
        "table",
        "ul",
        "tr",
        "dt",
        "dd",
        "caption",
    ]
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_NO_DATA: Final = "table, h1, h2, h3, h4, ul, ol, pre"
_MENUS: Final = frozenset({"navigation", "search", "menu", "menubar"})


class _Page:
    """Text as it grows, with one line end, one blank line or one space wherever several are asked for."""

    def __init__(self) -> None:
        self.length = 0
        self._out: list[str] = []
        self._breaks = 0
        self._space = False

    def text(self) -> str:
        """What was written."""
        return "".join(self._out)

    def put(self, text: str) -> None:
        """Write ``text`` as it is, after `settle` where it begins something."""
        self._out.append(text)
        self.length += len(text)

    def put_block(self, text: str) -> None:
        """Write ``text`` with a blank line before and after it."""
        self.end_line(2)
        self.settle()
        self.put(text)
        self.end_line(2)

    def put_words(self, text: str) -> None:
        """Write running text, its white space as single spaces."""
        words = " ".join(text.split())
        if not words:
            self._space = self._space or bool(text)
            return
        if text[0].isspace():
            self._space = True
        self.settle()
        self.put(words)
        self._space = text[-1].isspace()

    def end_line(self, lines: int) -> None:
        """Have at least so many line ends before what comes next."""
        self._breaks = max(self._breaks, lines)

    def settle(self) -> None:
        """Write the line ends or the space that wait for something to stand before."""
        if self._out:
            last = self._out[-1]
            if self._breaks:
                self.put("\n" * self._breaks)
            elif self._space and not last[-1].isspace():
                self.put(" ")
        self._breaks, self._space = 0, False


class Writer:
    """Writes elements as text; ``headings`` holds those met, with where they start in that text."""

    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self._page = _Page()
        self._lists: list[int | None] = []

    def text(self) -> str:
        """What was written."""
        return self._page.text()

    def write(self, root: Any) -> None:
        """Write ``root`` and what is in it, without recursion: depth is the page's to choose."""
        if root is None:
            return
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self._leave(node)
            elif node.tag == "-text":
                self._page.put_words(node.text_content or "")
            elif self._enter(node):
                stack.append((node, True))
                children = []
                child = node.child
                while child is not None:
                    children.append((child, False))
                    child = child.next
                stack.extend(reversed(children))

    def _enter(self, node: Any) -> bool:
        """Begin an element. Returns whether its children are still to be written."""
        tag = node.tag
        if tag in _DROPPED or _is_hidden(node):
            return False
        if tag in _HEADINGS:
            self._heading(node, _HEADINGS[tag])
        elif tag == "pre":
            self._code(node)
        elif tag == "table" and not _holds(node):
            self._table(node)
        elif tag == "br":
            self._page.end_line(1)
        elif tag == "img":
            self._page.put_words(node.attributes.get("alt") or "")
        else:
            self._open(tag)
            return True
        return False

    def _open(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._page.end_line(1 if self._lists else 2)
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag in ("td", "th"):
            self._page.end_line(1)
        elif tag in _BLOCKS:
            self._page.end_line(2)

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag in ("ul", "ol"):
            self._lists.pop()
            self._page.end_line(1 if self._lists else 2)
        elif tag in ("li", "td", "th"):
            self._page.end_line(1)
        elif tag in _BLOCKS:
            self._page.end_line(2)

    def _heading(self, node: Any, level: int) -> None:
        title = one_line(node.text())
        if title:
            self._page.end_line(2)
            self._page.settle()
            self.headings.append(Heading(self._page.length, level, title))
            self._page.put_block("#" * level + " " + title)

    def _code(self, node: Any) -> None:
        code = node.text().strip("\r\n")
        if code.strip():
            fence = "````" if "```" in code else "```"
            self._page.put_block(f"{fence}\n{code}\n{fence}")

    def _table(self, node: Any) -> None:
        rows = [[_cell(cell) for cell in row.css("td, th")] for row in node.css("tr")]
        rows = [row for row in rows if any(row)]
        if not rows:
            return
        width = max(map(len, rows))
        lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
        if width > 1:
            lines.insert(1, "|" + " --- |" * width)
        else:
            lines = [row[0] for row in rows]
        caption = node.css_first("caption")
        self._page.put_block((one_line(caption.text()) + "\n\n" if caption else "") + "\n".join(lines))

    def _item(self) -> None:
        self._page.end_line(1)
        self._page.settle()
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        mark = "- " if number is None else f"{number + 1}. "
        self._page.put("  " * max(len(self._lists) - 1, 0) + mark)


def _holds(table: Any) -> bool:
    """Whether a table only lays out a page: it holds lists, headings, code or tables of its own."""
    return any(found.mem_id != table.mem_id for found in table.css(_NO_DATA))


def _cell(node: Any) -> str:
    return " ".join(node.text(separator=" ").split()).replace("|", r"\|")


def _is_hidden(node: Any) -> bool:
    attributes = node.attributes
    return (
        "hidden" in attributes or attributes.get("aria-hidden") == "true" or attributes.get("role") in _MENUS
    ) and node.tag != "body"
