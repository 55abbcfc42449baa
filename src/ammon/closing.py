"""What has ``close`` also works in a ``with`` block."""

from __future__ import annotations

from typing import Protocol, Self


class Closing(Protocol):
    """Gives ``with`` to a class that has ``close``."""

    def close(self) -> None:
        """Give back what is held."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
