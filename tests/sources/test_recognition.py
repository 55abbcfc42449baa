"""Text in images: order and edges of lines, whichever way a page is turned; pages; what is refused."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ammon.sources.reading import Found
from ammon.sources.recognising import Line
from ammon.sources.recognition import in_order
from ammon.sources.sandbox.pool import Sandbox
from ammon.sources.sandbox.process import Asked, Worker

if TYPE_CHECKING:
    from PIL import Image as Pictures

needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="Text recognition is not installed: pip install 'ammon[ocr]'"
)

SAID = [
    "The harbour was quiet before the storm came in.",
    "Nobody had told the keeper of the lighthouse.",
    "By evening every boat was back but one.",
    "They lit the lamps and waited for the morning.",
]


def _page(lines: list[str]) -> Pictures.Image:
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (1000, 700), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(28)
    for at, line in enumerate(lines):
        pen.text((80, 80 + 60 * at), line, fill="black", font=font)
    return page


def _bytes(page: Pictures.Image, form: str = "PNG", *more: Pictures.Image) -> bytes:
    written = io.BytesIO()
    several = {"save_all": True, "append_images": list(more)} if more else {}
    page.save(written, form, **several)
    return written.getvalue()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1) as opened:
        yield opened


def _read(sandbox: Sandbox, name: str, data: bytes) -> Found:
    return sandbox.submit(Asked(name, data)).result()[0]


def _line(text: str, left: float, top: float) -> Line:
    return Line(text, left, top, left + 300, top + 20, 0.99)


def test_columns_are_read_one_after_the_other() -> None:
    left = [_line(f"left {at}", 0, 40 * at) for at in range(4)]
    right = [_line(f"right {at}", 400, 40 * at) for at in range(4)]
    mixed = [line for row in zip(right, left, strict=True) for line in row]
    assert in_order(mixed) == left + right


def test_a_title_over_two_columns_comes_first() -> None:
    title = Line("title", 0, 0, 700, 20, 0.99)
    left = [_line(f"left {at}", 0, 60 + 40 * at) for at in range(3)]
    right = [_line(f"right {at}", 400, 60 + 40 * at) for at in range(3)]
    assert in_order([*right, title, *left]) == [title, *left, *right]


def test_cells_of_a_table_are_read_row_by_row() -> None:
    cells = [
        Line(f"{row}{column}", 200.0 * column, 40.0 * row, 200.0 * column + 60, 40.0 * row + 20, 0.99)
        for row in range(4)
        for column in range(3)
    ]
    assert in_order(cells[::-1]) == cells


def test_an_image_without_the_extra_names_the_command_that_adds_it() -> None:
    worker = Worker()
    found = worker.read(Asked("page.png", b"\x89PNG\r\n\x1a\n"))[0]
    worker.close()
    assert found.error is not None
    assert (found.error.code, "pip install 'ammon[ocr]'" in found.error.hint) == ("needs-ocr", True)


@needs_extra
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_it_is_turned(sandbox: Sandbox, degrees: int) -> None:
    page = _page(SAID).rotate(degrees, expand=True)
    document = _read(sandbox, "page.png", _bytes(page)).document
    assert document is not None
    assert [line for line in document.text.splitlines() if line] == SAID
    for box in document.boxes:
        inside = page.convert("L").crop((int(box.left), int(box.top), int(box.right) + 1, int(box.bottom) + 1))
        assert min(inside.tobytes()) < 100, "there is ink where a line is said to be"
    total = sum(value < 128 for value in page.convert("L").tobytes())
    whole = page.convert("L")
    for box in document.boxes:
        whole.paste(255, (int(box.left) - 4, int(box.top) - 4, int(box.right) + 5, int(box.bottom) + 5))
    assert sum(value < 128 for value in whole.tobytes()) < 0.01 * total, "boxes cover all the ink"


@needs_extra
def test_the_pages_of_a_tiff_keep_their_numbers_and_are_told_as_they_are_read(sandbox: Sandbox) -> None:
    data = _bytes(_page(SAID[:2]), "TIFF", _page(SAID[2:]))
    told: list[str] = []
    asked = Asked("scan.tiff", data, on_page=lambda place, _lines: told.append(place))
    document = sandbox.submit(asked).result()[0].document
    assert document is not None
    assert {document.text[box.start : box.end]: box.page for box in document.boxes} == dict(
        zip(SAID, (1, 1, 2, 2), strict=True)
    )
    assert told == ["#1", "#2"]


@needs_extra
def test_a_page_that_is_known_is_not_read_again(sandbox: Sandbox) -> None:
    data = _bytes(_page(SAID[:2]), "TIFF", _page(SAID[2:]))
    told: list[str] = []
    known = {"#1": [("Remembered.", 1.0, 2.0, 30.0, 14.0, 0.97)]}
    asked = Asked("scan.tiff", data, known=known, on_page=lambda place, _lines: told.append(place))
    document = sandbox.submit(asked).result()[0].document
    assert document is not None
    assert document.text.startswith("Remembered.")
    assert told == ["#2"]


@needs_extra
def test_an_image_without_text_is_empty(sandbox: Sandbox) -> None:
    error = _read(sandbox, "blank.png", _bytes(_page([]))).error
    assert error is not None
    assert error.code == "empty"


@needs_extra
def test_a_truncated_image_is_malformed(sandbox: Sandbox) -> None:
    error = _read(sandbox, "cut.png", _bytes(_page(SAID))[:300]).error
    assert error is not None
    assert error.code == "malformed"


@needs_extra
def test_an_image_of_too_many_pixels_is_a_bomb(sandbox: Sandbox) -> None:
    from PIL import Image

    error = _read(sandbox, "bomb.png", _bytes(Image.new("1", (20_000, 20_000)))).error
    assert error is not None
    assert error.code == "bomb"
