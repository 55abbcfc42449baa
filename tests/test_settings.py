"""Settings: each place overrides the one before, and what cannot be is refused where it stands."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon.errors import PathNotFound, SettingsError
from ammon.settings import Settings, explain, find_library, load_settings


def write(library: Path, text: str) -> Path:
    library.mkdir(exist_ok=True)
    (library / "ammon.toml").write_text(text, "utf-8")
    return library


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={}) == Settings()
    assert load_settings(None, environ={}) == Settings()


def test_each_place_overrides_the_one_before(tmp_path: Path) -> None:
    library = write(tmp_path / "library", "chunk_tokens = 100\nthreads = 1\ndense_weight = 1\nmodel = 'a'\n")
    environ = {"AMMON_THREADS": "2", "AMMON_MODEL": "b", "AMMON_DENSE_WEIGHT": "0.5"}
    found = load_settings(library, {"model": "c", "lock_timeout": None}, environ)
    assert (found.chunk_tokens, found.threads, found.dense_weight, found.model) == (100, 2, 0.5, "c")
    assert found.lock_timeout == Settings().lock_timeout


def test_an_empty_variable_and_variables_of_other_use_count_for_nothing() -> None:
    environ = {"AMMON_MODEL": "", "AMMON_LIBRARY": "/x", "AMMON_DEBUG": "1", "AMMON_DATA": "/y", "HOME": "/z"}
    assert load_settings(environ=environ) == Settings()


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("no", False)]
)
def test_a_switch_in_the_environment_is_read_as_people_write_it(text: str, value: bool) -> None:
    assert load_settings(environ={"AMMON_FOLLOW_LINKS": text}).follow_links is value


@pytest.mark.parametrize(
    ("given_settings", "environ", "told"),
    [
        ({"modle": "x"}, {}, "no setting 'modle' (the arguments)"),
        ({}, {"AMMON_CHUNK_TOKEN": "3"}, "no setting 'chunk_token' (AMMON_CHUNK_TOKEN)"),
        ({}, {"AMMON_CHUNK_TOKENS": "many"}, "must be a whole number, not 'many' (AMMON_CHUNK_TOKENS)"),
        ({}, {"AMMON_FOLLOW_LINKS": "maybe"}, "must be true or false"),
        ({}, {"AMMON_DENSE_WEIGHT": "nan"}, "must be between 0 and 1"),
        ({"dense_weight": 1.5}, {}, "must be between 0 and 1, not 1.5"),
        ({"threads": -1}, {}, "must be between 0"),
        ({"threads": 1.5}, {}, "must be a whole number"),
        ({"threads": True}, {}, "must be a whole number"),
        ({"chunk_tokens": 3}, {}, "must be between 16"),
        ({"max_file_bytes": 0}, {}, "must be at least 1"),
        ({"lock_timeout": "soon"}, {}, "must be a number"),
        ({"model": 3}, {}, "must be text"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    given_settings: dict[str, Any], environ: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, given_settings, environ)
    assert told in str(caught.value)
    assert caught.value.hint


def test_a_near_miss_is_hinted_at() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(given={"modle": "x"}, environ={})
    assert caught.value.hint == "Did you mean 'model'?"


@pytest.mark.parametrize("text", ["model = ", "[table]\nx = 1", "model = 3", "\udce4 = 1"])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "ammon.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match=r"ammon\.toml"):
        load_settings(tmp_path, environ={})


def test_a_key_is_taken_from_the_environment_only_and_never_shown(tmp_path: Path) -> None:
    found = load_settings(tmp_path, environ={"AMMON_EMBED_KEY": "s3cret"})
    assert found.embed_key == "s3cret"
    assert "s3cret" not in repr(found)
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path / "library", "embed_key = 's3cret'"), environ={})
    assert "s3cret" not in str(caught.value)
    assert "AMMON_EMBED_KEY" in caught.value.hint


def test_settings_cannot_be_changed_and_are_all_explained() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().threads = 3  # type: ignore[misc]
    explained = explain()
    assert [each.name for each in explained] == [each.name for each in dataclasses.fields(Settings)]
    assert all(each.doc.endswith(".") for each in explained)
    assert [each.name for each in explained if not each.in_file] == ["embed_key", "llm_key"]


@given(st.integers(16, 8192), st.floats(0, 1), st.booleans())
def test_what_the_environment_says_in_text_is_what_an_argument_says(tokens: int, weight: float, links: bool) -> None:
    environ = {
        "AMMON_CHUNK_TOKENS": str(tokens),
        "AMMON_DENSE_WEIGHT": repr(weight),
        "AMMON_FOLLOW_LINKS": str(links),
    }
    given_settings = {"chunk_tokens": tokens, "dense_weight": weight, "follow_links": links}
    assert load_settings(environ=environ) == load_settings(given=given_settings, environ={})


def test_folders_may_be_paths(tmp_path: Path) -> None:
    assert load_settings(given={"cache": tmp_path}, environ={}).cache_folder == tmp_path
    assert load_settings(given={"cache": "~/x"}, environ={}).cache_folder == Path.home() / "x"
    assert Settings().cache_folder.name == "ammon"


def test_the_library_is_the_one_named_then_the_nearest_then_the_users_own(tmp_path: Path) -> None:
    deep = tmp_path / "project" / "src" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "project" / ".ammon").mkdir()
    environ = {"AMMON_LIBRARY": str(tmp_path / "variable")}
    assert find_library("given", deep, environ) == deep / "given"
    assert find_library(str(tmp_path / "given"), deep, environ) == tmp_path / "given"
    assert find_library("~/given", deep, environ) == Path.home() / "given"
    assert find_library(None, deep, environ) == tmp_path / "variable"
    assert find_library(None, deep, {}) == tmp_path / "project" / ".ammon"
    (tmp_path / "project" / "src" / ".ammon").mkdir()
    assert find_library(None, deep, {}) == tmp_path / "project" / "src" / ".ammon"
    users = find_library(None, tmp_path, {})
    assert tmp_path not in users.parents
    assert users.parts[-2:] == ("ammon", "library")


def test_a_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    (tmp_path / ".ammon").write_text("", "utf-8")
    with pytest.raises(PathNotFound, match="is a file"):
        find_library("file", tmp_path, {})
    assert find_library(None, tmp_path, {}).name == "library"
