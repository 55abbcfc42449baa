"""What a check of a library's files comes to: a finding for each thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one file of the library, and what was or can be done about it.

    ``lost`` are the uris of documents of which something can no longer be read, as far as they are known.
    """

    file: str
    problem: str
    hint: str
    repaired: bool = False
    lost: tuple[str, ...] = ()


def derived(file: str, problem: str) -> Finding:
    """A finding about a file that is made from the catalog."""
    return Finding(file, problem, "Run `ammon doctor --repair`: it is rebuilt from the catalog, nothing is lost.")
