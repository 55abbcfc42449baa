"""PDF → text in reading order with a box for each line; where pages are pictures, by text recognition."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from ammon.errors import SourceError
from ammon.sources.documents.pdf_layout import Page, Styles, blocks_of, plain
from ammon.sources.documents.pdf_page import HYPHEN, lines_of, pieces_of, view_of
from ammon.sources.documents.pdf_page import Line as Printed
from ammon.sources.documents.pdf_pictures import MOST_PAGES as MOST_DRAWN
from ammon.sources.documents.pdf_pictures import Edges, Shown, only
from ammon.sources.documents.pdf_rows import with_tables
from ammon.sources.documents.pdf_text import Words, Writer, doubtful
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.reading import Reading
from ammon.sources.recognising import Line
from ammon.types import Remark

MOST_PAGES: Final = 20_000
MOST_HEADINGS: Final = 20_000
DEEPEST_HEADING: Final = 6

GARBAGE: Final = 0.3
"""Share of characters that mean nothing, above which a page's text layer is none."""

DOTS_PER_INCH: Final = 200
LONGEST_SIDE: Final = 4000
"""Pixels of the picture of a page that is given to be recognised."""

_DATE: Final = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")
_NO_TITLE: Final = re.compile(
    r"(?:untitled|microsoft word - .*|.*\.(?:docx?|indd|tex|dvi|pdf|pptx?|qxd))?", re.IGNORECASE
)
_COMMENTS: Final = frozenset(
    {
        pdfium.FPDF_ANNOT_TEXT,
        pdfium.FPDF_ANNOT_FREETEXT,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
        pdfium.FPDF_ANNOT_UNDERLINE,
        pdfium.FPDF_ANNOT_STRIKEOUT,
        pdfium.FPDF_ANNOT_SQUIGGLY,
        pdfium.FPDF_ANNOT_CARET,
        pdfium.FPDF_ANNOT_STAMP,
        pdfium.FPDF_ANNOT_INK,
        pdfium.FPDF_ANNOT_SQUARE,
        pdfium.FPDF_ANNOT_CIRCLE,
    }
)
_CAPTIONS: Final = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}
_DATES: Final = {"CreationDate": "created", "ModDate": "modified"}
HINT: Final = "Install text recognition: pip install 'ammon[ocr]'"


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the document's text. Pages without a text of their own are recognised where that can be done.

    Raises: SourceError with the code ``encrypted``, ``malformed``, ``empty``, ``needs-ocr`` or ``too-large``.
    """
    document = _opened(data)
    if len(document) > MOST_PAGES:
        raise SourceError(f"It has {len(document):,} pages; {MOST_PAGES:,} are read.", code="too-large")
    reader = _Reader(document, reading)
    loaded = reader.read()
    _attachments(document, reading)
    return loaded


def _opened(data: bytes) -> Any:
    # PDFium keeps its last error, and does not name one for every file: this makes the last one no password's.
    pdfium.FPDF_LoadMemDocument(b"", 0, None)
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.") from error
        raise SourceError(f"It is no PDF that can be opened: {error}", code="malformed") from error


class _Reader:
    """One document on its way to a text."""

    def __init__(self, document: Any, reading: Reading) -> None:
        self._document = document
        self._reading = reading
        self._pictures: list[int] = []
        self._broken: list[int] = []
        self._notes: dict[int, list[str]] = {}
        self._shown = Shown()
        self._drawn: dict[int, list[Edges]] = {}
        self._left_out: list[int] = []
        self._outline = _outline(document)

    def read(self) -> Loaded:
        count = len(self._document)
        self._reading.pages(0, count)
        pages = [self._page(number) for number in range(count)]
        styles = Styles(pages)
        writer = Writer(Words(line for page in pages for line in page.lines))
        for number, page in enumerate(pages, 1):
            if number in self._pictures and self._reading.recogniser is not None:
                writer.recognised(number, self._recognised(number))
            else:
                writer.page(number, list(blocks_of(page, styles)))
            if number in self._drawn:
                writer.recognised(number, self._recognised(number))
            for note in self._notes.get(number, ()):
                writer.paragraph(number, note)
            self._reading.pages(number, count)
        text = writer.text()
        if not text.strip() and self._pictures and self._reading.recogniser is None:
            raise SourceError("Its pages are pictures.", code="needs-ocr", hint=HINT)
        return Loaded(
            text,
            title=self._title(styles, pages),
            metadata=self._metadata(count),
            parts=tuple(writer.parts),
            boxes=tuple(writer.boxes),
            remarks=(*self._remarks(), *doubtful(writer.boxes)),
            how=tuple(self._how(count)),
        )

    def _page(self, number: int) -> Page:
        try:
            page = self._document[number]
        except pypdfium2.PdfiumError:
            self._broken.append(number + 1)
            return Page((), 1.0)
        view = view_of(page)
        text_page = pdfium.FPDFText_LoadPage(page)
        lines = list(lines_of(text_page, view)) if text_page else []
        if _is_garbage(lines) or (not lines and pdfium.FPDFPage_CountObjects(page) > 0):
            self._pictures.append(number + 1)
            lines = []
        elif self._reading.recogniser is not None and (drawn := self._shown.on(page, view, lines)):
            if len(self._drawn) < MOST_DRAWN:
                self._drawn[number + 1] = drawn
            else:
                self._left_out.append(number + 1)
        self._notes[number + 1] = list(_notes(page))
        items = list(with_tables(lines, lambda line: pieces_of(text_page, view, line)))
        if text_page:
            pdfium.FPDFText_ClosePage(text_page)
        page.close()
        return Page(items, view.height, self._outline.get(number, {}))

    def _recognised(self, number: int) -> list[Line]:
        """The lines of the picture of a page, or of the pictures on it, in points."""
        page = self._document[number - 1]
        scale = min(DOTS_PER_INCH / 72, LONGEST_SIDE / max(*page.get_size(), 1))
        image = page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3]
        page.close()
        drawn = self._drawn.get(number)
        found = self._reading.recognise(number, only(image, drawn, scale) if drawn else image)
        edges = ((each.left / scale, each.top / scale, each.right / scale, each.bottom / scale) for each in found)
        return [Line(each.text, *four, each.confidence) for each, four in zip(found, edges, strict=True)]

    def _title(self, styles: Styles, pages: Sequence[Page]) -> str:
        """The title that the file states, unless it is a file's name; else the largest heading of the first page."""
        said = one_line(self._document.get_metadata_value("Title") or "")
        if not _NO_TITLE.fullmatch(said):
            return said
        # What is printed up the side of a page is no title.
        across = [line for line in pages[0].lines if line.right - line.left > line.bottom - line.top] if pages else []
        lines = [line for line in across if styles.level(line, alone=False)]
        largest = max((line.size for line in lines), default=0)
        return one_line(" ".join(line.text for line in lines if line.size == largest))

    def _metadata(self, count: int) -> dict[str, Any]:
        said = self._document.get_metadata_dict(skip_empty=True)
        named = {name: one_line(said[key]) for key, name in _CAPTIONS.items() if key in said}
        dates = {name: date for key, name in _DATES.items() if (date := _iso(said.get(key, "")))}
        return {**{name: value for name, value in named.items() if value}, **dates, "pages": count}

    def _remarks(self) -> Iterator[Remark]:
        if self._broken:
            yield Remark("malformed", f"{_numbered(self._broken)} cannot be opened.")
        if self._pictures and self._reading.recogniser is None:
            yield Remark("needs-ocr", f"{_numbered(self._pictures)} without a text of their own were not read. {HINT}")
        if self._left_out:
            pages = _numbered(self._left_out).lower()
            yield Remark("needs-ocr", f"The pictures on {pages} were not recognised: those on {MOST_DRAWN} pages are.")

    def _how(self, count: int) -> Iterator[str]:
        yield f"PDFium gave the text of {count - len(self._pictures) - len(self._broken)} of {count} pages."
        if self._pictures:
            done = "was recognised" if self._reading.recogniser is not None else "would have to be recognised"
            yield f"The text of {_numbered(self._pictures).lower()} {done}: they have none of their own, or garbage."
        if self._drawn:
            yield f"The text in pictures on {_numbered(list(self._drawn)).lower()} was recognised."


def _outline(document: Any) -> dict[int, dict[str, int]]:
    """The headings that the file lists, with their levels from 1, by the index of their page."""
    listed: dict[int, dict[str, int]] = {}
    for mark in islice(document.get_toc(DEEPEST_HEADING), MOST_HEADINGS):
        target, title = mark.get_dest(), plain(mark.get_title())
        if target is not None and title:
            listed.setdefault(target.get_index(), {})[title] = mark.level + 1
    return listed


def _is_garbage(lines: Sequence[Printed]) -> bool:
    """Whether a page's text layer means nothing: unmapped glyphs, private characters, controls."""
    text = "".join(line.text for line in lines)
    if text.replace(HYPHEN, "").isprintable() and "\ufffd" not in text:
        # As nearly every text is, which so is not counted letter by letter.
        return False
    letters = Counter(text)
    strange = sum(count for each, count in letters.items() if each != HYPHEN and _means_nothing(each))
    return strange > GARBAGE * (letters.total() - letters[" "])


def _means_nothing(letter: str) -> bool:
    return letter == "\ufffd" or unicodedata.category(letter) in {"Co", "Cn", "Cc"}


def _numbered(pages: Sequence[int]) -> str:
    """Numbers of pages for people: ``Page 3``, ``Pages 1-4, 7``."""
    stretches: list[list[int]] = []
    for page in pages:
        if stretches and stretches[-1][-1] == page - 1:
            stretches[-1][1:] = [page]
        else:
            stretches.append([page])
    listed = ", ".join("-".join(map(str, stretch)) for stretch in stretches)
    return f"Page {listed}" if len(pages) == 1 else f"Pages {listed}"


def _iso(date: str) -> str:
    """A date of PDF's own form as ISO 8601, as far as it goes; empty for none."""
    found = _DATE.match(date)
    if not found:
        return ""
    parts = [part for part in found.groups() if part]
    day, time = "-".join(parts[:3]), ":".join(parts[3:6])
    return f"{day}T{time}" if len(parts) == 6 else day


def _notes(page: Any) -> Iterator[str]:
    """What comments and fields of forms say."""
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        note = pdfium.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        subtype = pdfium.FPDFAnnot_GetSubtype(note)
        if subtype in _COMMENTS:
            said = _string(note, b"Contents")
        elif subtype == pdfium.FPDF_ANNOT_WIDGET:
            value = _string(note, b"V")
            said = f"{_string(note, b'TU') or _string(note, b'T')}: {value}" if value.strip() else ""
        else:
            said = ""
        pdfium.FPDFPage_CloseAnnot(note)
        if said.strip():
            yield said.replace("\r\n", "\n").replace("\r", "\n").strip()


def _string(note: Any, key: bytes) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(note, key, None, 0)
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium.FPDFAnnot_GetStringValue(note, key, buffer, size)
    return bytes(buffer)[: max(size - 2, 0)].decode("utf-16-le", "replace")


def _attachments(document: Any, reading: Reading) -> None:
    for number in range(document.count_attachments()):
        attachment = document.get_attachment(number)
        name = attachment.get_name() or f"attachment {number + 1}"
        try:
            data = bytes(attachment.get_data())
        except pypdfium2.PdfiumError as error:
            reading.refuse(name, SourceError(f"It cannot be taken out: {error}", code="malformed"))
            continue
        reading.take(len(data))
        reading.member(name, data)
