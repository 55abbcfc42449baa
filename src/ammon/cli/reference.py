"""Writes the reference pages of the documentation from the code itself: commands, settings, codes, JSON.

Run: ``python -m ammon.cli.reference docs/reference``. A test fails when a page is not what this would write.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ammon import errors

MADE = "<!-- Written by `make docs` from the code. Do not edit. -->"

VALUES = (
    ("`index`", "a Report and `library`, its folder; with `--watch` one a line"),
    ("`search`, `similar`", "a list of Hits, best first, each with its `rank` from 1 and its `citation`"),
    ("`show`", "a list of documents; one document when one was named"),
    ("`status`", "a Status; `skipped` holds how many files by code"),
    ("`doctor`", "a list of Findings, empty when all is sound"),
    ("`models`", "a list of ModelCards"),
    ("`summarise`", "an Answer and `places`, those of each statement as people read them"),
    ("`prompts`, `prompts show`", "a list of Prompts; one Prompt"),
    ("`prompts optimise`", "an Optimised"),
    ("`sessions`", "a list of `name`, `turns` (how many) and `remarks`"),
    ("`sessions show`", "a Session"),
    ("`remove`", "`removed`, a number"),
    ("`reembed`", "a Reembedding and `library`, its folder; `cancelled` or `forgotten`, a model"),
    ("`snapshot`", "a Snapshot"),
    ("`restore`", "a Restored"),
    ("`export`", "an Exported"),
    ("`import`", "an Imported and `library`, its folder"),
    ("`eval`", "an Evaluation and `ndcg`, that of the fusion"),
)
"""What each verb writes as JSON."""


def pages() -> dict[str, str]:
    """The text of each page, by file name."""
    return {"cli.md": _commands(), "settings.md": _settings(), "codes.md": _codes(), "json.md": _shapes()}


def main() -> None:
    """Write the pages into the folder that the command line names."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join([MADE, f"# {title}", *blocks]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _commands() -> str:
    import typer

    from ammon.cli.app import app
    from ammon.cli.outcome import MEANING

    program: Any = typer.main.get_command(app)
    verbs = [_command(name, command) for name, command in _verbs("ammon", program)]
    codes = _table(("code", "meaning"), [(str(int(code)), meaning) for code, meaning in MEANING.items()])
    return _page(
        "Commands",
        "`ammon --version` names the versions of Ammon, SQLite, OpenVINO, turbovec and tantivy; "
        "`ammon --install-completion` sets up completion for your shell. Every verb knows `--help`.",
        "Results go to stdout; progress, warnings and errors to stderr. With `--json`, stdout holds JSON and nothing "
        "else: one value, or with `--watch` one a line; [its shapes](json.md).",
        *verbs,
        f"## Exit codes\n\n{codes}",
        "`AMMON_DEBUG=1` shows Python's own traceback in place of an error's message.",
    )


def _verbs(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    """Every verb with its whole name, those below others after these."""
    for each, command in group.commands.items():
        yield f"{name} {each}", command
        if hasattr(command, "commands"):
            yield from _verbs(f"{name} {each}", command)


def _command(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([name, *(each.metavar or each.name.upper() for each in arguments), "[OPTIONS]"])
    described = [(f"`{each.metavar}`", each.help) for each in arguments if each.help]
    described += [(_spelled(each), _explained(each)) for each in command.params if each not in arguments]
    text = inspect.cleandoc(command.help or "")
    return f"## {name}\n\n```text\n{usage}\n```\n\n{text}\n\n" + _table(("option", "what it does"), described)


def _spelled(option: Any) -> str:
    names = ", ".join(f"`{each}`" for each in sorted(option.opts, key=len))
    return f"{names} {option.metavar}" if option.metavar else names


def _explained(option: Any) -> str:
    default = option.default
    shown = default not in (None, False, "", 0) and not callable(default)
    return f"{option.help} (default: {default})" if shown else str(option.help)


def _settings() -> str:
    from ammon.settings import FILE_NAME, explain

    rows = [
        (
            f"`{each.name}`",
            f"`{each.variable}`",
            f"`{each.default!r}`",
            each.doc + ("" if each.in_file else " Not in a file."),
        )
        for each in explain()
    ]
    return _page(
        "Settings",
        f"A setting may stand in `{FILE_NAME}` in the library's folder, in the environment, or in the call; the later "
        "of these wins. A name that does not exist and a value that cannot be are errors.",
        _table(("setting", "in the environment", "default", "what it does"), rows),
        "Other variables: `AMMON_LIBRARY` names the library's folder, `AMMON_DEBUG=1` shows tracebacks.",
        f"```toml\n# {FILE_NAME}\nchunk_tokens = 256\nfollow_links = true\n```",
    )


def _codes() -> str:
    from ammon.cli.outcome import code_of
    from ammon.sources.codes import SKIP_CODES

    skips = [(f"`{code}`", meaning) for code, meaning in sorted(SKIP_CODES.items())]
    kinds = [(f"`{kind.__name__}`", _summary(kind), str(int(code_of(_example(kind))))) for kind in _kinds()]
    return _page(
        "Codes and errors",
        "## Files that are left out\n\n`ammon index` counts them, `ammon status --failed` lists them. Codes never "
        f"change their meaning.\n\n{_table(('code', 'meaning'), skips)}",
        "## Errors\n\nEvery error is an `ammon.AmmonError` with a `.hint` that says what to do.\n\n"
        + _table(("error", "meaning", "exit code"), kinds),
    )


def _shapes() -> str:
    from ammon.answer.history import Turn
    from ammon.answer.sessions import Session
    from ammon.answer.templates import Prompt
    from ammon.answers import Answer, Citation, Statement, TraceStep
    from ammon.chat import Usage
    from ammon.embed import ModelCard
    from ammon.evaluate.report import Leg
    from ammon.evaluate.report import Report as Evaluation
    from ammon.optimising import Optimised, Tried
    from ammon.reembedding import Reembedding
    from ammon.store.local.backlog import Filled
    from ammon.store.local.checking.findings import Finding
    from ammon.store.local.checking.health import Status
    from ammon.store.local.moving.exporting import Exported
    from ammon.store.local.moving.importing import Imported
    from ammon.store.local.moving.restoring import Restored
    from ammon.store.local.moving.snapshots import FileSum, Snapshot
    from ammon.types import Hit, Report, Skip, Span, Why

    shapes = [
        ("Evaluation" if kind is Evaluation else kind.__name__, kind)
        for kind in (
            Hit,
            Why,
            Span,
            Answer,
            Statement,
            Citation,
            TraceStep,
            Usage,
            Prompt,
            Optimised,
            Tried,
            Session,
            Turn,
            Report,
            Skip,
            Status,
            Filled,
            Finding,
            ModelCard,
            Reembedding,
            Snapshot,
            FileSum,
            Restored,
            Exported,
            Imported,
            Evaluation,
            Leg,
        )
    ]
    return _page(
        "What `--json` writes",
        "One JSON value on stdout. The fields are those of the objects that a Python program gets; tuples become "
        "lists, paths text, and what is absent `null`. Fields may be added in later versions, not taken away.",
        _table(("verb", "value"), VALUES),
        *(_shape(name, kind) for name, kind in shapes),
    )


def _shape(name: str, kind: Any) -> str:
    rows = [(f"`{each.name}`", str(each.type)) for each in fields(kind)]
    text = inspect.cleandoc(kind.__doc__ or "").replace("``", "`")
    return f"## {name}\n\n{text}\n\n" + _table(("field", "type"), rows)


def _kinds() -> list[type[errors.AmmonError]]:
    return [getattr(errors, name) for name in errors.__all__]


def _example(kind: type[errors.AmmonError]) -> errors.AmmonError:
    return kind("", code="") if issubclass(kind, errors.SourceError) else kind("")


def _summary(kind: type[errors.AmmonError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")


if __name__ == "__main__":
    main()
