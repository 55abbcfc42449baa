"""Prompts: files with front matter and a template, the library's own before ours; values are never templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from ammon.answer.templates import (
    OURS,
    Prompt,
    copy_prompt,
    find_prompt,
    in_language,
    prompts,
    read_prompt,
    save_prompt,
)
from ammon.errors import InputError

HEAD = "---\ndescription: A test\ninputs: [question, answer, text]\nversion: 1\nlanguage: en\n---\n"
SAID = {"question": "why?", "answer": "", "text": "because"}


def own(folder: Path, text: str, name: str = "refine.en.md") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("prompt", prompts(), ids=lambda each: f"{each.name}.{each.language}")
def test_each_prompt_of_ours_shows_every_value_it_takes_and_begins_with_an_instruction(prompt: Prompt) -> None:
    values = {name: f"«{name}»" for name in prompt.inputs}
    rendered = prompt.render(**values)
    assert [value for value in values.values() if value not in rendered] == []
    assert "\n\n" in prompt.text
    assert prompt.with_instruction("Do it.").render(**values).startswith("Do it.\n\n")
    assert prompt.description


def test_each_prompt_of_ours_is_there_in_english_and_in_chinese_and_takes_the_same_values() -> None:
    inputs = {(each.name, each.language): each.inputs for each in prompts()}
    names = {name for name, _ in inputs}
    assert len(names) >= 15
    assert {name for name in names if inputs[name, "en"] != inputs[name, "zh"]} == set()


def test_every_file_beside_ours_is_a_prompt() -> None:
    assert len(prompts()) == len(list(OURS.iterdir()))


def test_a_prompt_of_the_library_wins_over_ours_in_its_language_only(tmp_path: Path) -> None:
    folder = own(tmp_path, HEAD + "Be brief: {{ text }} {{ question }} {{ answer }}")
    found = find_prompt("refine", folder=folder)
    assert (found.own, found.render(**SAID)) == (True, "Be brief: because why?")
    assert not find_prompt("refine", "zh", folder).own
    assert [each.own for each in prompts(folder) if each.name == "refine"] == [True, False]


def test_english_serves_a_language_without_a_prompt_of_its_own() -> None:
    assert in_language("fr")("map") == find_prompt("map")


def test_a_value_that_looks_like_a_template_stays_as_it_is() -> None:
    tricky = "{{ question.__class__ }} {% raw %} {# x #} <b>&"
    assert tricky in find_prompt("map").render(question="q", text=tricky)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"question": "q"}, "needs text"),
        ({"question": "q", "text": "t", "tone": "warm"}, "has no tone"),
    ],
)
def test_a_value_too_few_or_too_many_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_prompt("map").render(**values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no front matter", "1: it must begin"),
        ("---\ndescription: x\n", "1: its front matter is never closed"),
        ("---\nversion: 1\n---\nx", "3: its front matter lacks description, inputs, language"),
        ("---\nsize: 3\n---\nx", "2: a line must be one of"),
        ("---\nversion: new\n---\nx", "2: the version must be a whole number"),
        (HEAD.replace("language: en", "language: zh") + "x", "6: its language is zh"),
        (HEAD + "Answer.\n\n{{ nobody }}", "9: 'nobody' is not among its inputs"),
        (HEAD + "Answer.\n{% if text %}\nnever closed", "9: Unexpected end of template"),
        (HEAD + "{{ text | shout }}", "7: No filter named 'shout'"),
        (HEAD.replace(", text", "") + "x", "1: its inputs must be question, answer, text, not question, answer"),
        (b"---\nversion: \xff\n", "2: this is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    (tmp_path / "refine.en.md").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message) as caught:
        find_prompt("refine", folder=tmp_path)
    assert str(tmp_path / "refine.en.md") in str(caught.value)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("fine\n{{ text.nothing }}", 8),
        ("{{ text + 1 }}", 7),
        ("\n{{ 1 / 0 }}", 8),
        ("{{ text.__class__.__mro__[1].__subclasses__() }}", 7),
        ("{% include '/etc/passwd' %}", 7),
    ],
)
def test_a_template_that_fails_or_reaches_out_is_stopped_and_the_line_is_told(
    tmp_path: Path, body: str, line: int
) -> None:
    folder = own(tmp_path, HEAD + body)
    with pytest.raises(InputError, match=rf"refine\.en\.md:{line}: "):
        find_prompt("refine", folder=folder).render(**SAID)


@pytest.mark.parametrize("name", ["../answer", "Answer", "", "answer.en", "nosuch"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no prompt"):
        find_prompt(name, folder=tmp_path)


def test_a_name_nearly_right_is_corrected() -> None:
    with pytest.raises(InputError) as caught:
        find_prompt("sumarise")
    assert caught.value.hint == "Did you mean summarise?"


def test_the_hash_changes_with_any_byte_of_the_file(tmp_path: Path) -> None:
    path = copy_prompt("map", "en", tmp_path)
    before = read_prompt(path).hash
    assert before == find_prompt("map").hash
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert read_prompt(path).hash != before


def test_a_copy_never_overwrites_one_that_was_edited(tmp_path: Path) -> None:
    copy_prompt("map", "zh", tmp_path)
    with pytest.raises(InputError, match="already there"):
        copy_prompt("map", "zh", tmp_path)


def test_examples_and_instructions_are_words_even_where_they_look_like_templates(tmp_path: Path) -> None:
    made = find_prompt("map").with_instruction("Use {{ braces }} “well”.").with_examples([("a {% b", "c\n{# d 好😀")])
    rendered = save_prompt(made, tmp_path).render(question="q", text="t")
    assert rendered.startswith("Use {{ braces }} “well”.\n\n")
    assert "Question: a {% b\nAnswer: c\n{# d 好😀\n\n" in rendered
