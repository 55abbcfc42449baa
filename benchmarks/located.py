"""Whether a hit names the right page, slide, sheet or chapter, and its passage holds what was looked for.

    PYTHONPATH=tests python benchmarks/located.py [--places 12] [--seed 1] [--files FOLDER]

Files are made here of every format that has such places, a word of its own at each, the parts in a file in another
order than they are shown in, wherever the format allows that; with the extra for text recognition also a scan.
``--files`` names a folder of real files, for which ``tests/located.tsv`` says, by other readers, which text stands
where. Everything goes through the public `Library`. Prints JSON; what went wrong is listed.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import json
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from document_text import squeezed
from PIL import Image, ImageDraw, ImageFont

from ammon import Library
from ammon.types import Hit
from document_files import assembled, docx, epub, mail, packed, pdf, pptx, relations, xlsx
from office_files import odf, with_members
from ole_files import ppt, xls
from toy_embedder import TrigramEmbedder

LABELS = Path(__file__).parents[1] / "tests" / "located.tsv"
AROUND = "The {} stands here and nowhere else."
DRAWN = "harbour storm lighthouse evening morning garden station village market doctor engine history".split()
"""Words of pictures, which are recognised better than words that there are none."""

MOST_HITS = 20


@dataclass(frozen=True)
class Label:
    """That a text stands in a file (``letter.eml!/report.pdf`` if in another), at a place as citations name it."""

    path: str
    text: str
    place: str


def words_of(count: int, seed: int) -> list[str]:
    """Words that no language has and no two of which are alike."""
    chosen = random.Random(seed)  # noqa: S311 - words of test files
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(chosen.choice("bdfgklmnprtvz") + chosen.choice("aeiou") for _ in range(5))] = None
    return list(found)


def made(folder: Path, places: int, seed: int, *, pictures: bool = False) -> list[Label]:
    """Write a file of each format, of so many places each; with ``pictures`` a scan, too. Returns what stands where."""
    chosen = random.Random(seed)  # noqa: S311 - an order of test files
    labels: list[Label] = []
    names = [*_MAKERS, "letter.eml", "all.zip"]
    words = iter(words_of(places * len(names) * 2, seed))
    for name, (maker, place) in _MAKERS.items():
        said = [next(words) for _ in range(places)]
        (folder / name).write_bytes(maker(said, chosen))
        labels += [Label(name, word, place.format(number)) for number, word in enumerate(said, 1)]
    if pictures:
        (folder / "scan.tiff").write_bytes(_scan(DRAWN[:places]))
        labels += [Label("scan.tiff", word, f"page {number}") for number, word in enumerate(DRAWN[:places], 1)]
    for name, pack in (("letter.eml", lambda members: mail("Files", "Attached.", members)), ("all.zip", packed)):
        inside = {each: [next(words) for _ in range(places)] for each in ("report.pdf", "plan.pptx")}
        (folder / name).write_bytes(pack({each: _MAKERS[each][0](inner, chosen) for each, inner in inside.items()}))
        for each, inner in inside.items():
            place = _MAKERS[each][1]
            labels += [Label(f"{name}!/{each}", word, place.format(at)) for at, word in enumerate(inner, 1)]
    return labels


def _shuffled(count: int, chosen: random.Random) -> list[int]:
    """Numbers from 0 in an order in which, if there are several, they are not."""
    order = list(range(count))
    while count > 1 and order == sorted(order):
        chosen.shuffle(order)
    return order


def _paper(said: Sequence[str], chosen: random.Random) -> bytes:
    """A PDF whose pages stand in the file in another order than in the list of its pages."""
    order = _shuffled(len(said), chosen)
    whole = pdf([[(72, 700, 11, AROUND.format(said[at]))] for at in order]).decode("latin-1")
    objects = [each.partition("obj\n")[2] for each in whole.partition("xref")[0].split("\nendobj\n")[:-1]]
    # `pdf` writes the catalog, the list of pages and a font, and then a content and a page by turns.
    kids = " ".join(f"{5 + 2 * order.index(number)} 0 R" for number in range(len(said)))
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(said)} >>"
    return assembled(objects)


def _slides(said: Sequence[str], _chosen: random.Random) -> bytes:
    # `pptx` shows its slides last first.
    return pptx([(f"Part {word}", AROUND.format(word)) for word in reversed(said)])


def _workbook(said: Sequence[str], chosen: random.Random) -> bytes:
    """A workbook whose sheets stand in files of other numbers."""
    order = _shuffled(len(said), chosen)
    sheets = {f"S{at}": [["word", "more"], [said[at - 1], "words"]] for at in range(1, len(said) + 1)}
    members = {f"xl/worksheets/sheet{order[at - 1] + 1}.xml": _sheet(sheets, at) for at in range(1, len(said) + 1)}
    targets = {f"s{at}": ("worksheet", f"worksheets/sheet{order[at - 1] + 1}.xml") for at in range(1, len(said) + 1)}
    return with_members(xlsx(sheets), {**members, "xl/_rels/workbook.xml.rels": relations(targets)})


def _sheet(sheets: Mapping[str, Sequence[Sequence[str]]], at: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(xlsx(sheets))) as archive:
        return archive.read(f"xl/worksheets/sheet{at}.xml")


def _table(said: Sequence[str], _chosen: random.Random) -> bytes:
    """A workbook of one sheet, a word in every second row."""
    rows: list[list[str | float]] = [["word", "number"]]
    for at, word in enumerate(said):
        rows += [[word, at], []]
    return xlsx({"One": rows})


def _old_workbook(said: Sequence[str], _chosen: random.Random) -> bytes:
    return xls({f"S{at}": [[("word", 0), ("more", 0)], [(word, 0), ("words", 0)]] for at, word in enumerate(said, 1)})


def _open_table(said: Sequence[str], _chosen: random.Random) -> bytes:
    def row(*cells: str) -> str:
        inner = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{inner}</table:table-row>"

    rows = (f'<table:table table:name="S{at}">{row("word", "more")}{row(word, "words")}</table:table>'
            for at, word in enumerate(said, 1))  # fmt: skip
    return odf(f"<office:spreadsheet>{''.join(rows)}</office:spreadsheet>")


def _open_slides(said: Sequence[str], _chosen: random.Random) -> bytes:
    frame = "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    return odf(
        f"<office:presentation>{''.join(frame.format(AROUND.format(word)) for word in said)}</office:presentation>"
    )


def _letters(said: Sequence[str], _chosen: random.Random) -> bytes:
    """A Word document that says where its pages ended."""
    turn = "<w:r><w:lastRenderedPageBreak/></w:r>"
    texts = (
        f"<w:p>{turn if at else ''}<w:r><w:t>{AROUND.format(word)}</w:t></w:r></w:p>" for at, word in enumerate(said)
    )
    return docx("".join(texts))


def _book(said: Sequence[str], _chosen: random.Random) -> bytes:
    # `epub` numbers its chapters' files from the last to the first.
    return epub([(f"Chapter {word}", AROUND.format(word)) for word in said])


def _old_slides(said: Sequence[str], _chosen: random.Random) -> bytes:
    return ppt([(f"Part {word}", AROUND.format(word), "A box.") for word in said])


def _scan(said: Sequence[str]) -> bytes:
    """A TIFF of drawn pages."""
    pages = []
    for word in said:
        pages.append(Image.new("RGB", (1240, 400), "white"))
        ImageDraw.Draw(pages[-1]).text((80, 150), AROUND.format(word), "black", ImageFont.load_default(48))
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


_MAKERS = {
    "report.pdf": (_paper, "page {}"),
    "plan.pptx": (_slides, "slide {}"),
    "plan.odp": (_open_slides, "slide {}"),
    "plan.ppt": (_old_slides, "slide {}"),
    "costs.xlsx": (_workbook, "sheet S{}, row 2"),
    "table.xlsx": (_table, "sheet One"),
    "costs.xls": (_old_workbook, "sheet S{}, row 2"),
    "costs.ods": (_open_table, "sheet S{}, row 2"),
    "letter.docx": (_letters, "page {}"),
    "book.epub": (_book, "chapter {}"),
}


def labels_in(file: Path) -> list[Label]:
    """The labels of real files."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [Label(**row) for row in csv.DictReader(lines, delimiter="\t")]


def wrong(library: Library, folder: Path, labels: Sequence[Label]) -> Iterator[tuple[Label, str]]:
    """The labels that no hit holds, or one that names another place, each with what is said instead."""
    for label in labels:
        uri = f"{folder}/{label.path}"
        hits = library.search(label.text, k=MOST_HITS, mode="lexical", where={"uri": uri})
        holding = [hit.citation.removeprefix(f"{uri}, ") for hit in hits if _holds(hit, label.text)]
        if not holding or not all(f"{place},".startswith(f"{label.place},") for place in holding):
            yield label, "; ".join(holding) or "not found"


def _holds(hit: Hit, text: str) -> bool:
    """Whether a passage has a text, wherever its lines end and whatever table it stands in."""
    return squeezed(text) in squeezed(hit.text)


def measured(folder: Path, labels: Sequence[Label], within: Path) -> dict[str, object]:
    """Index the files and look each label up. Returns figures by extension, and what was wrong."""
    library = Library(within / "library", embedder=TrigramEmbedder())
    try:
        library.index(*sorted({folder / label.path.partition("!/")[0] for label in labels}))
        bad = list(wrong(library, folder, labels))
    finally:
        library.close()
    of_all = Counter(label.path.rpartition(".")[2] for label in labels)
    of_bad = Counter(label.path.rpartition(".")[2] for label, _ in bad)
    right = {kind: f"{count - of_bad[kind]} of {count}" for kind, count in sorted(of_all.items())}
    told = [f"{label.path}: {label.text!r} stands at {label.place}; said: {said}" for label, said in bad]
    return {"labels": len(labels), "right": len(labels) - len(bad), "by_type": right, "wrong": told}


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--places", type=int, default=12, help="pages, slides, sheets of each file that is made")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=Path, help="the folder of the files that the labels are of")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "files").mkdir()
        recognising = importlib.util.find_spec("rapidocr") is not None
        labels = made(folder / "files", given.places, given.seed, pictures=recognising)
        result = {"made": measured(folder / "files", labels, folder / "made")}
        if given.files:
            result["real"] = measured(given.files.resolve(), labels_in(LABELS), folder / "real")
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
