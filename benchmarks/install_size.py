"""What the default install consists of and how much disk each part takes: `python benchmarks/install_size.py`.

Reads what is installed beside the interpreter that runs it, by way of importlib.metadata: Ammon, its dependencies, and
theirs. ``--extra NAME`` adds those of an extra. Two figures: files as the wheels bring them, and the bytecode that pip
(or the first import) writes beside them. Blocks of 4 KiB are counted whole, as `du` does. Prints a Markdown table, or
with ``--json`` the same as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ammon

MIB = 1024 * 1024
BLOCK = 4096


@dataclass(frozen=True)
class Part:
    """An installed package: its ``files`` and ``bytecode`` in bytes on disk; ``direct`` when Ammon itself asks for it.

    ``through`` is the first package that asks for it.
    """

    name: str
    version: str
    licence: str
    files: int
    bytecode: int
    through: str

    @property
    def direct(self) -> bool:
        """Whether Ammon itself asks for it."""
        return self.through == "ammon"


def closure(extras: Sequence[str] = ()) -> dict[str, tuple[Distribution, str]]:
    """Every package of the default install, by canonical name, with the one that asked for it first."""
    found: dict[str, tuple[Distribution, str]] = {}
    todo = [(Requirement("ammon"), set(extras), "")]
    while todo:
        wanted, chosen, asker = todo.pop(0)
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found[name] = (distribution(name), asker)
        for line in found[name][0].requires or []:
            needed = Requirement(line)
            if applies(needed, chosen):
                todo.append((needed, needed.extras, name))
    return found


def applies(needed: Requirement, extras: Iterable[str]) -> bool:
    """Whether the requirement holds on this machine, with these extras asked for."""
    return needed.marker is None or any(needed.marker.evaluate({"extra": each}) for each in {"", *extras})


def part(installed: Distribution, through: str) -> Part:
    """What the package takes. Bytecode is looked for, and where there is none, taken as nothing."""
    paths = {Path(str(installed.locate_file(each))) for each in installed.files or []}
    if installed.metadata["Name"] == "ammon":
        # Installed for working on it, its record lists only a pointer to these.
        paths |= set(Path(ammon.__file__).parent.rglob("*"))
    brought = {path for path in paths if path.suffix != ".pyc" and path.is_file()}
    compiled = {Path(cache_from_source(str(path))) for path in brought if path.suffix == ".py"}
    return Part(
        installed.metadata["Name"],
        installed.version,
        licence(installed),
        sum(map(on_disk, brought)),
        sum(on_disk(path) for path in compiled if path.is_file()),
        through,
    )


def on_disk(path: Path) -> int:
    """Bytes of the file in whole blocks."""
    return -(-path.stat().st_size // BLOCK) * BLOCK


def licence(installed: Distribution) -> str:
    """What the package states, in a few words."""
    fields = installed.metadata
    stated = next((fields[name] for name in ("License-Expression", "License") if name in fields), "")
    if not stated or "\n" in stated or stated == "UNKNOWN":
        kinds = [each.rpartition(" :: ")[2] for each in fields.get_all("Classifier", []) if "License" in each]
        stated = ", ".join(kinds) or stated.partition("\n")[0]
    return stated.removeprefix("OSI Approved :: ")


def parts(extras: Sequence[str] = ()) -> list[Part]:
    """All parts of the install, the largest first."""
    found = [part(installed, through) for installed, through in closure(extras).values()]
    return sorted(found, key=lambda each: -each.files)


def table(listed: Sequence[Part]) -> str:
    """The parts as Markdown, with their sum."""
    lines = [
        "| package | version | licence | MiB | bytecode, MiB | asked for by |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    lines += [
        f"| {each.name} | {each.version} | {each.licence} | {each.files / MIB:.1f} | {each.bytecode / MIB:.1f} "
        f"| {each.through or '-'} |"
        for each in listed
    ]
    files, bytecode = sum(each.files for each in listed), sum(each.bytecode for each in listed)
    lines.append(f"| **all {len(listed)}** | | | **{files / MIB:.0f}** | **{bytecode / MIB:.0f}** | |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extra", action="append", default=[], help="also what this extra asks for")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        listed = parts(options.extra)
    except PackageNotFoundError as error:
        parser.exit(
            1, f"{error.name} is not installed beside this Python; pip install '.[{','.join(options.extra)}]'\n"
        )
    print(json.dumps([asdict(each) for each in listed], indent=2) if options.json else table(listed))


if __name__ == "__main__":
    main()
