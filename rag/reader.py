"""The local reader: which sentences of the retrieved chunks answer the question, and with which words.

A small cross-encoder looks at the question and a chunk together. It was trained for this from the
MiniLM weights that also embed the chunks (`rag/training/`); it runs in ONNX Runtime on the CPU. For
each token it says how well an answer could start there, end there, or be supported there, and for
the whole chunk whether it answers at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index import ScoredChunk, Span
from index.minilm import model_folder

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

MODEL = Path(__file__).with_name("reader.onnx")
MAX_TOKENS = 192
"""Question, title and chunk together, as in training; what lies beyond is not read."""
MAX_QUESTION_TOKENS = 48
MAX_ANSWER_TOKENS = 30
CLS, SEP = 101, 102
"""Ids of the tokens that open a line and end its parts, in the vocabulary of BERT."""
OUTSIDE = -1e4
"""Logit of what was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One sentence of a retrieved chunk, read with the question in mind."""

    source: ScoredChunk
    """The chunk it stands in."""
    rank: int
    """Place of the chunk among those retrieved, from 0."""
    span: Span
    """Where the sentence stands in the document."""
    answer: Span
    """Where the words that answer best stand in the document; inside `span`."""
    chunk_answers: float
    """Logit that the chunk answers at all."""
    margin: float
    """How far these words are above "no answer"; a difference of logits."""
    behind: float
    """How far the sentence is behind the best one of its chunk; 0 for that one, else negative."""

    @property
    def text(self) -> str:
        """The sentence."""
        return self.source.chunk.sentence(self.span)


def read(question: str, chunks: Sequence[ScoredChunk]) -> list[Reading]:
    """Return a reading of every sentence of some chunks, in the order of the chunks and sentences.

    All chunks go through the model as one batch. Sentences beyond `MAX_TOKENS` of a chunk have
    `OUTSIDE` scores.
    """
    if not chunks:
        return []
    asked = _tokenizer().encode(question, add_special_tokens=False).ids[:MAX_QUESTION_TOKENS]
    pages = [_Page(rank, scored) for rank, scored in enumerate(chunks)]
    encodings = _tokenizer().encode_batch([page.text for page in pages], add_special_tokens=False)
    room = MAX_TOKENS - len(asked) - 3
    tokens, answers = _run(asked, [encoding.ids[:room] for encoding in encodings])
    first = len(asked) + 2
    return [
        reading
        for page, encoding, logits, answer in zip(pages, encodings, tokens, answers, strict=True)
        for reading in page.readings(encoding, logits[0], logits[first : first + room], float(answer))
    ]


def load() -> None:
    """Load the model now, not when it first reads."""
    _session()
    _tokenizer()


class _Page:
    """A chunk as the model sees it: its title, then its sentences with one space between them."""

    def __init__(self, rank: int, source: ScoredChunk) -> None:
        self.rank, self.source = rank, source
        chunk = source.chunk
        self.text = f"{chunk.title}: "
        self.places: list[tuple[int, Span]] = []
        for span in chunk.sentences:
            self.places.append((len(self.text), span))
            self.text += f"{chunk.sentence(span)} "

    def readings(
        self, encoding: Encoding, null: NDArray[np.float32], logits: NDArray[np.float32], answers: float
    ) -> list[Reading]:
        offsets = np.array(encoding.offsets[: len(logits)]).reshape(-1, 2)
        found = [_answer(offsets, logits, place, span) for place, span in self.places]
        top = max(answer.sentence for answer in found)
        no_answer = float(null[0] + null[1])
        return [
            Reading(
                source=self.source,
                rank=self.rank,
                span=span,
                answer=answer.span,
                chunk_answers=answers,
                margin=answer.words - no_answer,
                behind=answer.sentence - top,
            )
            for answer, (_, span) in zip(found, self.places, strict=True)
        ]


class _Answer(NamedTuple):
    """The words of a sentence that answer best, and what the model says of them."""

    span: Span
    words: float
    """Logit that an answer starts and ends just there."""
    sentence: float
    """Logit that it starts and ends anywhere in the sentence, and that the sentence supports it."""


def _answer(offsets: NDArray[np.int64], logits: NDArray[np.float32], place: int, span: Span) -> _Answer:
    inside = np.flatnonzero((offsets[:, 0] >= place) & (offsets[:, 1] <= place + span[1] - span[0]))
    if not len(inside):
        return _Answer(span, OUTSIDE, OUTSIDE)
    start, end, support = logits[inside].T
    near = np.triu(np.tri(len(inside), k=MAX_ANSWER_TOKENS - 1, dtype=bool))
    pairs = np.where(near, start[:, None] + end[None, :], OUTSIDE)
    first, last = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
    shift = span[0] - place
    return _Answer(
        span=(int(offsets[inside[first], 0]) + shift, int(offsets[inside[last], 1]) + shift),
        words=float(pairs[first, last]),
        sentence=float(np.logaddexp.reduce(start) + np.logaddexp.reduce(end) + support.mean()),
    )


def _run(asked: list[int], contents: list[list[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Token logits (start, end, support), shape (chunks, tokens, 3), and chunk logits, shape (chunks,)."""
    first = len(asked) + 2
    shape = (len(contents), first + max(map(len, contents)) + 1)
    ids, types, mask = (np.zeros(shape, np.int64) for _ in range(3))
    for row, content in enumerate(contents):
        line = [CLS, *asked, SEP, *content, SEP]
        ids[row, : len(line)], mask[row, : len(line)], types[row, first : len(line)] = line, 1, 1
    feed = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    tokens, answers = _session().run(["tokens", "answers"], feed)
    return tokens, answers


@cache
def _session() -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Quantised matrix products run faster where this fusion leaves their bias to them.
    return onnxruntime.InferenceSession(
        MODEL, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


@cache
def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
