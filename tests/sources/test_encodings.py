"""Text in every usual character set, as the benchmark of the encodings writes it: read right, or refused; never another.

What must be right is told by size: a text of sixty characters and more, and every Chinese one.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from ammon import sources
from ammon.errors import SourceError


def _benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "character_sets.py"
    spec = importlib.util.spec_from_file_location("character_sets_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = _benchmark()
CASES = [(name, encoding) for name in BENCHMARK.PARAGRAPHS for encoding in (*BENCHMARK.OWN[name], *BENCHMARK.ANY)]
EASTERN = ("zh", "zh-tw", "ja", "ko")
UNSURE = {("pl", "cp1250"): 1, ("pl", "iso8859-2"): 1}
"""Refused of five pieces of sixty characters: only ó is beyond ASCII there, and no small word of the language."""


def outcomes(language: str, encoding: str, size: int) -> Counter[str]:
    return Counter(BENCHMARK.outcome(data, encoding) for data in BENCHMARK.samples(language, encoding, size))


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_a_text_is_read_right_or_refused_and_never_misread(language: str, encoding: str) -> None:
    for size in BENCHMARK.SIZES:
        counts = outcomes(language, encoding, size)
        assert not counts["misread"], size
        most = counts.total() if size < 60 else UNSURE.get((language, encoding), 0) if size == 60 else 0
        assert counts["refused"] <= (0 if language in EASTERN or encoding in BENCHMARK.ANY else most), size


def test_nearly_all_are_read_right() -> None:
    total = sum((outcomes(*case, size) for case in CASES for size in (60, 200)), Counter[str]())
    assert total["right"] >= 0.993 * total.total()


@pytest.mark.parametrize("start", range(0, 60, 4))
def test_ten_characters_of_chinese_are_enough(start: int) -> None:
    text = BENCHMARK.PARAGRAPHS["zh"][start : start + 10]
    assert sources.decode(text.encode("gbk"))[0] == text


@pytest.mark.parametrize(
    "text", ["版 R.S., 1985, c", "“Planning the Executive Development Programme”", "skrit：；巴利", "ere I Came In"]
)
def test_a_few_chinese_characters_among_others_are_not_taken_for_another_script(text: str) -> None:
    try:
        assert sources.decode(text.encode("gbk"))[0] == text
    except SourceError as error:
        assert error.code == "undecodable"


def test_a_file_of_dos_may_end_with_the_mark_of_its_end() -> None:
    text = BENCHMARK.PARAGRAPHS["ru"] + "\x1a"
    assert sources.decode(text.encode("cp866"))[0] == text
    with pytest.raises(SourceError):
        sources.decode(text[:20].encode("cp866") + b"\x1a" + text[20:].encode("cp866"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_and_without_a_space_is_read(encoding: str) -> None:
    text = BENCHMARK.PARAGRAPHS["ja"]
    data = text.encode(encoding)
    assert b"\0" not in data
    assert sources.decode(data)[:2] == (text, encoding)


@pytest.mark.parametrize(("declared", "encoding"), [("gb2312", "gb18030"), ("big5", "utf-8"), ("no-such", "gb18030")])
def test_what_is_declared_is_believed_only_if_the_bytes_fit(declared: str, encoding: str) -> None:
    text = BENCHMARK.PARAGRAPHS["zh"]
    assert sources.decode(text.encode(encoding), declared=declared)[:2] == (text, encoding)
