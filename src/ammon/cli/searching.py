"""Verbs that read passages: ``search``, ``similar`` and ``show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ammon.cli.options import CountOption, JsonOption, LibraryOption, ModelOption, WhereOption, open_library
from ammon.cli.output import count, near, say, say_json, size, tell, visible

if TYPE_CHECKING:
    from ammon.library import Library
    from ammon.ports import Step
    from ammon.types import Hit, Record


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.command("search", short_help="Find the passages that answer a question.")(search)
    app.command("similar", short_help="Find the passages most like a file.")(similar)
    app.command("show", short_help="List the documents, or tell about one.")(show)


def search(
    query: Annotated[
        list[str], typer.Argument(metavar="QUERY...", help="A question, or words; quotes may be left out.")
    ],
    k: CountOption = 10,
    where: WhereOption = None,
    mode: Annotated[
        Literal["hybrid", "dense", "lexical"],
        typer.Option("--mode", help="By meaning and words, by meaning only, by words only."),
    ] = "hybrid",
    rerank: Annotated[
        str | None, typer.Option("--rerank", metavar="MODEL", help="Sort again with this cross-encoder.")
    ] = None,
    diversify: Annotated[bool, typer.Option("--diversify", help="Fewer passages that say the same.")] = False,
    group: Annotated[bool, typer.Option("--group", help="One passage a document.")] = False,
    expand: Annotated[
        int, typer.Option("--expand", metavar="N", min=0, help="Show N passages before and after each, too.")
    ] = 0,
    instruction: Annotated[
        str, typer.Option("--instruction", metavar="TEXT", help="What an instruction-tuned model is to look for.")
    ] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each passage was found.")] = False,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find the passages that answer a question."""
    with open_library(library, {"model": model}) as opened:
        steps = _steps(opened, rerank=rerank, diversify=diversify, expand=expand)
        hits = opened.search(
            " ".join(query),
            k,
            where=where,
            mode=mode,
            steps=steps,
            instruction=instruction,
            per_document=1 if group else 0,
        )
        _show(opened, hits, explain=explain, json=json)


def _steps(library: Library, *, rerank: str | None, diversify: bool, expand: int) -> list[Step]:
    """The steps in the order in which they make sense: sort, thin out, then widen what is left."""
    from ammon.search import steps

    chosen: list[Step] = []
    if rerank:
        from ammon.embed import load_reranker

        settings = library.settings
        reranker = load_reranker(rerank, cache=settings.cache_folder, threads=settings.threads)
        chosen.append(steps.rerank(reranker))
    if diversify:
        chosen.append(steps.diversify(library.store))
    if expand:
        chosen.append(steps.expand(library.store, expand))
    return chosen


def _show(library: Library, hits: list[Hit], *, explain: bool, json: bool) -> None:
    from ammon.cli.hits import hit_json, show_hits

    if json:
        say_json([hit_json(hit, rank) for rank, hit in enumerate(hits, 1)])
        return
    show_hits(hits, explain=explain)
    if not hits:
        tell("Nothing found. Fewer words or a wider --where may find more.")
    # Counting takes time in proportion to the library; asking for one does not.
    if library.store.pending(1):
        pending = library.status().pending
        tell(f"{count(pending, 'text is', 'texts are')} found by words only so far; `ammon index` goes on.")


def similar(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or a document's uri as hits show it.")],
    k: CountOption = 10,
    where: WhereOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each passage was found.")] = False,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find the passages most like a file, which need not be in the library."""
    with open_library(library, {"model": model}) as opened:
        _show(opened, opened.similar(file, k, where=where), explain=explain, json=json)


def show(
    document: Annotated[
        str | None, typer.Argument(metavar="[DOCUMENT]", help="A file, or a document's uri.", show_default=False)
    ] = None,
    page: Annotated[
        int | None,
        typer.Option("--page", metavar="N", min=1, help="Only the text of this page or slide.", show_default=False),
    ] = None,
    where: WhereOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the documents of the library, or show one: what is known of it, and its text as it was read."""
    from ammon.cli.indexing import uri_of
    from ammon.store.local.passages import text_of

    with open_library(library) as opened:
        if document is None:
            _list(opened, where, json=json)
            return
        uri = uri_of(opened, document)
        for record in opened.documents({"uri": uri}):
            text = text_of(opened.store.catalog, uri, page)
            if json:
                say_json({**_fields(record), "text": text})
                return
            if page is None:
                _describe(record)
                say()
            say(visible(text))


def _list(library: Library, where: str | None, *, json: bool) -> None:
    if json:
        say_json([_fields(record) for record in library.documents(where)])
        return
    for record in library.documents(where):
        title = f"  {visible(record.title, one_line=True)}" if record.title else ""
        say(f"{near(record.uri)}  {size(record.size)}{title}")


def _fields(record: Record) -> dict[str, object]:
    """What a filter can ask of a document, under the names it uses."""
    return {
        "uri": record.uri,
        "title": record.title,
        "media_type": record.media_type,
        "language": record.language,
        "size": record.size,
        "modified": _moment(record.modified),
        "metadata": dict(record.metadata),
    }


def _moment(nanoseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if nanoseconds else ""


def _describe(record: Record) -> None:
    import json

    fields = _fields(record)
    metadata = fields.pop("metadata")
    for name, value in fields.items():
        say(f"{name:<12}{visible(str(value), one_line=True)}".rstrip())
    if isinstance(metadata, dict):
        for name, value in metadata.items():
            written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            say(f"  {visible(name, one_line=True)}: {visible(written, one_line=True)}")
