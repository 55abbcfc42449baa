"""OpenVINO: compiling a graph for this machine, saving what was compiled, taking it up again.

The only file that configures the runtime. Nothing here opens a socket: OpenVINO's telemetry lives in its model
conversion tools, which Ammon never imports.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ammon.extras import import_openvino

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, Model

DEVICE = "CPU"
QUICK_THREADS = 2
QUICK_TOKENS = 64
"""A batch of so few tokens, a query most likely, runs on this many threads at most: more save it little where they are
free (5.5 ms for 6.5 with four), and wait for each other where they are not. What comes out is the same, bit by bit."""


@cache
def core() -> Core:
    """Return the process's one OpenVINO core."""
    import_openvino()
    from openvino import Core

    return Core()


def version() -> str:
    """Return OpenVINO's version and the CPU's name: what a compiled graph is valid for."""
    processor = core().get_property(DEVICE, "FULL_DEVICE_NAME")
    from openvino import get_version

    return f"{get_version()} {processor} {precision()}"


def precision() -> str:
    """Return the precision to compute in: ``bf16`` where the CPU multiplies in it, ``f32`` elsewhere."""
    return "bf16" if "BF16" in core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES") else "f32"


def options(threads: int) -> dict[str, Any]:
    """Return the settings to compile with; ``threads`` 0 means one for each core this process may use."""
    return {
        "INFERENCE_NUM_THREADS": many(threads),
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": precision(),
        # weights kept in 8 bits are multiplied in 8 bits, 32 activations to a scale (128 are no quicker, and leave
        # vectors farther from those of f32); bf16 units are faster still
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 32 if precision() == "f32" else 0,
        "ENABLE_CPU_PINNING": False,  # the machine is shared with the writer and whatever else runs
    }


def _cores() -> int:
    """Cores this process may use; where the system does not tell (macOS, Windows), all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Program:
    """A compiled graph, ready to run; any number of threads may share one, and take turns batch by batch."""

    def __init__(self, compiled: CompiledModel, memory: object = None) -> None:
        self._compiled = compiled
        self._memory = memory  # the runtime reads the weights out of this and does not keep it alive itself
        self._request = compiled.create_infer_request()
        self._turn = threading.Lock()  # one request at a time already keeps every core busy

    def run(self, inputs: Mapping[str, NDArray[np.int32]]) -> NDArray[np.float32]:
        """Return the graph's output for its inputs by name, each ``(n, length)``; the caller's own."""
        from openvino import Tensor

        with self._turn:
            for name, values in inputs.items():
                self._request.set_tensor(name, Tensor(values, shared_memory=True))
            self._request.infer()
            rows: NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()  # the next run writes over it
        return rows

    def export(self) -> bytes:
        """Return the compiled graph as bytes that `restore` takes."""
        blob: bytes = self._compiled.export_model().getvalue()
        return blob


class Programs:
    """One graph for few threads and for many: each batch runs on what suits its size."""

    def __init__(self, quick: Program, load_wide: Callable[[], Program | None]) -> None:
        self._quick = quick
        self._load_wide = load_wide
        self._wide: Program | None = None
        self._loading = threading.Lock()

    def run(self, inputs: Mapping[str, NDArray[np.int32]]) -> NDArray[np.float32]:
        """Return the graph's output, as `Program.run` does."""
        program = self._quick if inputs["ids"].size <= QUICK_TOKENS else self._for_many()
        return program.run(inputs)

    def _for_many(self) -> Program:
        with self._loading:
            if self._wide is None:
                self._wide = self._load_wide() or self._quick
            return self._wide


def many(threads: int) -> int:
    """Return how many threads a large batch takes: ``threads``, or where that is 0, one for each core."""
    return threads or _cores()


def few(threads: int) -> int:
    """Return how many threads a small batch takes."""
    return min(many(threads), QUICK_THREADS)


def compile_graph(graph: Model, threads: int) -> Program:
    """Return the graph ready to run."""
    return Program(core().compile_model(graph, DEVICE, options(threads)), graph)


def restore(path: Path, threads: int) -> Program | None:
    """Return what `Program.export` gave, from a file that is mapped, not read.

    None where this version of the runtime does not take it.
    """
    from openvino import Tensor, Type

    blob = np.memmap(path, np.uint8, "r")
    try:
        compiled = core().import_model(Tensor(blob, [len(blob)], Type.u8), DEVICE, options(threads))
    except RuntimeError:  # what OpenVINO raises for a blob of another build; the caller builds anew
        return None
    return Program(compiled, blob)
