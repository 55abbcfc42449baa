"""Terms: what a word, a number, an identifier and a line of Chinese are found by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon.store.local.derived import terms as module
from ammon.store.local.derived.terms import LONGEST_TERM, matching, terms


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("running", "she runs every day"),
        ("naive", "a naïve approach"),
        ("STRASSE", "eine Straße in Berlin"),
        ("file", "an eﬃcient ﬁle system"),
        ("２０２０", "in 2020"),
        ("1000", "1,000 people"),
        ("user name", "def getUserName(self):"),
        ("getusername", "def getUserName(self):"),
        ("snake_case", "a snake_case name"),
        ("http", "parseHTTPResponse"),
        ("C++", "written in c++"),
        ("dog", "the dog's bone"),
        ("don't", "I don’t know"),
        ("homme", "l'homme qui rit"),
        ("水", "喝水很重要"),
        ("北京", "我住在北京市"),
        ("ｶﾒﾗ", "新しいカメラ"),
        ("книга", "много книг"),
        ("елка", "ёлка"),
        ("한국", "한국어"),
        ("ไทย", "ภาษาไทย"),
        ("हिन्दी", "वह हिन्दी बोलता है"),
        ("שלום", "שָׁלוֹם"),
        ("34", "٣٤"),
    ],
)
def test_a_query_finds_a_text_when_a_term_is_shared(query: str, text: str) -> None:
    assert set(terms(query)) & set(terms(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.14 and 2.718", ["3.14", "and", "2.718"]),
        ("v1.2.3", ["v1.2.3"]),
        ("0.5mg", ["0.5", "mg"]),
        ("192.168.1.1", ["192.168.1.1"]),
        ("3,14", ["3", "14"]),
        ("BRCA1", ["brca1"]),
        ("in 2020.", ["in", "2020"]),
        ("1,234,567.8", ["1234567.8"]),
        ("京", ["京"]),
        ("北京市", ["北京", "京市", "北", "京", "市"]),
        ("2020年", ["2020", "年"]),
        ("__init__", ["init"]),
        ("__ _ # ++ ' -", []),
        ("", []),
        ("🙂", []),
    ],
)
def test_the_terms_of_a_text_are_these(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(("one", "other"), [("3.14", "3.15"), ("2019", "2020"), ("C", "C++"), ("北京", "南昌")])
def test_what_differs_has_different_terms(one: str, other: str) -> None:
    assert set(terms(one)) != set(terms(other))


@given(st.text())
def test_terms_are_short_and_hold_no_space(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= LONGEST_TERM
        assert len(term.split()) == 1


@given(st.text())
def test_case_does_not_matter_to_words(text: str) -> None:
    ascii_words = "".join(char for char in text if char.isascii() and (char.islower() or char == " "))
    assert terms(ascii_words) == terms(ascii_words.upper())


@given(st.text(), st.text())
def test_paragraphs_have_the_terms_of_each(one: str, other: str) -> None:
    assert sorted(terms(f"{one}\n\n{other}")) == sorted(terms(one) + terms(other))


def test_a_full_cache_changes_no_term(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "several different words running through a tiny cache"
    expected = terms(text)
    monkeypatch.setattr(module, "MOST_CACHED", 2)
    assert expected == terms(text)


@given(st.text(), st.text())
def test_matching_is_looking_each_term_up(query: str, text: str) -> None:
    wanted = terms(query)
    held = set(terms(text))
    assert matching(wanted, text) == tuple(term for term in wanted if term in held)


@pytest.mark.parametrize("text", ["北京 running C++ naïve", "我住在北京市, running", "ＲＵＮ 京", "don't"])
def test_matching_sees_what_terms_sees(text: str) -> None:
    wanted = terms("北京市 runs C++ naive don't 2020")
    assert matching(wanted, text) == tuple(term for term in wanted if term in set(terms(text)))
