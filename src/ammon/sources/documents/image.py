"""Images → the text in them, where text recognition is installed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ammon.errors import SourceError
from ammon.sources.documents.pdf_text import Words, Writer, doubtful
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading
from ammon.sources.recognising import Image

MOST_PIXELS: Final = 100_000_000
MOST_PAGES: Final = 2_000
SMALLEST_SIDE: Final = 16
"""Pixels below which an image holds no text."""

_ONE: Final = Kind("documents.image", "image/png")
HINT: Final = "Install text recognition: pip install 'ammon[ocr]'"


def load(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """Return the text that is recognised in an image, page by page.

    Raises: SourceError with the code ``needs-ocr``, ``malformed``, ``bomb``, or ``empty`` for one without text.
    """
    if reading.recogniser is None:
        raise SourceError("It is an image.", code="needs-ocr", hint=HINT)
    writer = Writer(Words(iter(())))
    count = 0
    for count, image in enumerate(_pages(data, kind), 1):
        writer.recognised(count, reading.recognise(count, image))
    if not writer.text().strip():
        raise SourceError("No text was found in the image.", code="empty")
    return Loaded(
        writer.text(),
        metadata={"pages": count} if count > 1 else {},
        parts=tuple(writer.parts),
        boxes=tuple(writer.boxes),
        remarks=tuple(doubtful(writer.boxes)),
        how=(f"The text of {count} pictures was recognised.",) if count > 1 else ("Its text was recognised.",),
    )


def first_page(data: bytes) -> Image | None:
    """The image in a file, the first if there are several; ``None`` where it is too small to hold text.

    Raises: SourceError with the code ``malformed`` or ``bomb``.
    """
    return next(_pages(data, _ONE), None)


def _pages(data: bytes, kind: Kind) -> Iterator[Image]:
    """The pages of an image as they are shown: all of a TIFF, the first of an animation."""
    from PIL import Image as Pictures
    from PIL import ImageOps, ImageSequence, UnidentifiedImageError

    Pictures.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings(action="ignore"), Pictures.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise SourceError(f"It has more than {MOST_PIXELS:,} pixels.", code="bomb")
            for number, page in enumerate(ImageSequence.Iterator(opened)):
                if number >= MOST_PAGES or (number and kind.media_type != "image/tiff"):
                    return
                if min(page.size) >= SMALLEST_SIDE:
                    yield _on_white(ImageOps.exif_transpose(page))
    except Pictures.DecompressionBombError as error:
        raise SourceError(f"It has more than {MOST_PIXELS:,} pixels.", code="bomb") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, TypeError) as error:
        raise SourceError(f"It is no image that can be read: {error}.", code="malformed") from error


def _on_white(picture: Any) -> Image:
    """The picture in red, green and blue; what shows through is white."""
    from PIL import Image as Pictures

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        whole = picture.convert("RGBA")
        paper = Pictures.new("RGBA", whole.size, "white")
        picture = Pictures.alpha_composite(paper, whole)
    return np.asarray(picture.convert("RGB"), np.uint8)
