"""One file on its way to its documents: itself, and whatever is in it, down to a depth and up to an amount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ammon.errors import SourceError
from ammon.sources.loading import load_bytes
from ammon.sources.recognising import Line, Row
from ammon.types import Document, Source

if TYPE_CHECKING:
    from ammon.sources.recognising import Image, Recogniser

MEMBER: Final = "!/"
"""Stands in a uri between a file and what is in it: ``mail.eml!/report.pdf``."""

DEEPEST: Final = 3
MOST_MEMBERS: Final = 10_000
MOST_BYTES: Final = 100_000_000
"""What one file may hold in all, once unpacked."""

MOST_RATIO: Final = 100
FREE_BYTES: Final = 1_000_000
"""Up to here a ratio says nothing: a page of blanks packs well."""

Pages: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a file or of a member: ``name`` (empty for the file itself), and a document or an error.

    The document's ``uri`` is the name. ``how`` tells how it was read, a sentence each. Where there is a ``fill``, the
    document still lacks its text, parts and boxes, and that gives it them.
    """

    name: str
    document: Document | None = None
    error: SourceError | None = None
    how: tuple[str, ...] = ()
    fill: Callable[[Document], Document] | None = None

    def of(self, source: Source) -> Document:
        """The document under its full uri. Raises: SourceError."""
        if self.document is None:
            error = self.error or SourceError("Nothing came of it.", code="parser-failed")
            raise SourceError(f"{self.uri(source)}: {error}", code=error.code, hint=error.hint)
        document = self.document if self.fill is None else self.fill(self.document)
        return replace(document, uri=self.uri(source))

    def uri(self, source: Source) -> str:
        """The full uri: of the source itself, or of what is in it."""
        return source.uri + MEMBER + self.name if self.name else source.uri


@dataclass(slots=True)
class Account:
    """What has been taken out of one file so far, at every depth."""

    size: int
    unpacked: int = 0
    members: int = 0
    found: list[Found] = field(default_factory=list)


Recognised: TypeAlias = Callable[[str, list[Row]], None]


def _unheard_lines(_place: str, _lines: list[Row]) -> None:
    """Tell nobody."""


def _unheard(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a loader of bytes is given beside them. Loaders give what is in a file to `member`, and ask `take` first.

    ``pages`` hears how many pages, of how many, are read; ``recogniser`` is there where text recognition is. ``known``
    are the lines of pages that were recognised before, by their place in the file, and ``read`` hears of every other.
    """

    name: str
    account: Account
    as_text: bool = False
    pages: Pages = _unheard
    recogniser: Recogniser | None = None
    known: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    read: Recognised = _unheard_lines
    within: str = ""
    uri: str = ""
    depth: int = 0

    def run(self, data: bytes) -> list[Found]:
        """Read the file and all that is in it. The file itself comes first."""
        found = self.account.found
        found.append(Found(""))
        found[0] = _read(self, "", data)
        return found

    def recognise(self, page: int, image: Image) -> list[Line]:
        """The lines of the ``page``-th page (from 1) of this file, of which there is an image.

        A page that was recognised before is not read again. There must be a recogniser.
        """
        place = f"{self.uri}#{page}"
        if place in self.known:
            return [Line(str(text), *map(float, rest)) for text, *rest in self.known[place]]
        lines = self.recogniser.lines(image) if self.recogniser is not None else []
        self.read(place, [astuple(line) for line in lines])
        return lines

    def take(self, count: int) -> None:
        """Account for ``count`` bytes that were unpacked, as they come and before more are asked for.

        Raises: SourceError with the code ``bomb``.
        """
        account = self.account
        account.unpacked += count
        if account.unpacked > MOST_BYTES:
            raise SourceError(f"It unpacks to more than {MOST_BYTES:,} bytes.", code="bomb")
        if account.unpacked > FREE_BYTES and account.unpacked > MOST_RATIO * account.size:
            raise SourceError(f"It unpacks to more than {MOST_RATIO} times its size.", code="bomb")

    def member(self, name: str, data: bytes) -> None:
        """Read what is in the file under ``name``, which is only ever a name, never a path to write to or open.

        What comes of it, good or bad, stands on its own. Raises: SourceError with the code ``bomb``, for too many.
        """
        account = self.account
        account.members += 1
        if account.members > MOST_MEMBERS:
            raise SourceError(f"It holds more than {MOST_MEMBERS:,} files.", code="bomb")
        whole = self._whole(name)
        if self.depth >= DEEPEST:
            error = SourceError(f"It is more than {DEEPEST} files deep in others.", code="too-deep")
            account.found.append(Found(whole, error=error))
            return
        inner = replace(self, name=name, uri=whole, within=whole + MEMBER, depth=self.depth + 1, as_text=False)
        at = len(account.found)
        account.found.append(Found(whole))
        account.found[at] = _read(inner, whole, data)

    def refuse(self, name: str, error: SourceError) -> None:
        """Note that the member ``name`` could not be taken out of the file."""
        self.account.found.append(Found(self._whole(name), error=error))

    def _whole(self, name: str) -> str:
        return self.within + _plain(name)


def _read(reading: Reading, uri: str, data: bytes) -> Found:
    try:
        document, how = load_bytes(reading.name, data, reading, uri=uri, as_text=reading.as_text)
    except SourceError as error:
        return Found(uri, error=error)
    return Found(uri, document, how=how)


def _plain(name: str) -> str:
    """A member's name as a part of a uri: no control characters, and not endless."""
    kept = "".join(each if each.isprintable() else "\ufffd" for each in name.replace("\\", "/"))
    return kept[-1000:].lstrip("/") or "unnamed"
