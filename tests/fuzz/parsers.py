"""Gives a reader bytes that libFuzzer makes up, guided by what of the reader they reach, and holds what comes to rules.

    python tests/fuzz/parsers.py FORMAT [options of libFuzzer, as -max_total_time=60]
    python tests/fuzz/parsers.py list

A reader returns a document, or raises a `SourceError` with a code; anything else is a finding, and so is a document
whose parts or boxes lie outside its text. Of a format that is packed, what is made up is its main member: a zip with a
wrong checksum would come no further than that. What is found lies in ``build/fuzz``, with the inputs that reach most.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["ammon.sources"]):
    from ammon.sources import SKIP_CODES
    from ammon.sources.documents import archive, doc, docx, epub, letter, mail, msg, odf, outline, pptx, rtf, sheets
    from ammon.sources.loading import load_bytes
    from ammon.sources.reading import Account, Reading

import document_files
import ole_files
from ammon.errors import SourceError
from bad_files import GOOD
from office_files import odf as odf_file

# They are otherwise imported when they are first needed, which is after the block.
READERS = (archive, doc, docx, epub, letter, mail, msg, odf, outline, pptx, rtf, sheets)
FOUND = Path(__file__).parents[2] / "build" / "fuzz"
ODT = odf_file("<office:text><text:h text:outline-level='1'>Herons</text:h><text:p>They wait.</text:p></office:text>")

Target = tuple[str, bytes, str]
"""The name of the file, a good one, and the member that is made up; ``""`` for the whole file."""

TARGETS: dict[str, Target] = {
    "docx": ("a.docx", GOOD["docx"], "word/document.xml"),
    "pptx": ("a.pptx", GOOD["pptx"], "ppt/slides/slide1.xml"),
    "odt": ("a.odt", ODT, "content.xml"),
    "epub": ("a.epub", GOOD["epub"], "META-INF/container.xml"),
    "zip": ("a.zip", GOOD["zip"], ""),
    "rtf": ("a.rtf", GOOD["rtf"], ""),
    "mail": ("a.eml", GOOD["eml"], ""),
    "doc": ("a.doc", ole_files.doc("Herons stand still for hours.", footnotes="They wait."), ""),
    "ppt": ("a.ppt", ole_files.ppt([("Herons", "They stand still.", "Breathe.")]), ""),
    "msg": ("a.msg", ole_files.message("Herons", "They wait.", {"a.txt": b"a coot"}), ""),
    "text": ("a.txt", "Herons stand still. 苍鹭一动不动。".encode(), ""),
    "html": ("a.html", b"<html><body><h1>Herons</h1><p>They wait.<ul><li>Coots</ul></body></html>", ""),
    "table": ("a.csv", b'bird,count\nheron,3\n"coot",12\n', ""),
}


def packed(good: bytes, member: str, data: bytes) -> bytes:
    """A packed file with another member of this name."""
    with zipfile.ZipFile(BytesIO(good)) as old:
        return document_files.packed({**{name: old.read(name) for name in old.namelist()}, member: data})


def require_kept(name: str, data: bytes) -> None:
    """Read a file, and see that what comes of it keeps to the rules."""
    try:
        document, _ = load_bytes(name, data, Reading(name, Account(len(data))), uri=name, as_text=True)
    except SourceError as error:
        if error.code not in SKIP_CODES:
            raise AssertionError(f"the code {error.code!r} is none") from error
        return
    for part in document.parts:
        if not 0 <= part.start <= part.end <= len(document.text):
            raise AssertionError(f"a part is outside the text: {part}")
    for box in document.boxes:
        if not 0 <= box.start <= box.end <= len(document.text):
            raise AssertionError(f"a box is outside the text: {box}")


def tried(target: Target) -> Callable[[bytes], None]:
    """What libFuzzer calls."""
    name, good, member = target
    return lambda data: require_kept(name, packed(good, member, data) if member else data)


def main() -> None:
    """Run one target until libFuzzer ends it."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.stdout.write(" ".join(TARGETS) + "\n")
        sys.exit(0 if name == "list" else f"{name!r} is no format; those that are stand above.")
    corpus = FOUND / name
    corpus.mkdir(parents=True, exist_ok=True)
    _, good, member = TARGETS[name]
    if member:
        with zipfile.ZipFile(BytesIO(good)) as archive_file:
            good = archive_file.read(member)
    (corpus / "good").write_bytes(good)
    limits = ["-timeout=30", "-rss_limit_mb=3000", f"-artifact_prefix={FOUND}/{name}-"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[2:], str(corpus)], tried(TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
