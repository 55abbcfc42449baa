"""Outlook's messages (MS-OXMSG) → their text and attachments."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.documents.letter import Letter, loaded, refuse_empty
from ammon.sources.documents.packed_rtf import unpacked
from ammon.sources.documents.rtf import text_of
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

DEEPEST: Final = 5
_BROKEN: Final = (OSError, ValueError, IndexError, TypeError, AttributeError, KeyError, RecursionError)
_FIELDS: Final = {"0037": "subject", "0E04": "to", "0E03": "cc", "1035": "message_id"}
_SENDER: Final = (("0C1A", "5D01"), ("0042", "5D02"))
"""Properties of the sender's name and address, and of whom it was sent for."""

_DATES: Final = ("0039", "0E06", "3007")
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the message's text. Raises: SourceError with the code ``malformed``."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            letter = _Message(file, ()).letter(0)
    except _BROKEN as error:
        raise SourceError(f"It is no message that can be read: {error}.", code="malformed") from error
    refuse_empty(letter)
    return loaded(letter, reading)


class _Message:
    """A message in the storage ``path`` of an OLE file."""

    def __init__(self, file: Any, path: tuple[str, ...]) -> None:
        self._file = file
        self._path = path
        self._inner = [entry[len(path) :] for entry in file.listdir() if tuple(entry[: len(path)]) == path]
        self._fixed = self._properties()
        self._codepage = f"cp{self._number('3FFD') or self._number('3FDE') or 1252}".replace("cp65001", "utf-8")

    def letter(self, depth: int) -> Letter:
        said = {name: self._text(key) for key, name in _FIELDS.items()}
        name, address = self._sender()
        said["from"] = f"{name} <{address}>" if name and address and name != address else name or address
        said["date"] = next((date for key in _DATES if (date := self._date(key))), "")
        subject = said.pop("subject")
        body, html = self._text("1000"), self._html()
        if not body.strip() and not html.strip():
            packed = self._bytes("10090102")
            body = text_of(unpacked(packed)) if packed else ""
        return Letter(subject, {k: v for k, v in said.items() if v}, body, html, tuple(self._attachments(depth)))

    def _sender(self) -> tuple[str, str]:
        for name, address in _SENDER:
            found = self._text(name), self._text(address) or self._text("0C1F")
            if any(found):
                return found
        return "", ""

    def _attachments(self, depth: int) -> list[tuple[str, bytes]]:
        folders = sorted({entry[0] for entry in self._inner if entry[0].startswith("__attach_version1.0_")})
        found = []
        for folder in folders:
            inside = _Message(self._file, (*self._path, folder))
            name = inside._text("3707") or inside._text("3704") or inside._text("3001") or folder[-8:]
            data = inside._bytes("37010102")
            storage = (*self._path, folder, "__substg1.0_3701000D")
            if not data and self._file.exists("/".join(storage)) and depth < DEEPEST:
                data = _as_mail(_Message(self._file, storage).letter(depth + 1))
                name = name if name.endswith(".eml") else f"{name}.eml"
            if data:
                found.append((name, data))
        return found

    def _html(self) -> str:
        data = self._bytes("10130102")
        return _decoded(data, self._codepage) if data else self._text("1013")

    def _text(self, key: str) -> str:
        wide = self._bytes(f"{key}001F")
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self._bytes(f"{key}001E")
        return _decoded(narrow, self._codepage).rstrip("\0") if narrow else ""

    def _bytes(self, key: str) -> bytes:
        name = "/".join((*self._path, f"__substg1.0_{key}"))
        if not self._file.exists(name) or self._file.get_type(name) != 2:
            return b""
        data: bytes = self._file.openstream(name).read()
        return data

    def _properties(self) -> dict[str, bytes]:
        """The values of fixed size: four digits of the property's id → eight bytes."""
        name = "/".join((*self._path, "__properties_version1.0"))
        if not self._file.exists(name):
            return {}
        data: bytes = self._file.openstream(name).read()
        # The head is longer in the file's own message than in one within, and none of both is a multiple of 16.
        start = 32 if not self._path else 24 if self._path[-1].endswith("000D") else 8
        rows = (data[at : at + 16] for at in range(start, len(data) - 15, 16))
        return {f"{int.from_bytes(row[2:4], 'little'):04X}": row[8:16] for row in rows}

    def _number(self, key: str) -> int:
        return int.from_bytes(self._fixed.get(key, b"")[:4], "little")

    def _date(self, key: str) -> str:
        ticks = int.from_bytes(self._fixed.get(key, b""), "little")
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat(timespec="seconds") if ticks else ""
        except OverflowError:
            return ""


def _decoded(data: bytes, codepage: str) -> str:
    try:
        return decode(data, declared=codepage)[0]
    except SourceError:
        return data.decode("latin-1")


def _as_mail(letter: Letter) -> bytes:
    """A message within another, as a mail that can be read like any."""
    mail = EmailMessage()
    for name, value in (("Subject", letter.subject), *letter.head.items()):
        mail[name.replace("_", "-").title()] = " ".join(value.split())
    mail.set_content(letter.body)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    for name, data in letter.attachments:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()
