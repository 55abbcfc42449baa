"""The public names are those that are meant, each there when asked for, and each with a docstring."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest

import ammon
from ammon import errors

MOST_NAMES = 18


def test_the_public_names_are_few_and_sorted() -> None:
    assert len(ammon.__all__) <= MOST_NAMES
    assert sorted(ammon.__all__) == list(ammon.__all__)
    assert set(ammon.__all__) <= set(dir(ammon))


@pytest.mark.parametrize("name", ammon.__all__)
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(ammon, name)
    assert isinstance(value, str) or inspect.getdoc(value)


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ammon.nonsense  # noqa: B018


def tree() -> list[tuple[int, type[BaseException]]]:
    """The error tree as classes, depth first in alphabetical order."""

    def below(kind: type[BaseException], depth: int) -> list[tuple[int, type[BaseException]]]:
        children = sorted(kind.__subclasses__(), key=lambda each: each.__name__)
        own = [each for each in children if each.__module__ == errors.__name__]
        return [(depth, kind)] + [each for child in own for each in below(child, depth + 1)]

    return below(errors.AmmonError, 0)


def test_every_error_is_exported_and_drawn_at_the_top_of_its_file() -> None:
    names = {kind.__name__ for _, kind in tree()}
    assert names == set(errors.__all__)
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        bare = line.lstrip("│├└─ ")
        if bare and bare.split()[0] in names:
            drawn[bare.split()[0]] = (len(line) - len(bare)) // 4
    assert drawn == {kind.__name__: depth for depth, kind in tree()}


@pytest.mark.parametrize("kind", [kind for _, kind in tree()], ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do(kind: type[errors.AmmonError]) -> None:
    given = {"code": "broken"} if issubclass(kind, errors.SourceError) else {}
    error = kind("It broke.", **given)
    assert str(error) == "It broke."
    assert error.hint
    assert kind("It broke.", hint="Mend it.", **given).hint == "Mend it."


def test_every_list_of_exports_names_what_is_there() -> None:
    for found in pkgutil.walk_packages(ammon.__path__, "ammon."):
        if found.name.endswith("__main__"):
            continue
        module = import_module(found.name)
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{found.name} does not have {name}"
