"""A letter, whatever it came as, → its text, what its head says, and what is attached."""

from __future__ import annotations

from dataclasses import dataclass, field

from ammon.errors import SourceError
from ammon.sources.documents.outline import Outline
from ammon.sources.html import load as load_html
from ammon.sources.kinds import KINDS
from ammon.sources.loaded import Loaded, one_line, storable
from ammon.sources.reading import Reading


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail. ``head`` has its fields by name (from, to, cc, date, message_id); ``html`` stands in for no ``body``."""

    subject: str = ""
    head: dict[str, str] = field(default_factory=dict)
    body: str = ""
    html: str = ""
    attachments: tuple[tuple[str, bytes], ...] = ()


def loaded(letter: Letter, reading: Reading) -> Loaded:
    """The letter's text: the fields of its head, then its body. What is attached is read as documents of their own."""
    outline = Outline()
    subject = one_line(storable(letter.subject))
    head = {name: one_line(storable(value)) for name, value in letter.head.items() if value}
    shown = [("Subject", subject), *((name.capitalize(), head.get(name, "")) for name in ("from", "to", "cc", "date"))]
    outline.block("\n".join(f"{name}: {value}" for name, value in shown if value), "prose")
    if letter.body.strip():
        outline.block(storable(letter.body).replace("\r\n", "\n").strip("\n"), "prose")
    elif letter.html.strip():
        outline.take(load_html(storable(letter.html), KINDS[".html"]))
    for name, data in letter.attachments:
        reading.take(len(data))
        reading.member(name, data)
    return Loaded(outline.text(), title=subject, metadata=head, parts=outline.parts)


def refuse_empty(letter: Letter) -> None:
    """Raises: SourceError with the code ``malformed``, for what has nothing of a letter."""
    if not (letter.subject or letter.head or letter.body or letter.html):
        raise SourceError("It has neither a head nor a body.", code="malformed")
