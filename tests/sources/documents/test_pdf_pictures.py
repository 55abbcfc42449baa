"""Pictures on pages that have a text of their own."""

from __future__ import annotations

import numpy as np
import pytest

from ammon.sources.documents import pdf
from ammon.sources.reading import Account, Reading
from ammon.sources.recognising import Image, Line
from ammon.types import Document
from document_files import assembled


class Dark:
    """A recogniser that reads one line where the image is dark."""

    def lines(self, image: Image) -> list[Line]:
        rows, columns = np.nonzero(image[:, :, 0] < 128)
        if not rows.size:
            return []
        return [Line("A dark picture.", columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, 0.9)]


def paper(*pages: str, shade: str = "10") -> bytes:
    """A PDF of pages of 600 by 800 points that draw this; ``/P`` is a black square, ``/Q`` another, ``/R`` a form."""
    square = "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
    images = [f"{square}/Filter /ASCIIHexDecode /Length 3 >>\nstream\n{each}>\nendstream" for each in (shade, "11")]
    form = "<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /P 4 0 R >> >> /Length 5 >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *images,
    ]
    objects.append(f"{form}\nstream\n/P Do\nendstream")
    kids = []
    for drawn in pages:
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {len(objects)} 0 R /Resources "
            "<< /Font << /F1 3 0 R >> /XObject << /P 4 0 R /Q 5 0 R /R 6 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return assembled(objects)


def drawn(name: str = "P", left: int = 100, bottom: int = 300, side: int = 200) -> str:
    return f"q {side} 0 0 {side} {left} {bottom} cm /{name} Do Q "


def written(text: str, bottom: int = 700) -> str:
    return f"BT /F1 12 Tf 72 {bottom} Td ({text}) Tj ET "


def read(data: bytes) -> Document:
    (found,) = Reading("a.pdf", Account(len(data)), recogniser=Dark()).run(data)
    assert found.document is not None
    return found.document


def test_a_picture_is_read_behind_the_text_of_its_page_with_its_place() -> None:
    document = read(paper(written("Words."), written("More.") + drawn(), written("End.")))
    assert document.text.split("\n\n") == ["Words.", "More.", "A dark picture.", "End."]
    (box,) = [box for box in document.boxes if document.text[box.start : box.end] == "A dark picture."]
    assert box.page == 2
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((100, 300, 300, 500), abs=1)


def test_a_picture_in_a_form_is_read() -> None:
    assert read(paper(written("Words.") + drawn("R"))).text.endswith("A dark picture.")


def test_a_picture_on_every_page_is_read_once() -> None:
    page = written("Words.") + drawn()
    assert read(paper(page, page)).text.count("picture") == 1
    assert read(paper(page, written("Words.") + drawn("Q"))).text.count("picture") == 2


@pytest.mark.parametrize("page", [drawn(side=80), written("On it.", 400) + drawn(left=50)])
def test_ornaments_and_what_text_stands_on_are_not_read(page: str) -> None:
    assert "picture" not in read(paper(written("Words.") + page)).text


def test_no_more_pages_than_may_be_are_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_DRAWN", 1)
    document = read(paper(written("Words.") + drawn(), written("Words.") + drawn("Q")))
    assert document.text.count("picture") == 1
    assert [remark.code for remark in document.remarks if remark.code == "needs-ocr"] == ["needs-ocr"]
