"""How the library's networks are run through ONNX Runtime.

A run takes one thread, and independent runs stand beside each other: for these few million weights that is faster than one run on two
threads, which wait for each other at every operation, and it disturbs a running experiment less. Sums and layer norms are left
apart: ONNX Runtime's joint kernel for them takes several times as long as the two.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import onnxruntime

THREADS = 2

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """The network in a file, ready to run. Raises what ONNX Runtime raises where the file is none."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


def run_each(run: Callable[[_Given], _Found], batches: Sequence[_Given]) -> list[_Found]:
    """What `run` gives for each batch, in order, `THREADS` at a time; its first error is raised."""
    if len(batches) == 1:
        return [run(batches[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, batches))
