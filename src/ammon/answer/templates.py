"""Prompts are files: front matter that says what goes in, then a template. A library's own files win over ours.

Values are data: what stands in them is never read as a template. Templates run in a sandbox, for a library's prompts
may come from elsewhere.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from ammon.errors import InputError
from ammon.store.local.files.lines import put_text

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

OURS: Final = Path(__file__).with_name("prompts")
"""The folder of the prompts that come with Ammon."""

FOLDER_NAME: Final = "prompts"
"""The folder of a library's own prompts, within the library's."""

_FIELDS: Final = ("description", "inputs", "version", "language")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FILE: Final = re.compile(rf"({_NAME.pattern})\.([a-z]{{2}})\.md")
_TEMPLATE: Final = "<template>"
"""What jinja2 calls a template without a file in tracebacks."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said to a language model, with places for values. ``hash`` (hex) is of the whole file, for traces.

    ``own`` tells whether it is the library's. ``first_line`` is the line of the file that ``text`` begins on.
    """

    name: str
    language: str
    version: int
    inputs: tuple[str, ...]
    text: str
    hash: str
    description: str = ""
    path: Path = Path()
    own: bool = False
    first_line: int = 1

    def render(self, **values: object) -> str:
        """The text with the values in their places. Raises: InputError for one too few or too many, and what fails."""
        from jinja2 import TemplateError

        for wrong, what in ((set(self.inputs) - set(values), "needs"), (set(values) - set(self.inputs), "has no")):
            if wrong:
                raise InputError(
                    f"The prompt '{self.name}' ({self.path}) {what} {', '.join(sorted(wrong))}.",
                    hint=f"Its inputs are: {', '.join(self.inputs) or 'none'}.",
                )
        try:
            return _environment().from_string(self.text).render(values).strip()
        # What a template does to a value fails as Python's operators do.
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise _wrong(self.path, _line_of(error) + self.first_line - 1, str(error)) from error

    def with_examples(self, examples: Sequence[tuple[str, str]]) -> Prompt:
        """The prompt with questions and their answers after its first paragraph, which is its instruction."""
        if not examples:
            return self
        question, answer, title = _EXAMPLE_WORDS.get(self.language, _EXAMPLE_WORDS["en"])
        shown = "\n\n".join(f"{question}{_literal(asked)}\n{answer}{_literal(said)}" for asked, said in examples)
        instruction, _, rest = self.text.partition("\n\n")
        return replace(self, text=f"{instruction}\n\n{title}\n\n{shown}\n\n{rest}")

    def with_instruction(self, instruction: str) -> Prompt:
        """The prompt with another first paragraph. Raises: InputError when the present one holds a value."""
        present, _, rest = self.text.partition("\n\n")
        if _is_template(present):
            raise InputError(
                f"The first paragraph of '{self.name}' ({self.path}) is no instruction: it holds a value.",
                hint="Begin the prompt with a paragraph of plain text, then an empty line.",
            )
        return replace(self, text=f"{_literal(' '.join(instruction.split()))}\n\n{rest}")


Prompts: TypeAlias = Callable[[str], Prompt]
"""A prompt by name: `find_prompt`, or `in_language`."""

_EXAMPLE_WORDS: Final = {
    "en": ("Question: ", "Answer: ", "Examples of how to answer, from other texts:"),
    "zh": ("问题：", "回答：", "回答示例（出自别的文本）："),
}


def find_prompt(name: str, language: str = "en", folder: Path | None = None) -> Prompt:
    """The prompt of this name: the one in ``folder``, else ours; in English where there is none in ``language``.

    Raises: InputError when there is none, or it cannot be used; that names the file and the line.
    """
    for tongue in dict.fromkeys((language, "en")):
        filename = f"{name}.{tongue}.md"
        for place in (folder, OURS):
            if place is not None and _FILE.fullmatch(filename) and (place / filename).is_file():
                return _checked(place / filename)
    known = sorted({each.name.split(".")[0] for place in (folder, OURS) if place for each in _files(place)})
    near = difflib.get_close_matches(name, known, 1)
    raise InputError(
        f"There is no prompt '{name}'.", hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
    )


def in_language(language: str, folder: Path | None = None) -> Prompts:
    """`find_prompt` for one language and one folder."""
    return lambda name: find_prompt(name, language, folder)


def prompts(folder: Path | None = None) -> list[Prompt]:
    """All prompts in force, by name and language. Raises: InputError."""
    files = {each.name: each for place in (OURS, folder) if place for each in _files(place)}
    return [_checked(files[name]) for name in sorted(files)]


def copy_prompt(name: str, language: str, folder: Path) -> Path:
    """Where a copy of our prompt now stands, to be edited. Raises: InputError when one is there; LibraryError."""
    ours = find_prompt(name, language)
    target = folder / ours.path.name
    if target.exists():
        raise InputError(f"{target} is already there.", hint="Edit it, or remove it to go back to ours.")
    put_text(target, ours.path.read_text("utf-8"))
    return target


def save_prompt(prompt: Prompt, folder: Path) -> Prompt:
    """The prompt as it stands in ``folder`` from now on. Raises: LibraryError."""
    fields = (prompt.description, f"[{', '.join(prompt.inputs)}]", prompt.version, prompt.language)
    head = "\n".join(f"{name}: {value}" for name, value in zip(_FIELDS, fields, strict=True))
    path = folder / f"{prompt.name}.{prompt.language}.md"
    put_text(path, f"---\n{head}\n---\n{prompt.text}\n")
    return _checked(path)


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.glob("*.md") if _FILE.fullmatch(each.name)]


def _checked(path: Path) -> Prompt:
    """A prompt that can stand in for ours of its name: it takes the same values."""
    prompt, ours = read_prompt(path), OURS / path.name
    if path == ours or not ours.is_file():
        return replace(prompt, own=path != ours)
    wanted = read_prompt(ours).inputs
    if set(prompt.inputs) != set(wanted):
        raise _wrong(path, 1, f"its inputs must be {', '.join(wanted)}, not {', '.join(prompt.inputs)}")
    return replace(prompt, own=True)


def read_prompt(path: Path) -> Prompt:
    """The prompt that a file ``NAME.LANGUAGE.md`` holds.

    Raises: InputError, which names the line, for front matter or a template that cannot be read, and for a variable
    that is not among its inputs.
    """
    from jinja2 import TemplateSyntaxError, nodes
    from jinja2.meta import find_undeclared_variables

    named = _FILE.fullmatch(path.name)
    if named is None:
        raise InputError(f"{path} is not named as a prompt.", hint="Name it NAME.LANGUAGE.md, as in answer.en.md.")
    data, whole = _content(path)
    fields, body = _front_matter(path, whole)
    inputs = tuple(fields["inputs"].strip("[]").replace(",", " ").split())
    first_line = whole[:body].count("\n") + 1
    text = whole[body:].rstrip()
    environment = _environment()
    try:
        tree = environment.parse(text)
        environment.from_string(tree)
    except TemplateSyntaxError as error:
        raise _wrong(path, error.lineno + first_line - 1, error.message or "bad syntax") from error
    unknown = find_undeclared_variables(tree) - set(inputs) - set(environment.globals)
    for each in tree.find_all(nodes.Name):
        if each.name in unknown:
            raise _wrong(path, each.lineno + first_line - 1, f"'{each.name}' is not among its inputs")
    return Prompt(
        named[1],
        named[2],
        int(fields["version"]),
        inputs,
        text,
        hashlib.blake2b(data, digest_size=16).hexdigest(),
        fields["description"],
        path,
        first_line=first_line,
    )


def _content(path: Path) -> tuple[bytes, str]:
    try:
        data = path.read_bytes()
        return data, data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _wrong(path, error.object[: error.start].count(b"\n") + 1, "this is not UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="Make it readable.") from error


def _front_matter(path: Path, whole: str) -> tuple[dict[str, str], int]:
    """The fields between two lines of ``---``, all of `_FIELDS`, and where the text after them begins."""
    fields: dict[str, str] = {}
    for number, (line, end) in enumerate(_lines(whole), 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if number == 1 and line.rstrip() != "---":
            raise _wrong(path, 1, "it must begin with front matter, a line of ---")
        if number > 1 and line.rstrip() == "---":
            missing = [each for each in _FIELDS if each not in fields]
            if missing:
                raise _wrong(path, number, f"its front matter lacks {', '.join(missing)}")
            if fields["language"] != path.name.split(".")[1]:
                raise _wrong(path, number, f"its language is {fields['language']}, but its name says otherwise")
            return fields, end
        if number > 1:
            if not colon or name not in _FIELDS or name in fields:
                raise _wrong(path, number, f"a line must be one of {', '.join(_FIELDS)}, as in `version: 1`, each once")
            if name == "version" and not value.isdecimal():
                raise _wrong(path, number, "the version must be a whole number")
            fields[name] = value
    raise _wrong(path, 1, "its front matter is never closed by a line of ---")


def _lines(text: str) -> Iterator[tuple[str, int]]:
    end = 0
    for line in text.splitlines(keepends=True):
        end += len(line)
        yield line, end


def _wrong(path: Path, line: int, what: str) -> InputError:
    return InputError(
        f"{path}:{line}: {what.rstrip('.')}.", hint="`ammon prompts show NAME` shows one as it should be."
    )


def _line_of(error: Exception) -> int:
    """The line of the template that an error comes from."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == _TEMPLATE else line
        trace = trace.tb_next
    return line


def _literal(text: str) -> str:
    """A text as a template that renders to it."""
    return "{{ " + json.dumps(text, ensure_ascii=False) + " }}" if _is_template(text) else text


def _is_template(text: str) -> bool:
    return any(mark in text for mark in ("{{", "{%", "{#"))


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Nothing is escaped: what comes out is read by a model, not by a browser.
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
