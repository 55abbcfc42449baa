"""Models by their name on the Hugging Face hub, fetched once, only when asked for by such a name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ammon.embed.weights import shards
from ammon.errors import ModelNotFound

REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
SMALL = ["*.json", "*/config.json", "*_Dense/model.safetensors"]
INDEX = "model.safetensors.index.json"
WEIGHTS = ["model.safetensors", "onnx/model.onnx", INDEX]
SHARDS = "model-*-of-*.safetensors"  # as transformers names what the index lists


def is_repo(name: str) -> bool:
    """Return whether ``name`` has the shape ``org/name``.

    >>> is_repo("BAAI/bge-small-en-v1.5"), is_repo("./models/mine"), is_repo("minilm")
    (True, False, False)
    """
    return REPO.fullmatch(name) is not None


def fetch(name: str, cache: Path) -> Path:
    """Return the folder of the hub's repo ``name``: what is there already, else what the hub gives.

    Fetched are the settings, the tokenizer and the weights in one format, nothing else; no telemetry is sent.

    Raises: ModelNotFound where the hub does not know it or cannot be reached.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import huggingface_hub as hub
    from huggingface_hub.errors import HfHubHTTPError

    folder = cache / "hub"
    here = _fetched(name, folder)
    if here is not None:
        return here
    try:
        listed = {file.rfilename for file in hub.model_info(name).siblings or ()}
        weights = next((path for path in WEIGHTS if path in listed), None)
        if weights is None:
            raise ModelNotFound(f"The repo {name} holds none of {', '.join(WEIGHTS)}.", hint="Export it to ONNX.")
        wanted = [*SMALL, SHARDS if weights == INDEX else weights]
        return Path(hub.snapshot_download(name, cache_dir=folder, allow_patterns=wanted))
    except (_client_error(HfHubHTTPError), OSError, ValueError) as error:
        raise ModelNotFound(
            f"The model {name} is not here, and the Hugging Face hub did not give it: {_first_line(error)}.",
            hint="Check the name and the network, or copy the model into a folder and give that.",
        ) from error


def _fetched(name: str, folder: Path) -> Path | None:
    """The folder of a repo that was fetched to the end before; None where it was not."""
    import huggingface_hub as hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = Path(hub.snapshot_download(name, cache_dir=folder, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return found if _complete(found) else None


def _complete(folder: Path) -> bool:
    if any((folder / weights).exists() for weights in WEIGHTS if weights != INDEX):
        return True
    try:
        return bool(shards(folder / INDEX))
    except ModelNotFound:  # what is missing may yet be fetched
        return False


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _client_error(hub_error: type[Exception]) -> type[Exception]:
    """The root of the errors of the hub's HTTP client, whichever client its version uses: the hub's own derives from
    it.
    """
    return hub_error.__bases__[0]
