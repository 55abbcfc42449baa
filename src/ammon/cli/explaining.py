"""How files would be read, for `ammon index --explain`: what they are, by which means, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ammon.cli.outcome import Exit
from ammon.cli.output import count, duration, near, plain, say, say_json, size, skip_line, visible
from ammon.errors import InputError, SourceError
from ammon.ingest import reason_of
from ammon.types import Skip

if TYPE_CHECKING:
    from ammon.sources import Found, Sandbox
    from ammon.types import Document, Source

BEGINNING = 200
"""Characters of the text that are shown."""


def explain_files(paths: list[str], globs: list[str], *, json: bool) -> None:
    """Read files as `ammon index` would, store nothing, and tell how each was read.

    Raises: InputError, PathNotFound.
    """
    from ammon import sources

    if not paths:
        raise InputError("There is no file to explain.", hint="Name one: ammon index --explain FILE")
    failed = False
    with sources.Sandbox(1) as sandbox:
        for path in paths:
            for item in sources.walk(Path(path).expanduser(), glob=globs):
                told = _told(item, sandbox, as_text=bool(globs))
                failed |= any("code" in each for each in told)
                _say(told, json=json)
    if failed:
        raise typer.Exit(Exit.FILES)


def _told(item: Source | Skip, sandbox: Sandbox, *, as_text: bool) -> list[dict[str, Any]]:
    """What is to be said of a file, and of each thing that is in it."""
    from ammon import sources

    if isinstance(item, Skip):
        return [plain(item)]
    started = time.monotonic()
    try:
        data = sources.read(item)
    except SourceError as error:
        return [plain(Skip(item.uri, error.code, str(error)))]
    found = sandbox.submit(sources.Asked(item.path.name, data, as_text=as_text)).result()
    seconds = time.monotonic() - started
    own_process = sources.is_for_sandbox(item.path.name, data)
    first = {"size": len(data), "seconds": round(seconds, 3), "sandboxed": own_process, "lacking": sandbox.lacking}
    return [{**_of(each, item), **(first if not each.name else {})} for each in found]


def _of(found: Found, source: Source) -> dict[str, Any]:
    try:
        document = found.of(source)
    except SourceError as error:
        return dict(plain(Skip(found.uri(source), error.code, reason_of(error))))
    return {"uri": document.uri, **_facts(document), "how": list(found.how)}


def _facts(document: Document) -> dict[str, Any]:
    from ammon.sources.kinds import label_of

    pages = {part.page for part in document.parts if part.page is not None}
    return {
        "format": label_of(document.media_type),
        "media_type": document.media_type,
        "encoding": document.encoding,
        "encoding_confidence": document.encoding_confidence,
        "language": document.language,
        "title": document.title,
        "metadata": dict(document.metadata),
        "characters": len(document.text),
        "pages": len(pages),
        "recognised": len({box.page for box in document.boxes if box.confidence < 1}),
        "boxes": len(document.boxes),
        "remarks": plain(document.remarks),
        "begins": document.text.strip()[:BEGINNING],
    }


def _say(told: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        for each in told:
            say_json(each)
        return
    for each in told:
        for line in _lines(each):
            say(line)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    if "code" in told:
        yield skip_line(Skip(told["uri"], told["code"], told["reason"])).strip()
        return
    yield near(told["uri"])
    yield _line("Format", f"{told['format']} ({told['media_type']})")
    if "size" in told:
        where = ", in a process of its own" if told["sandboxed"] else ""
        yield _line("Read", f"{size(told['size'])} in {duration(told['seconds'])}{where}")
        for lacking in told["lacking"] if told["sandboxed"] else ():
            yield _line("Unlimited", lacking)
    if told["encoding"]:
        yield _line("Encoding", f"{told['encoding']}, {told['encoding_confidence']:.0%} sure")
    extent = count(told["characters"], "character")
    if told["pages"]:
        extent += f" on {count(told['pages'], 'page')}"
    if told["recognised"]:
        extent += f", {told['recognised']:,} of them by text recognition"
    yield _line("Text", extent)
    for name in ("title", "language"):
        if told[name]:
            yield _line(name.capitalize(), told[name])
    for sentence in told["how"]:
        yield _line("How", sentence)
    for remark in told["remarks"]:
        yield _line("In part", f"{remark['text']} [{remark['code']}]")
    yield _line("Begins", told["begins"])


def _line(label: str, text: str) -> str:
    return f"  {label:<10}{visible(' '.join(text.split()), one_line=True)}"
