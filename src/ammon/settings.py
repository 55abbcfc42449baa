"""Settings: what can be chosen once for a library, where each choice may stand, and which place wins.

Defaults, then ``ammon.toml`` in the library's folder, then ``AMMON_…`` in the environment, then what the caller gives;
the later wins. Read at the edges only: everything else is handed the values it needs.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from ammon.errors import PathNotFound, SettingsError

_KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

FILE_NAME = "ammon.toml"
FOLDER_NAME = ".ammon"
PREFIX = "AMMON_"
MIB = 1024 * 1024
SECRET = frozenset({"embed_key", "llm_key"})
"""Settings that are read from the environment or an argument only, and shown to nobody."""

NOT_SETTINGS = frozenset({"library", "debug", "data"})
"""Other ``AMMON_…`` variables: where the library is, whether errors show their traceback, where test data lies."""


def _setting(default: Any, doc: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value. ``explain`` gives their documentation."""

    model: str = _setting(
        "",
        "The embedding model: a name from `ammon models`, a folder or a repo; empty: the library's own, and for a new "
        "library multilingual-e5-small.",
    )
    embed_url: str = _setting(
        "", "Address of an OpenAI-compatible `/v1/embeddings` server that embeds with `model`; empty: on this machine."
    )
    embed_key: str = field(
        default="",
        repr=False,
        metadata={
            "doc": "Key for `embed_url`.",
            "low": None,
            "high": None,
        },
    )
    llm: str = _setting("", "The language model, by the name that the server at `llm_url` has for it; empty: none.")
    llm_url: str = _setting("", "Address of an OpenAI-compatible server (`/v1/chat/completions`).")
    llm_key: str = field(default="", repr=False, metadata={"doc": "Key for `llm_url`.", "low": None, "high": None})
    llm_window: int = _setting(
        8192, "Tokens that the language model takes in and gives in all.", low=512, high=10_000_000
    )
    llm_timeout: float = _setting(
        60.0, "Seconds to wait for the language model's first word, and for each other.", low=0.1, high=86_400.0
    )
    llm_price_read: float = _setting(0.0, "Price of a million tokens that the language model reads.", low=0.0)
    llm_price_written: float = _setting(0.0, "Price of a million tokens that it writes.", low=0.0)
    threads: int = _setting(0, "Processor cores used for embedding; 0: all.", low=0, high=4096)
    chunk_tokens: int = _setting(
        496, "Longest passage with its heading path, in the model's own tokens.", low=16, high=8192
    )
    dense_weight: float = _setting(
        0.5, "Weight of likeness of meaning against likeness of words in hybrid search.", low=0.0, high=1.0
    )
    max_file_bytes: int = _setting(64 * MIB, "Files above this size are skipped and listed.", low=1)
    follow_links: bool = _setting(False, "Whether links may lead out of an indexed folder.")
    lock_timeout: float = _setting(
        30.0, "Seconds to wait for another process that is writing to the library.", low=0.0, high=86_400.0
    )
    cache: str = _setting("", "Folder for models built for this machine; empty: the user's cache folder.")

    @property
    def cache_folder(self) -> Path:
        """The folder for built models; not necessarily there yet."""
        if self.cache:
            return Path(self.cache).expanduser()
        import platformdirs

        return Path(platformdirs.user_cache_dir("ammon", appauthor=False))


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting for the reference: its ``name``, where else it may stand, its default, and what it does."""

    name: str
    variable: str
    default: object
    doc: str
    in_file: bool


def explain() -> list[Explained]:
    """All settings in order, as the reference lists them."""
    return [
        Explained(each.name, PREFIX + each.name.upper(), each.default, each.metadata["doc"], each.name not in SECRET)
        for each in fields(Settings)
    ]


def load_settings(
    library: Path | None = None,
    given: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force for the library in the folder ``library``. A given value of ``None`` counts as not given.

    Raises: SettingsError for a setting that does not exist, cannot stand where it does, or has an impossible value.
    """
    known = {each.name: each for each in fields(Settings)}
    chosen: dict[str, Any] = {}
    for name, value, place in [
        *_from_file(library),
        *_from_environment(os.environ if environ is None else environ),
        *((name, value, "the arguments") for name, value in (given or {}).items() if value is not None),
    ]:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else ""
            raise SettingsError(f"There is no setting '{name}' ({place}).", hint=hint)
        chosen[name] = _checked(known[name], value, place)
    return Settings(**chosen)


def find_library(given: str | None = None, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the library in use, whether or not it is there yet.

    ``given`` first, then ``AMMON_LIBRARY``, then the nearest ``.ammon`` folder in ``cwd`` or above it, then the user's
    data folder.

    Raises: PathNotFound when ``given`` or ``AMMON_LIBRARY`` names a file.
    """
    named = given or (os.environ if environ is None else environ).get(PREFIX + "LIBRARY", "")
    here = Path.cwd() if cwd is None else cwd
    if named:
        folder = here / Path(named).expanduser()
        if folder.exists() and not folder.is_dir():
            raise PathNotFound(f"{folder} is a file, not a library.", hint="A library is a folder; name one.")
        return folder
    for folder in (here, *here.parents):
        if (folder / FOLDER_NAME).is_dir():
            return folder / FOLDER_NAME
    import platformdirs

    return Path(platformdirs.user_data_dir("ammon", appauthor=False)) / "library"


def _from_file(library: Path | None) -> list[tuple[str, object, str]]:
    if library is None or not (path := library / FILE_NAME).is_file():
        return []
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.", hint="A line reads: chunk_tokens = 256") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", hint="Make it readable.") from error
    for name in SECRET & table.keys():
        raise SettingsError(
            f"'{name}' stands in {path}, where others may read it.",
            hint=f"Remove the line and set {PREFIX}{name.upper()} in the environment.",
        )
    return [(name, value, str(path)) for name, value in table.items()]


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, object, str]]:
    found: list[tuple[str, object, str]] = []
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name not in NOT_SETTINGS and value:
            found.append((name, value, variable))
    return found


def _checked(setting: Field[Any], value: object, place: str) -> object:
    """The value as the setting's own type.

    Raises: SettingsError.
    """
    kind: type = type(setting.default)
    plain = os.fspath(value) if kind is str and isinstance(value, os.PathLike) else value
    read = _from_text(kind, plain) if isinstance(plain, str) else plain
    if kind is float and isinstance(read, int) and not isinstance(read, bool):
        read = float(read)
    if type(read) is not kind:
        wanted = _KINDS[kind]
        raise SettingsError(
            f"'{setting.name}' must be {wanted}, not {value!r} ({place}).", hint=setting.metadata["doc"]
        )
    low, high = setting.metadata["low"], setting.metadata["high"]
    # Written so that NaN, which compares as nothing, is refused too.
    if (low is not None and not read >= low) or (high is not None and not read <= high):
        bounds = f"between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
        raise SettingsError(f"'{setting.name}' must be {bounds}, not {read} ({place}).", hint=setting.metadata["doc"])
    return read


def _from_text(kind: type, text: str) -> object:
    """Text from the environment as a value of ``kind``; the text itself where it is none."""
    if kind is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text
