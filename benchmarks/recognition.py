"""Text recognition on pages drawn here: errors a hundred characters, processor seconds a page, memory at most.

    python benchmarks/recognition.py [--pages 4] [--font FILE --text FILE]

Pages are clean, degraded (blurred, noisy, of low contrast) and turned by 90, 180 and 270 degrees. Without a font and a
text, in any language, it is English in the font that Pillow brings. The extra must be there: pip install 'ammon[ocr]'.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ammon.sources.recognition import Recogniser

WORDS = (
    "harbour quiet before storm keeper lighthouse evening boat lamps morning letter window garden station ticket "
    "bridge winter paper number question answer village market doctor engine record measure history language river"
).split()
LINES, WIDTH, SIZE = 40, 68, 30
FORMS = ("clean", "degraded", "90", "180", "270")


def english(seed: int) -> list[str]:
    """Lines of a page."""
    chosen = random.Random(seed)  # noqa: S311 - words of a test page
    return [" ".join(chosen.choices(WORDS, k=9))[:WIDTH].strip() for _ in range(LINES)]


def pages_of(text: str) -> Iterator[list[str]]:
    """Lines of pages, of a text's own lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for start in range(0, len(lines), LINES):
        yield lines[start : start + LINES]


def drawn(lines: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, form: str) -> Image.Image:
    """A page of A4 at 150 dots an inch."""
    page = Image.new("RGB", (1240, 1754), "white")
    pen = ImageDraw.Draw(page)
    for at, line in enumerate(lines):
        pen.text((90, 80 + 40 * at), line, fill="black" if form != "degraded" else (70, 70, 70), font=font)
    if form == "degraded":
        noise = np.random.default_rng(1).normal(0, 18, (page.height, page.width, 1))
        soft = np.asarray(page.filter(ImageFilter.GaussianBlur(1.0)), np.float32)
        page = Image.fromarray(np.clip(soft + noise, 0, 255).astype(np.uint8))
    return page.rotate(int(form), expand=True) if form.isdecimal() else page


def letters_of(lines: Iterable[str]) -> str:
    """What is compared: no spaces, and full-width forms as they are searched for."""
    return unicodedata.normalize("NFKC", "".join("".join(line.split()) for line in lines))


def distance(said: str, meant: str) -> int:
    """How many characters have to be changed, put in or taken out."""
    before = list(range(len(meant) + 1))
    for row, letter in enumerate(said, 1):
        now = [row]
        for column, other in enumerate(meant, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != other)))
        before = now
    return before[-1]


def main() -> None:
    """Measure, and print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--font", type=Path)
    parser.add_argument("--text", type=Path)
    given = parser.parse_args()
    font = ImageFont.truetype(given.font, SIZE - 4) if given.font else ImageFont.load_default(SIZE - 4)
    pages = list(pages_of(given.text.read_text("utf-8"))) if given.text else [*map(english, range(given.pages))]
    recogniser = Recogniser()
    for form in FORMS:
        wrong = letters = 0
        seconds = 0.0
        for lines in pages[: given.pages]:
            page = np.asarray(drawn(lines, font, form), np.uint8)
            started = time.process_time()
            read = recogniser.lines(page)
            seconds += time.process_time() - started
            said = letters_of(line.text for line in read)
            meant = letters_of(lines)
            wrong, letters = wrong + distance(said, meant), letters + len(meant)
        seconds /= len(pages[: given.pages])
        print(f"{form:9} {100 * wrong / letters:6.2f} % of {letters} characters, {seconds:5.2f} CPU-seconds a page")
    if sys.platform != "win32":
        used = importlib.import_module("resource").getrusage(0).ru_maxrss
        print(f"{used / (1 << 20):.2f} GB at most")


if __name__ == "__main__":
    main()
