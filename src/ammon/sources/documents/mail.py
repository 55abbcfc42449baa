"""Mail (RFC 5322 and MIME) → its text and attachments; mailboxes → their messages; saved pages (MHTML) → the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import errors, message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.documents.letter import Letter, loaded, refuse_empty
from ammon.sources.html import load as load_html
from ammon.sources.kinds import KINDS, Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.reading import Reading

MOST_PARTS: Final = 10_000
_FROM_LINE: Final = re.compile(rb"(?m)^From [^\r\n]*\r?\n")
_FIELDS: Final = {"from": "from", "to": "to", "cc": "cc", "date": "date", "message-id": "message_id"}
_BROKEN: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    errors.MessageError,
)
"""What the standard library's parser has been seen to raise for mails that break the rules."""


def load(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """Return a mail's text, or the list of a mailbox's messages, each of which is a document of its own.

    Raises: SourceError with the code ``malformed``.
    """
    if data.startswith(b"From ") or kind.media_type == "application/mbox":
        return _mailbox(data, reading)
    try:
        message = message_from_bytes(data.lstrip(b"\r\n \t"), policy=policy.compat32)
        if message.get_content_type() == "multipart/related" and kind.media_type == "multipart/related":
            return _page(message)
        letter = _letter(message, reading)
    except _BROKEN as error:
        raise SourceError(f"It is no mail that can be read: {error}.", code="malformed") from error
    refuse_empty(letter)
    return loaded(letter, reading)


def _mailbox(data: bytes, reading: Reading) -> Loaded:
    lines = [found.span() for found in _FROM_LINE.finditer(data)]
    subjects = []
    for number, ((_, start), (end, _)) in enumerate(pairwise([*lines, (len(data), len(data))]), 1):
        body = data[start:end]
        subject = _field(message_from_bytes(body[:65_536], policy=policy.compat32), "subject")
        subjects.append(subject or f"message {number}")
        reading.take(len(body))
        reading.member(f"{number}.eml", body)
    if not subjects:
        raise SourceError("It holds no message.", code="malformed")
    return Loaded("\n".join(subjects), metadata={"messages": len(subjects)})


def _page(message: Message) -> Loaded:
    """The page of an MHTML file."""
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            found = load_html(_text(part), KINDS[".html"])
            subject = one_line(_field(message, "subject"))
            return Loaded(found.text, found.title or subject, found.language, found.metadata, found.parts)
    raise SourceError("It holds no page.", code="malformed")


def _letter(message: Message, reading: Reading) -> Letter:
    bodies: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attachments: list[tuple[str, bytes]] = []
    for number, part in enumerate(_leaves(message), 1):
        if number > MOST_PARTS:
            raise SourceError(f"It has more than {MOST_PARTS:,} parts.", code="bomb")
        kind, name = part.get_content_type(), _file_name(part)
        attached = part.get_content_disposition() == "attachment" or (name and kind not in bodies)
        if kind == "message/rfc822":
            inner = part.get_payload()
            letters = [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []
            attachments += [(name or f"message {number}.eml", each.as_bytes()) for each in letters]
        elif kind in bodies and not attached:
            bodies[kind].append(_text(part))
        elif attached or (reading.recogniser is not None and kind.startswith("image/")):
            attachments.append((name or f"attachment {number}", _bytes(part)))
    head = {wanted: _field(message, name) for name, wanted in _FIELDS.items()}
    head["date"] = _moment(head["date"])
    plain, html = ("\n\n".join(filter(str.strip, bodies[kind])) for kind in bodies)
    return Letter(_field(message, "subject"), {k: v for k, v in head.items() if v}, plain, html, tuple(attachments))


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that have no parts, and mails within, which are not entered."""
    stack = [message]
    while stack:
        part = stack.pop()
        inner = part.get_payload()
        if part.get_content_type() != "message/rfc822" and isinstance(inner, list):
            stack.extend(each for each in reversed(inner) if isinstance(each, Message))
        else:
            yield part


def _bytes(part: Message) -> bytes:
    payload: Any = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    """The text of a part: in the character set that it names where the bytes fit, else in the one they are in."""
    data = _bytes(part)
    declared = part.get_content_charset() or ""
    try:
        return decode(data, declared=declared)[0]
    except SourceError:
        return data.decode("utf-8", "replace")


def _file_name(part: Message) -> str:
    name = part.get_filename()
    return _decoded(name) if name else ""


def _field(message: Message, name: str) -> str:
    # As it stands: what the parser makes of bytes beyond ASCII has lost them.
    return ", ".join(_decoded(str(value)) for key, value in message.raw_items() if key.lower() == name)


def _decoded(value: str) -> str:
    """A field of the head with its encoded words (RFC 2047) decoded; raw bytes as mailers send them, too."""
    pieces = []
    for text, charset in decode_header(value):
        if isinstance(text, str):
            pieces.append(_raw(text))
            continue
        try:
            pieces.append(decode(text, declared=charset or "")[0])
        except SourceError:
            pieces.append(text.decode("latin-1"))
    return " ".join("".join(pieces).split())


def _raw(text: str) -> str:
    """Text in which the parser left bytes beyond ASCII as surrogates."""
    data = text.encode("utf-8", "surrogateescape")
    try:
        return decode(data)[0] if data else ""
    except SourceError:
        return data.decode("utf-8", "replace")


def _moment(value: str) -> str:
    """A date as ISO 8601; as it stands where it is none."""
    try:
        return parsedate_to_datetime(value).isoformat() if value else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return value
