"""What recognises text in images: a port, filled where the extra for it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""An image as it is shown: height × width × 3, red, green, blue."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of recognised text, its edges in pixels from the image's top left corner, and its confidence (0 to 1)."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


class Recogniser(Protocol):
    """Reads images."""

    def lines(self, page: int, image: Image) -> list[Line]:
        """The lines of the ``page``-th (from 1) image or page of the file, in reading order, in the image as given.

        What was read of this page before is given back without reading it again. Raises: SourceError.
        """
        ...
