"""What recognises text in images: a port, filled where the extra for it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"
"""An image as it is shown: height × width × 3, red, green, blue."""

Row: TypeAlias = Sequence[str | float]
"""A `Line` as plain values: text, left, top, right, bottom, confidence."""


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

    def lines(self, image: Image) -> list[Line]:
        """The lines of an image, in reading order."""
        ...
