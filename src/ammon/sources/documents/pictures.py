"""Pictures that stand in a document: the text in them, where text recognition is installed."""

from __future__ import annotations

from typing import Final

from ammon.errors import SourceError
from ammon.sources.documents.image import HINT, first_page
from ammon.sources.documents.package import Package
from ammon.sources.reading import Reading
from ammon.types import Remark

MOST_PICTURES: Final = 100
"""Of one document that are recognised: two seconds each."""

_READABLE: Final = (".png", ".jpg", ".jpeg", ".jpe", ".gif", ".bmp", ".tif", ".tiff", ".webp")


class Pictures:
    """The pictures in one package. Each speaks once, however often it is shown: on every slide, say."""

    def __init__(self, package: Package, reading: Reading) -> None:
        self._package = package
        self._reading = reading
        self._seen: set[str] = set()
        self._left_out = 0
        self._broken: list[Remark] = []

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was not read."""
        if not self._left_out:
            return tuple(self._broken)
        said = f"The text in {self._left_out} pictures was not recognised: {MOST_PICTURES} of a document are."
        return (*self._broken, Remark("needs-ocr", said))

    def said(self, name: str) -> str:
        """The text in the picture that is the member ``name``; nothing without recognition, or the second time."""
        if name in self._seen or not name.lower().endswith(_READABLE):
            return ""
        self._seen.add(name)
        if self._reading.recogniser is None:
            return ""
        if len(self._seen) > MOST_PICTURES:
            self._left_out += 1
            return ""
        try:
            image = first_page(self._package.read(name))
        except SourceError as error:
            if error.code != "malformed":
                raise
            self._broken.append(Remark("malformed", f"The picture {name} cannot be read."))
            return ""
        lines = self._reading.recognise(len(self._seen), image) if image is not None else []
        return "\n".join(line.text for line in lines)

    def demand(self, text: str) -> None:
        """Tell that a document consists of pictures. Raises: SourceError with the code ``needs-ocr``."""
        if self._seen and not text.strip() and self._reading.recogniser is None:
            raise SourceError("It holds nothing but pictures.", code="needs-ocr", hint=HINT)
