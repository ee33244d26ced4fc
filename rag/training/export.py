"""Write the trained reader as one ONNX file that needs ONNX Runtime and nothing else.

    python -m rag.training.export reader.pt reader.onnx [--float]

The graph is built by hand, with ONNX Runtime's MultiHeadAttention and BiasGelu. Matrices become int8 with one scale per output channel, activations are quantised as
they come; the word table becomes int8 with one scale per word. About 23 MB.

Inputs (int64, any number of rows and tokens): ``input_ids``, ``token_type_ids`` (0 for
"[CLS] question [SEP]", 1 for "title: window [SEP]"), ``attention_mask`` (1 on real tokens).
Outputs (float32): ``tokens`` (rows, tokens, 3), the logits start, end, support; ``answers`` (rows,).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from .model import Reader, Shape

MICROSOFT = "com.microsoft"  # the domain of the fused operators
OPSET = 18


class Graph:
    """Nodes and weights, collected in order."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: np.ndarray) -> str:
        """Store a tensor; its name."""
        self.weights.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, domain: str = "", **more) -> str:
        """Add a node with one output; the output's name."""
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=f"{output}/{kind}", domain=domain, **more)
        )
        return output

    def constant(self, name: str, values: list[int] | int) -> str:
        """Store whole numbers; the name."""
        return self.weight(name, np.array(values, dtype=np.int64))


def embed(g: Graph, state: dict[str, np.ndarray], small: bool) -> str:
    """Words, types and positions, added and normalised."""
    words = state["words.weight"]
    if small:
        scale = np.abs(words).max(axis=1, keepdims=True) / 127
        table = np.round(words / scale).astype(np.int8)
        g.add("Gather", [g.weight("words", table), "input_ids"], "word_int8")
        g.add("Cast", ["word_int8"], "word_plain", to=TensorProto.FLOAT)
        g.add("Gather", [g.weight("word_scales", scale), "input_ids"], "word_scale")
        g.add("Mul", ["word_plain", "word_scale"], "word")
    else:
        g.add("Gather", [g.weight("words", words), "input_ids"], "word")
    g.add("Gather", [g.weight("types", state["types.weight"]), "token_type_ids"], "type")
    g.add("Shape", ["input_ids"], "shape", start=1, end=2)
    g.add("Squeeze", ["shape"], "length")
    g.add("Range", [g.constant("zero", 0), "length", g.constant("one", 1)], "places")
    g.add("Gather", [g.weight("positions", state["positions.weight"]), "places"], "position")
    g.add("Add", ["word", "type"], "word_type")
    g.add("Add", ["word_type", "position"], "summed")
    norm = [g.weight(f"norm.{k}", state[f"norm.{k}"]) for k in ("weight", "bias")]
    return g.add("LayerNormalization", ["summed", *norm], "embedded", axis=-1, epsilon=g.shape.norm_eps)


def layer(g: Graph, state: dict[str, np.ndarray], n: int, x: str) -> str:
    """One transformer layer.

    Measured on a CPU, int8: a product and MultiHeadAttention take half the time of the fused
    Attention operator, Add and LayerNormalization a third of SkipLayerNormalization.
    """
    own = f"l{n}."

    def tensor(name: str) -> str:
        value = state[f"layers.{n}.{name}"]
        return g.weight(own + name, value.T if value.ndim == 2 else value)

    def linear(source: str, name: str, bias: bool = True) -> str:
        out = g.add("MatMul", [source, tensor(f"{name}.weight")], own + name)
        return g.add("Add", [out, tensor(f"{name}.bias")], f"{out}+") if bias else out

    def added_norm(left: str, right: str, name: str) -> str:
        norm = [tensor(f"{name}.{k}") for k in ("weight", "bias")]
        total = g.add("Add", [left, right], f"{own}{name}_sum")
        return g.add("LayerNormalization", [total, *norm], own + name, axis=-1, epsilon=g.shape.norm_eps)

    parts = [own + part for part in ("query", "key", "value")]
    joined = linear(x, "qkv")
    g.nodes.append(helper.make_node("Split", [joined], parts, axis=-1, num_outputs=3))
    mixed = g.add(
        "MultiHeadAttention",
        [*parts, "", "mask"],
        own + "mixed",
        MICROSOFT,
        num_heads=g.shape.heads,
    )
    x = added_norm(linear(mixed, "attended"), x, "attended_norm")
    up = linear(x, "up", bias=False)
    up = g.add("BiasGelu", [up, tensor("up.bias")], own + "gelu", MICROSOFT)
    return added_norm(linear(up, "down"), x, "down_norm")


def heads(g: Graph, state: dict[str, np.ndarray], x: str) -> None:
    """Token logits from every vector, the answerability logit from [CLS]; kept in float32."""
    weight = g.weight("token_heads.weight", state["token_heads.weight"].T)
    g.add("MatMul", [x, weight], "token_logits")
    g.add("Add", ["token_logits", g.weight("token_heads.bias", state["token_heads.bias"])], "tokens")
    g.add("Gather", [x, "zero"], "cls", axis=1)
    for name, source, output in (("pool", "cls", "pooled"), ("answers", "tanh", "answer")):
        pair = [g.weight(f"{name}.{k}", state[f"{name}.{k}"]) for k in ("weight", "bias")]
        g.add("Gemm", [source, *pair], output, transB=1)
        if name == "pool":
            g.add("Tanh", [output], "tanh")
    g.add("Squeeze", ["answer", g.constant("last_axis", [1])], "answers")


def build(reader: Reader, small: bool) -> onnx.ModelProto:
    """The float graph; ``small`` stores the word table as int8."""
    state = {k: v.detach().float().numpy() for k, v in reader.state_dict().items()}
    g = Graph(reader.shape)
    g.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    x = embed(g, state, small)
    for n in range(reader.shape.layers):
        x = layer(g, state, n, x)
    heads(g, state, x)
    whole = ["rows", "tokens_"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, whole)
        for name in ("input_ids", "token_type_ids", "attention_mask")
    ]
    outputs = [
        helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [*whole, 3]),
        helper.make_tensor_value_info("answers", TensorProto.FLOAT, ["rows"]),
    ]
    graph = helper.make_graph(g.nodes, "reader", inputs, outputs, g.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def write(weights: Path, out: Path, small: bool = True, narrow: bool = False) -> None:
    """``narrow`` uses 7-bit weights, for processors whose 8-bit products overflow (no VNNI)."""
    reader = Reader()
    reader.load_state_dict(torch.load(weights))
    model = build(reader, small)
    if not small:
        onnx.save(model, out)
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "float.onnx")
        onnx.save(model, plain)
        quantize_dynamic(
            plain,
            out,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=narrow,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=["token_logits/MatMul"],
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


def main() -> None:
    """Read the arguments, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--float", action="store_true", help="no quantisation, for comparison")
    parser.add_argument("--narrow", action="store_true", help="7-bit weights")
    args = parser.parse_args()
    write(args.weights, args.out, not args.float, args.narrow)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
