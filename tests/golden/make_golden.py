"""Makes a golden library: what a released version of Ammon writes, kept so that later versions are held to reading it.

Run once for each on-disk format, with the version that writes it, and never again for that format:

    python tests/golden/make_golden.py tests/golden/schema-1.zip

The library is that of a person who indexed a folder, changed it, indexed it again and added a document by a program.
`tests/test_golden.py` opens every one there is.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

from ammon import Document, Library

HOME = Path("/tmp/ammon-golden")
"""The same for all of them: documents are named by their absolute path."""

NOTES = {
    "bees.md": "# Bees\n\nA honeybee that has found flowers dances in the hive. The angle of her run tells the others "
    "the direction, and its length the distance.\n\n## Winter\n\nIn winter the bees huddle around the queen and shiver "
    "to keep warm; the hive lives on the honey of the summer.\n",
    "bread.md": "# Sourdough\n\nFeed the starter twelve hours before baking. The dough rests in the fridge overnight, "
    "and goes into a very hot oven with a little steam.\n",
    "retry.py": '"""Calls that may fail."""\n\nimport time\n\n\ndef with_backoff(call, attempts=5):\n    """Call again '
    'after longer and longer pauses."""\n    for attempt in range(attempts):\n        try:\n            return call()\n'
    "        except ConnectionError:\n            time.sleep(2**attempt)\n    return call()\n",
    "绿茶.md": "# 绿茶\n\n泡绿茶用八十度左右的水，太烫会使茶汤发苦。第一泡两分钟，之后每泡多加一分钟。\n\n"
    "## 存放\n\n茶叶怕光怕潮，装进铁罐，放在阴凉的地方。\n",
    "地震.txt": "地震发生时，先躲到结实的桌子下面，护住头部，不要乘电梯。震后检查煤气和水管。\n",
    "empty.txt": "",
    "broken.txt": "",  # filled with bytes that are no text
    "gone.md": "# Gone\n\nThis note is deleted again, and must not be found.\n",
}
EDITED = NOTES["bread.md"] + "\nRye flour makes the starter rise faster than wheat.\n"


def main() -> None:
    """Write the library into the zip file that the command line names."""
    target = Path(sys.argv[1])
    shutil.rmtree(HOME, ignore_errors=True)
    notes = HOME / "notes"
    notes.mkdir(parents=True)
    for name, text in NOTES.items():
        (notes / name).write_text(text, "utf-8")
    (notes / "broken.txt").write_bytes(bytes(range(128, 256)) * 4)
    (HOME / "library").mkdir()
    (HOME / "library" / "ammon.toml").write_text("chunk_tokens = 48\n", "utf-8")
    with Library(HOME / "library") as library:
        library.index(notes)
        (notes / "gone.md").unlink()
        (notes / "bread.md").write_text(EDITED, "utf-8")
        (notes / "retry.py").rename(notes / "calls.py")
        library.index(notes)
        library.add([Document("fact:1", "The spare key hangs behind the clock.", title="Key", metadata={"year": 2024})])
        library.store.nearest.save(always=True)
    pack(HOME / "library", target)


def pack(folder: Path, target: Path) -> None:
    """Write the files of ``folder`` into the zip file ``target``."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"):
            archive.write(path, path.relative_to(folder).as_posix())


if __name__ == "__main__":
    main()
