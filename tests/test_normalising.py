"""What is read by a model is plain text: nothing unseen, no printed shapes, no words parted by lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon.normalising import hyphenated, normalised, without_invisible

ODD = {
    "a word parted by a line": ("The infor-\nmation was lost", "The information was lost"),
    "the same under Windows": ("The infor-\r\nmation was lost", "The information was lost"),
    "an indented second half": ("the infor-\n    mation", "the information"),
    "a hyphen of Unicode": ("infor\u2010\nmation", "information"),
    "soft hyphens": ("in\xadfor\xadma\xadtion", "information"),
    "a soft hyphen at a line's end": ("infor\xad\n  mation", "information"),
    "line ends of two systems": ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
    "marks of no width": ("in\u200bfor\u2060ma\ufefftion", "information"),
    "marks of direction": ("\u200eabc\u200f \u202bdef\u202c", "abc def"),
    "ligatures": ("the o\ufb03ce \ufb01le \ufb02oats", "the office file floats"),
    "full-width letters and digits": ("ＡＢＣ１２３", "ABC123"),
    "half-width kana": ("ｶﾞｲﾄﾞ", "ガイド"),
    "spaces that do not break": ("10\xa0km\u202fh\u3000x", "10 km h x"),
    "Arabic presentation forms": ("\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا"),
    "drawn-out Arabic letters": ("مرحـــبا", "مرحبا"),
    "letters and accents apart": ("cafe\u0301", "caf\xe9"),
    "radicals in place of characters": ("\u2f08\u2f3c", "人心"),
    "Chinese broken across lines": (
        "我们今天讨论人工智能的发展和它的未\n来。",
        "我们今天讨论人工智能的发展和它的未来。",
    ),
}

PLAIN = [
    "pre- and postwar", "pre-\nand postwar", "Vor-\nund Nachteile", "Jean-\nPaul", "COVID-\n19", "- one\n- two",
    "Title\n---\ntext", "well-known", "苹果\n香蕉", "中文，标点。（全角）", "می‌خواهم", "👩\u200d👩\u200d👧", "한국\n사람", "x² + ½",
    "这是一个完整的段落，里面有很多字和标点。\n下一个段落从这里开始",
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), ODD.values(), ids=ODD)
def test_what_layout_left_in_a_text_is_gone(text: str, plain: str) -> None:
    assert normalised(text) == plain


@pytest.mark.parametrize("text", PLAIN)
def test_what_says_something_stays(text: str) -> None:
    assert normalised(text) == text


@given(st.text(alphabet=st.sampled_from("ab é-\u2010\n\r\xad\u200b\u200c中文ﬁＡ می\u0301\u0640")))
def test_a_normalised_text_has_no_mark_that_cannot_be_seen_outside_its_script(text: str) -> None:
    plain = normalised(text)
    assert not set(plain) & set("\r\xad\u0640\ufb01Ａ")
    assert without_invisible(plain) == plain


@given(st.text(alphabet=st.characters(max_codepoint=126, exclude_characters="-\r")))
def test_plain_text_is_given_back_itself(text: str) -> None:
    assert normalised(text) is text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("infor-\nmation and sepa-\r\nration", ["information"]),
        ("Zusammen-\nhänge", ["Zusammenhänge"]),
        ("a" * 100_000 + "-\nb", ["a" * 40 + "b"]),
        ("no hyphen-ated words", []),
    ],
)
def test_words_parted_by_a_line_are_given_whole(text: str, words: list[str]) -> None:
    assert [*hyphenated(text)] == words
