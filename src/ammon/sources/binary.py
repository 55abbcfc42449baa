"""Binary formats told by their first bytes, so that a file left out is left out under its name."""

from __future__ import annotations

from typing import Final

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"%PDF-", "PDF document"),
    (0, b"PK\x03\x04", "ZIP archive"),
    (0, b"PK\x05\x06", "ZIP archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
    (0, b"{\\rtf", "RTF document"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF87a", "GIF image"),
    (0, b"GIF89a", "GIF image"),
    (0, b"II*\x00", "TIFF image"),
    (0, b"MM\x00*", "TIFF image"),
    (8, b"WEBP", "WebP image"),
    (0, b"BM", "BMP image"),
    (0, b"\x00\x00\x01\x00", "icon"),
    (8, b"WAVE", "WAV recording"),
    (8, b"AVI ", "AVI video"),
    (0, b"ID3", "MP3 recording"),
    (0, b"fLaC", "FLAC recording"),
    (0, b"OggS", "Ogg recording"),
    (4, b"ftyp", "MP4 recording"),
    (0, b"\x1aE\xdf\xa3", "Matroska video"),
    (0, b"\x1f\x8b", "gzip archive"),
    (0, b"BZh", "bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "xz archive"),
    (0, b"(\xb5/\xfd", "Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (257, b"ustar", "tar archive"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ\x90\x00", "program"),
    (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\xcf\xfa\xed\xfe", "program"),
    (0, b"\x00asm", "WebAssembly program"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (0, b"PAR1", "Parquet table"),
    (0, b"GGUF", "GGUF model"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"\x00\x01\x00\x00\x00", "font"),
    (0, b"OTTO\x00", "font"),
)

_HEAD: Final = 4096
"""A mark in plain letters, such as ``GGUF``, may begin a text: it counts only with a NUL byte after it."""


def kind_of_binary(data: bytes) -> str:
    """Return the name of the binary format that ``data`` begins as; empty if it begins as none that is known.

    >>> kind_of_binary(b"%PDF-1.7 ...")
    'PDF document'
    """
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset) and (not magic.strip().isalnum() or b"\0" in data[:_HEAD]):
            return name
    return ""
