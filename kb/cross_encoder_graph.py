"""Writes the ONNX graph of the library's cross-encoder from the packaged MiniLM and `cross_encoder.npz`, once, without torch.

Inputs `ids`, `mask`, `segments` (batch, position; int64; segment 0 is the question with its special tokens, 1 the passage), output
`log_odds` (batch, 1; float32) that the passage answers the question. The encoder is MiniLM's with low-rank changes (LoRA, Hu
et al. 2021) added to its matrices; a linear layer reads the first position and the means over question and passage.
Matrices are then quantised to eight bits by ONNX Runtime. `benchmarks/library_cross_encoder.py` makes the changes.
"""

import json
import secrets
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from safetensors.numpy import load_file

from kb.errors import KbError
from kb.onnx_graph import BertGraph, save


def changed(weights: dict[str, np.ndarray], changes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """MiniLM's weights with the changes: `name.down` (rank, in) and `name.up` (out, rank) add their product to the
    matrix `name`, and `head.*` is new.

    Raises KbError when a change fits no weight.
    """
    result = dict(weights)
    for label, array in changes.items():
        name, kind = label.rsplit(".", 1)
        if name == "head":
            result[label] = array.astype(np.float32)
        elif name not in weights:
            raise KbError(
                f"The cross-encoder changes {name}, which this embedder does not have. Use the packaged MiniLM."
            )
        elif kind == "up":
            product = array.astype(np.float32) @ changes[f"{name}.down"].astype(np.float32)
            result[name] = weights[name].astype(np.float32) + product
    return result


def write_cross_encoder(folder: Path, changes: Path, path: Path) -> None:
    """Write the cross-encoder made of the embedder in `folder` and `changes` to `path`, as one whole file."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with np.load(changes, allow_pickle=False) as stored:
        weights = changed(load_file(folder / "model.safetensors"), dict(stored))
    whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}.whole")
    quantised = whole.with_suffix(".eight")
    try:
        model = PairGraph(weights, config).build()
        add_pre_process_metadata(model)  # its shapes are known: no advice to infer them first
        save(model, whole)
        quantize_dynamic(
            whole, quantised, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"]
        )
        quantised.replace(path)
    finally:
        for left in (whole, quantised):
            left.unlink(missing_ok=True)


class PairGraph(BertGraph):
    """Reads two texts together."""

    def segment(self) -> str:
        return self.add("Gather", [self.weight("embeddings.token_type_embeddings.weight"), "segments"])

    def build(self) -> onnx.ModelProto:
        mask = self.add("Cast", ["mask"], to=TensorProto.FLOAT)
        second = self.add("Cast", ["segments"], to=TensorProto.FLOAT)
        x = self.encode(mask)
        first = self.add("Gather", [x, self.constant_scalar(0)], axis=1)
        passage = self.add("Mul", [mask, second])
        means = [self.mean(x, self.add("Sub", [mask, passage])), self.mean(x, passage)]
        joined = self.add("Concat", [first, *means], axis=1)
        return self.model(self.linear(joined, "head"), ("ids", "mask", "segments"), ("log_odds", 1))

    def constant_scalar(self, value: int) -> str:
        label = f"constant_{len(self.constants)}"
        self.constants[label] = np.array(value, dtype=np.int64)
        return label
