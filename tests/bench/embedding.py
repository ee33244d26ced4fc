"""How fast texts become vectors: the same texts, in turn, by each way, each in a process of its own.

The baseline is sentence-transformers with the same weights on PyTorch in 32-bit floats, with as many threads. The texts
are of sentences of the shipped documents: *chunks* of up to 450 characters under a title, and *abstracts* of 1,000.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from index import MiniLM, embedding, minilm
from index.embedding import THREADS, Vectors
from rag import shipped_seeds
from tests.bench.processes import seconds
from tests.bench.results import Row, row

ROUNDS = 5
CHUNK, ABSTRACT = 450, 1_000
"""Characters."""
PADDED = 32
"""Texts of a padded batch, as sentence-transformers has it."""
Encode = Callable[[list[str]], Vectors]


def measure(texts: int) -> list[Row]:
    """Return the figures of so many chunks, and of a third as many abstracts."""
    kinds = {"chunks": chunks(texts), "abstracts": abstracts(max(1, texts // 3))}
    with ExitStack() as stack:
        workers = {
            way: stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            for way in WAYS
            if way not in NEED_TORCH or find_spec("sentence_transformers")
        }
        for way, worker in workers.items():
            worker.submit(run, way, kinds["chunks"][:PADDED]).result()
        return [line for kind, given in kinds.items() for line in compare(kind, given, workers)]


def compare(kind: str, texts: list[str], workers: dict[str, ProcessPoolExecutor]) -> list[Row]:
    """Let each way embed the same texts, one after the other, several times."""
    taken: dict[str, list[float]] = {way: [] for way in workers}
    vectors: dict[str, Vectors] = {}
    for _ in range(ROUNDS):
        for way, worker in workers.items():
            spent, vectors[way] = worker.submit(run, way, texts).result()
            taken[way].append(spent)
    speed = {way: len(texts) / median(spent) for way, spent in taken.items()}
    exact = vectors[BASELINE] if BASELINE in vectors else vectors[FLOATS]
    goals = {OURS: "≥ 2.5 ×"}
    return [
        *(
            row(f"{kind}: {way}", speed[way], "texts/s", speed.get(BASELINE), goals.get(way, ""))
            for way in workers
        ),
        row(f"{kind}: lowest cosine of ours", float(np.sum(vectors[OURS] * exact, axis=1).min()), ""),
    ]


def run(way: str, texts: list[str]) -> tuple[float, Vectors]:
    """Embed texts in this process; returns the seconds and the vectors."""
    encode = _way(way)
    found: list[Vectors] = []
    return seconds(lambda: found.append(encode(texts))), found[0]


@cache
def _way(way: str) -> Encode:
    return WAYS[way]()


def sentence_transformers() -> Encode:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(minilm.model_folder()), device="cpu", local_files_only=True)
    return lambda texts: model.encode(texts, batch_size=PADDED, normalize_embeddings=True)


def exported() -> Encode:
    """The graph that PyTorch exports, in ONNX Runtime as it comes; padded batches of texts of like length."""
    import onnxruntime

    with TemporaryDirectory() as folder:
        export(file := Path(folder, "model.onnx"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    tokenizer = MiniLM()._tokenizer
    tokenizer.enable_padding()

    def encode(texts: list[str]) -> Vectors:
        vectors = np.empty((len(texts), MiniLM.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), PADDED):
            rows = order[start : start + PADDED]
            encodings = tokenizer.encode_batch([texts[row] for row in rows])
            feed = {
                "input_ids": np.array([encoding.ids for encoding in encodings]),
                "attention_mask": np.array([encoding.attention_mask for encoding in encodings]),
            }
            (vectors[rows],) = session.run(["vectors"], feed)
        return vectors

    return encode


def export(file: Path) -> None:
    import warnings

    import torch
    from transformers import AutoModel

    class Embedder(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(minilm.model_folder(), local_files_only=True).eval()

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            kept = attention_mask.unsqueeze(-1).float()
            return torch.nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1), dim=1)

    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns of every shape that it takes for a constant.
        torch.onnx.export(
            Embedder(),
            (ids, ids),
            file,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "texts"}},
            dynamo=False,
        )


def floats() -> Encode:
    model = MiniLM()
    model.__dict__["_session"] = embedding._load(minilm.graph_file(int8=False))
    return lambda texts: model.embed(texts, kind="document")


def ours() -> Encode:
    model = MiniLM()
    return lambda texts: model.embed(texts, kind="document")


BASELINE = f"baseline: sentence-transformers, {THREADS} threads"
EXPORTED = "ONNX Runtime, the graph as exported"
FLOATS = "Footnote where the processor has no exact 8-bit products"
OURS = "Footnote"
WAYS: dict[str, Callable[[], Encode]] = {
    BASELINE: sentence_transformers,
    EXPORTED: exported,
    FLOATS: floats,
    OURS: ours,
}
NEED_TORCH = (BASELINE, EXPORTED)


def chunks(count: int) -> list[str]:
    """Return texts as an index embeds them."""
    rng = random.Random(1)
    return [f"{rng.choice(_sentences())}\n{_prose(rng, rng.randint(150, CHUNK))}" for _ in range(count)]


def abstracts(count: int) -> list[str]:
    """Return texts of a length at which attention takes its share."""
    rng = random.Random(2)
    return [_prose(rng, ABSTRACT) for _ in range(count)]


def _prose(rng: random.Random, characters: int) -> str:
    """Sentences in any order, cut."""
    text = ""
    while len(text) < characters:
        text += f"{rng.choice(_sentences())} "
    return text[:characters]


@cache
def _sentences() -> list[str]:
    files = sorted(shipped_seeds().glob("*.txt"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return [line for line in text.replace(". ", ".\n").splitlines() if 30 < len(line) < 250]
