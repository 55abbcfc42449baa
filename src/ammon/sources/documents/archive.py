"""Archives (zip, tar, gzip, bzip2, xz) → the names of what is in them; each member is a document of its own.

Members are unpacked in memory, block by block, and counted as they come. Their names are names: no path is ever made
of them, and links and devices are passed over.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import MOST_MEMBERS, Reading

SHOWN: Final = 1_000
"""Names that the archive's own text lists."""

_BLOCK: Final = 1 << 18
_BROKEN: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    UnicodeError,
)
"""What the standard library raises for archives that are not what they should be."""

_PACKED: Final[tuple[tuple[bytes, Callable[..., Any]], ...]] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
_TAR: Final = (b"ustar", 257)


def load(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """Return the names of the members, having read them.

    Raises: SourceError with the code ``malformed`` or ``bomb``.
    """
    try:
        names = list(_members(data, reading))
    except _BROKEN as error:
        raise SourceError(f"It is no archive that can be opened: {error}.", code="malformed") from error
    more = [f"… and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    return Loaded("\n".join([*names[:SHOWN], *more]), metadata={"members": len(names)}, media_type=kind.media_type)


def _members(data: bytes, reading: Reading) -> Iterator[str]:
    if data.startswith(b"PK"):
        return _zipped(data, reading)
    packer = next((opened for mark, opened in _PACKED if data.startswith(mark)), None)
    if packer is None:
        return _archived(data, reading)
    with packer(io.BytesIO(data)) as file:
        whole = b"".join(_blocks(file, reading))
    if whole[_TAR[1] :].startswith(_TAR[0]):
        return _archived(whole, reading)
    name = reading.name.rpartition(".")[0] or "content"
    reading.member(name, whole)
    return iter([name])


def _blocks(file: Any, reading: Reading) -> Iterator[bytes]:
    """What a packed file gives, accounted for before more is asked for."""
    while block := file.read(_BLOCK):
        reading.take(len(block))
        yield block


def _zipped(data: bytes, reading: Reading) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise SourceError(f"It holds more than {MOST_MEMBERS:,} files.", code="bomb")
        for info, name in zip(infos, _names(infos), strict=True):
            if info.filename.endswith("/"):  # not `is_dir`, which needs a name that is not empty
                continue
            yield name
            if info.flag_bits & 1:
                error = SourceError("It is encrypted.", code="encrypted", hint="Unpack it, and index what comes out.")
                reading.refuse(name, error)
                continue
            try:
                with archive.open(info) as member:
                    content = b"".join(_blocks(member, reading))
            except _BROKEN as error:
                reading.refuse(name, SourceError(f"It cannot be unpacked: {error}.", code="malformed"))
                continue
            reading.member(name, content)


def _names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """The members' names. Those that do not say that they are UTF-8 are in whatever their writer used."""
    raw = [info.filename.encode("cp437", "replace") for info in infos if not info.flag_bits & 0x800]
    encoding = "cp437"
    if any(not name.isascii() for name in raw):
        try:
            encoding = decode(b"\n".join(raw))[1]
        except SourceError:
            encoding = "gb18030" if _fits(raw, "gb18030") else "cp437"
    return [
        info.filename
        if info.flag_bits & 0x800
        else info.filename.encode("cp437", "replace").decode(encoding, "replace")
        for info in infos
    ]


def _fits(names: list[bytes], encoding: str) -> bool:
    try:
        b"\n".join(names).decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _archived(data: bytes, reading: Reading) -> Iterator[str]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errors="surrogateescape") as archive:
        for info in archive:
            if not info.isfile() or info.issparse():
                continue
            name = _valid(info.name)
            yield name
            member = archive.extractfile(info)
            if member is not None:
                reading.member(name, member.read())


def _valid(name: str) -> str:
    data = name.encode("utf-8", "surrogateescape")
    try:
        return decode(data)[0] if data else name
    except SourceError:
        return data.decode("utf-8", "replace")
