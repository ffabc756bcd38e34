"""Writes the ONNX graph of a BERT sentence embedder from its published weights, once, without torch.

Input `ids`, `mask` (batch, position; int64), output `vector` (batch, d_model; float32): BERT encoder (Devlin et al.
2018: post-LayerNorm, exact GELU), mean over the unmasked positions, L2 norm, which is what the packaged MiniLM's
`modules.json` prescribes. The graph is built node by node from `model.safetensors` and `config.json`, so it needs neither
torch nor a tracing exporter; tests/kb/test_onnx_graph.py compares it with transformers. It does not know other
architectures, and says so.
"""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from kb.errors import KbError

OPSET = 20
FILE_NAME = "embedder.onnx"


def write_onnx(folder: Path) -> Path:
    """Write `embedder.onnx` beside the weights in `folder` and return its path.

    Raises KbError when the folder's model is not a BERT encoder with mean pooling.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise KbError(
            f"The embedder in {folder} is a {config.get('model_type')!r} model; only BERT encoders are converted here. "
            f"Put a ready-made {FILE_NAME} (inputs ids, mask; output vector) into the folder."
        )
    return save(BertGraph(load_file(folder / "model.safetensors"), config).build(), folder / FILE_NAME)


def save(model: onnx.ModelProto, path: Path) -> Path:
    """Check a model and write it as one whole file, even where two processes do so at once."""
    onnx.checker.check_model(model)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    unfinished.write_bytes(model.SerializeToString())
    unfinished.replace(path)
    return path


class BertGraph:
    """Collects nodes; each method adds a few and returns the name of their output."""

    def __init__(self, weights: dict[str, np.ndarray], config: dict[str, Any]) -> None:
        self.weights = weights
        self.heads = int(config["num_attention_heads"])
        self.layers = int(config["num_hidden_layers"])
        self.width = int(config["hidden_size"])
        self.epsilon = float(config["layer_norm_eps"])
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weight(self, name: str, *, transpose: bool = False) -> str:
        label = name + (".T" if transpose else "")
        array = self.weights[name].astype(np.float32)
        self.constants[label] = np.ascontiguousarray(array.T) if transpose else array
        return label

    def constant(self, value: list[int] | list[float], kind: type[np.generic]) -> str:
        label = f"constant_{len(self.constants)}"
        self.constants[label] = np.array(value, dtype=kind)
        return label

    def linear(self, x: str, name: str) -> str:
        product = self.add("MatMul", [x, self.weight(f"{name}.weight", transpose=True)])
        return self.add("Add", [product, self.weight(f"{name}.bias")])

    def norm(self, x: str, name: str) -> str:
        inputs = [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=self.epsilon)

    def split_heads(self, x: str, order: list[int]) -> str:
        shape = self.constant([0, 0, self.heads, self.width // self.heads], np.int64)
        return self.add("Transpose", [self.add("Reshape", [x, shape])], perm=order)

    def attention(self, x: str, name: str, bias: str) -> str:
        q = self.split_heads(self.linear(x, f"{name}.self.query"), [0, 2, 1, 3])
        k = self.split_heads(self.linear(x, f"{name}.self.key"), [0, 2, 3, 1])
        v = self.split_heads(self.linear(x, f"{name}.self.value"), [0, 2, 1, 3])
        scale = self.constant([(self.width // self.heads) ** -0.5], np.float32)
        scores = self.add("Add", [self.add("Mul", [self.add("MatMul", [q, k]), scale]), bias])
        pattern = self.add("Softmax", [scores], axis=-1)
        z = self.add("Transpose", [self.add("MatMul", [pattern, v])], perm=[0, 2, 1, 3])
        joined = self.add("Reshape", [z, self.constant([0, 0, self.width], np.int64)])
        return self.norm(self.add("Add", [self.linear(joined, f"{name}.output.dense"), x]), f"{name}.output.LayerNorm")

    def segment(self) -> str:
        """The embedding that tells the two texts of a pair apart; here all is the first text."""
        self.constants["segment"] = self.weights["embeddings.token_type_embeddings.weight"][0].astype(np.float32)
        return "segment"

    def embed(self) -> str:
        tokens = self.add("Gather", [self.weight("embeddings.word_embeddings.weight"), "ids"])
        length = self.add("Shape", ["ids"], start=1, end=2)
        table = self.weight("embeddings.position_embeddings.weight")
        zero, axis = self.constant([0], np.int64), self.constant([0], np.int64)
        positions = self.add("Slice", [table, zero, length, axis])
        summed = self.add("Add", [self.add("Add", [tokens, positions]), self.segment()])
        return self.norm(summed, "embeddings.LayerNorm")

    def encode(self, mask: str) -> str:
        """Embedding and all layers; `mask` is 1 at a token and 0 at padding, as float."""
        hidden = self.add("Sub", [self.constant([1.0], np.float32), mask])
        spread = self.add("Unsqueeze", [hidden, self.constant([1, 2], np.int64)])
        bias = self.add("Mul", [spread, self.constant([-1e9], np.float32)])
        x = self.embed()
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}"
            x = self.attention(x, f"{name}.attention", bias)
            inner = self.add("Gelu", [self.linear(x, f"{name}.intermediate.dense")])
            x = self.norm(self.add("Add", [self.linear(inner, f"{name}.output.dense"), x]), f"{name}.output.LayerNorm")
        return x

    def mean(self, x: str, mask: str) -> str:
        """Mean of `x` over the positions where `mask` is 1."""
        weights = self.add("Unsqueeze", [mask, self.constant([2], np.int64)])
        total = self.add("ReduceSum", [self.add("Mul", [x, weights]), self.constant([1], np.int64)], keepdims=0)
        count = self.add("ReduceSum", [mask, self.constant([1], np.int64)], keepdims=1)
        return self.add("Div", [total, count])

    def build(self) -> onnx.ModelProto:
        mask = self.add("Cast", ["mask"], to=TensorProto.FLOAT)
        mean = self.mean(self.encode(mask), mask)
        length = self.add("ReduceL2", [mean, self.constant([1], np.int64)], keepdims=1)
        return self.model(self.add("Div", [mean, length]), ("ids", "mask"), ("vector", self.width))

    def model(self, result: str, inputs: Sequence[str], output: tuple[str, int]) -> onnx.ModelProto:
        """The finished graph; `output` is the name and the width of its result."""
        self.nodes.append(helper.make_node("Identity", [result], [output[0]]))
        ints = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "position"]) for name in inputs]
        told = helper.make_tensor_value_info(output[0], TensorProto.FLOAT, ["batch", output[1]])
        tensors = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "bert", ints, [told], tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
