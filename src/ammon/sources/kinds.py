"""The table of formats: extension → what the file is and which loader reads it.

A loader is named, not imported, so that a run over Markdown never loads an HTML parser. Sound and video find their
place here when their loaders come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A format: the loader's module under `ammon.sources`, the media type, and the grammar if it is source code.

    Loaders under ``documents`` take bytes and run in the sandbox; the others take decoded text.
    """

    loader: str
    media_type: str
    grammar: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether its loader takes bytes."""
        return self.loader.startswith("documents.")


PLAIN: Final = Kind("plain", "text/plain")

_CODE: Final[dict[str, str]] = {
    "bash": ".bash .sh .zsh .ksh",
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .c++ .hh .hpp .hxx .ipp .cu .cuh",
    "c_sharp": ".cs .csx",
    "css": ".css",
    "go": ".go",
    "haskell": ".hs",
    "java": ".java",
    "javascript": ".js .jsx .mjs .cjs",
    "kotlin": ".kt .kts",
    "lua": ".lua",
    "php": ".php .phtml",
    "python": ".py .pyi .pyw",
    "ruby": ".rb .rake .gemspec",
    "rust": ".rs",
    "scala": ".scala .sc .sbt",
    "sql": ".sql .ddl",
    "swift": ".swift",
    "typescript": ".ts .mts .cts",
    "tsx": ".tsx",
    # No grammar for these: they are cut at blank lines.
    "": ".asm .awk .bat .clj .cljs .cmake .cmd .dart .elm .erl .ex .exs .f .f90 .for .fs .fsx .gradle .groovy .hcl .jl "
    ".less .lisp .m .mk .ml .mli .mm .nim .nix .pas .pl .pm .proto .ps1 .r .s .sass .scm .scss .sol .styl .svelte .tf "
    ".v .vb .vhd .vim .vue .zig .toml .yaml .yml .ini .cfg .conf .properties .env .graphql .dockerfile",
}

_TEXT: Final[tuple[tuple[str, Kind], ...]] = (
    (".txt .text .log .srt .vtt .diff .patch", PLAIN),
    (".md .markdown .mdown .mkd .mdx .qmd .rmd", Kind("markdown", "text/markdown")),
    (".rst .rest", Kind("rst", "text/x-rst")),
    (".adoc .asciidoc .asc", Kind("asciidoc", "text/asciidoc")),
    (".tex .ltx .sty .cls", Kind("latex", "text/x-tex")),
    (".html .htm .xhtml", Kind("html", "text/html")),
    (".xml .rss .atom .opml .xsd .xsl .xslt .svg .kml .gpx .docbook .tei", Kind("xml", "application/xml")),
    (".json .geojson .webmanifest .jsonld", Kind("json_tree", "application/json", "json")),
    (".jsonl .ndjson", Kind("json_lines", "application/jsonl")),
    (".csv", Kind("table", "text/csv")),
    (".tsv .tab", Kind("table", "text/tab-separated-values")),
    (".ipynb", Kind("notebook", "application/x-ipynb+json")),
)

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OPEN: Final = "application/vnd.oasis.opendocument."
_MACROS: Final = ".macroEnabled.12"

_DOCUMENTS: Final[tuple[tuple[str, Kind], ...]] = (
    (".pdf", Kind("documents.pdf", "application/pdf")),
    (".docx .dotx", Kind("documents.docx", f"{_OFFICE}wordprocessingml.document")),
    (".docm .dotm", Kind("documents.docx", f"application/vnd.ms-word.document{_MACROS}")),
    (".pptx .potx .ppsx", Kind("documents.pptx", f"{_OFFICE}presentationml.presentation")),
    (".pptm .potm .ppsm", Kind("documents.pptx", f"application/vnd.ms-powerpoint.presentation{_MACROS}")),
    (".xlsx .xltx", Kind("documents.sheets", f"{_OFFICE}spreadsheetml.sheet")),
    (".xlsm .xltm", Kind("documents.sheets", f"application/vnd.ms-excel.sheet{_MACROS}")),
    (".xlsb", Kind("documents.sheets", f"application/vnd.ms-excel.sheet.binary{_MACROS}")),
    (".xls .xlt .et", Kind("documents.sheets", "application/vnd.ms-excel")),
    (".ods .ots", Kind("documents.sheets", f"{_OPEN}spreadsheet")),
    (".odt .ott", Kind("documents.odf", f"{_OPEN}text")),
    (".odp .otp", Kind("documents.odf", f"{_OPEN}presentation")),
    (".odg .otg", Kind("documents.odf", f"{_OPEN}graphics")),
    (".doc .dot .wps", Kind("documents.doc", "application/msword")),
    (".ppt .pps .pot .dps", Kind("documents.ppt", "application/vnd.ms-powerpoint")),
    (".rtf", Kind("documents.rtf", "application/rtf")),
    (".epub", Kind("documents.epub", "application/epub+zip")),
    (".eml", Kind("documents.mail", "message/rfc822")),
    (".mbox .mbx", Kind("documents.mail", "application/mbox")),
    (".mht .mhtml", Kind("documents.mail", "multipart/related")),
    (".msg .oft", Kind("documents.msg", "application/vnd.ms-outlook")),
    (".zip .jar .kmz .cbz", Kind("documents.archive", "application/zip")),
    (".tar", Kind("documents.archive", "application/x-tar")),
    (".gz .tgz", Kind("documents.archive", "application/gzip")),
    (".bz2 .tbz .tbz2", Kind("documents.archive", "application/x-bzip2")),
    (".xz .txz", Kind("documents.archive", "application/x-xz")),
    (".png", Kind("documents.image", "image/png")),
    (".jpg .jpeg .jpe", Kind("documents.image", "image/jpeg")),
    (".tif .tiff", Kind("documents.image", "image/tiff")),
    (".webp", Kind("documents.image", "image/webp")),
    (".bmp", Kind("documents.image", "image/bmp")),
    (".gif", Kind("documents.image", "image/gif")),
)

KINDS: Final[dict[str, Kind]] = {
    **{
        extension: Kind("code", f"text/x-{grammar.replace('_', '-') or 'source'}", grammar)
        for grammar, extensions in _CODE.items()
        for extension in extensions.split()
    },
    **{extension: kind for extensions, kind in (*_TEXT, *_DOCUMENTS) for extension in extensions.split()},
}
"""Extension, lower case with its dot → the format. Anything else that is text is read as plain text."""

NAMES: Final[dict[str, Kind]] = {
    name: Kind("code", "text/x-source")
    for name in ("makefile", "gnumakefile", "dockerfile", "containerfile", "jenkinsfile", "rakefile", "gemfile")
}
"""File names, lower case, that tell the format without an extension."""


def kind_of(name: str) -> Kind:
    """Return the format that a file's name tells; plain text if it tells none.

    >>> kind_of("Guide.MD").media_type
    'text/markdown'
    """
    lower = name.lower()
    _, dot, extension = lower.rpartition(".")
    return KINDS.get(dot + extension) or NAMES.get(lower, PLAIN)


_LABELS: Final = {
    "documents.pdf": "PDF",
    "documents.docx": "Word",
    "documents.doc": "Word",
    "documents.pptx": "PowerPoint",
    "documents.ppt": "PowerPoint",
    "documents.sheets": "spreadsheet",
    "documents.odf": "OpenDocument",
    "documents.rtf": "RTF",
    "documents.epub": "EPUB",
    "documents.mail": "mail",
    "documents.msg": "mail",
    "documents.archive": "archive",
    "documents.image": "image",
    "markdown": "Markdown",
    "html": "HTML",
    "code": "code",
    "table": "table",
    "notebook": "notebook",
}


def label_of(media_type: str) -> str:
    """Return what people call a format, by its media type; ``text`` for all that has no name of its own.

    >>> label_of("application/pdf"), label_of("text/x-python"), label_of("text/plain")
    ('PDF', 'code', 'text')
    """
    loader = next((kind.loader for kind in KINDS.values() if kind.media_type == media_type), "")
    return _LABELS.get(loader, "text")
