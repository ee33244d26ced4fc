"""The reader: a six-layer BERT that looks at a question and a passage together.

The encoder is MiniLM-L6 (384 wide, 12 heads), loaded by name from the sentence encoder's
``model.safetensors``. Three small heads sit on it:

* ``span``    two logits per token: an answer starts here, an answer ends here;
* ``support`` one logit per token: this token stands in a sentence that answers;
* ``answers`` one logit per window, from [CLS]: does this window answer this question.

A window that holds no answer is taught to point start and end at [CLS], so the span head carries
a second, independent opinion (``start[0] + end[0]`` against the best span).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import gelu

HEAD_NAMES = ("start", "end", "support", "answers")


@dataclass(frozen=True)
class Shape:
    """Sizes of MiniLM-L6; they are those of the weights file, not a choice."""

    vocabulary: int = 30522
    positions: int = 512
    width: int = 384
    inner: int = 1536
    heads: int = 12
    layers: int = 6
    norm_eps: float = 1e-12


class Dropout(nn.Module):
    """Drops whole channels of a row: as good here, and far cheaper to draw than one per token."""

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, x: Tensor) -> Tensor:
        """Scale up what is kept, so that the mean stays."""
        if not self.training or self.chance == 0:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2]) >= self.chance
        return x * (kept / (1 - self.chance)).to(x.dtype)


class Layer(nn.Module):
    """One post-norm transformer layer, as in BERT."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.attended = nn.Linear(shape.width, shape.width)
        self.attended_norm = nn.LayerNorm(shape.width, eps=shape.norm_eps)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.down_norm = nn.LayerNorm(shape.width, eps=shape.norm_eps)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend, then transform; ``mask`` is added to the attention scores."""
        rows, length, width = x.shape
        qkv = self.qkv(x).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        # Written out, and softmax kept in its input's type: on a CPU the backward pass of the fused
        # kernel is several times slower, and casting the scores to float32 costs as much again.
        scores = (query * (width // self.heads) ** -0.5) @ key.transpose(-1, -2)
        scores = scores + mask.to(scores.dtype)
        with torch.autocast("cpu", enabled=False):
            mixed = scores.softmax(-1) @ value
        mixed = mixed.transpose(1, 2).reshape(rows, length, width)
        x = self.attended_norm(x + self.dropout(self.attended(mixed)))
        return self.down_norm(x + self.dropout(self.down(gelu(self.up(x)))))


class Reader(nn.Module):
    """Question and window in, four logits out: see the module's docstring."""

    def __init__(self, shape: Shape = Shape(), dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.types = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.norm_eps)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.token_heads = nn.Linear(shape.width, 3)  # start, end, support
        self.pool = nn.Linear(shape.width, shape.width)
        self.answers = nn.Linear(shape.width, 1)
        for head in (self.token_heads, self.pool, self.answers):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def encode(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Contextual vectors, (rows, length, width); ``mask`` is 1 on real tokens."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.words(ids) + self.types(types) + self.positions(places)
        x = self.dropout(self.norm(x))
        visible = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, visible)
        return x

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits start, end, support (rows, length) and answers (rows,)."""
        x = self.encode(ids, types, mask)
        start, end, support = self.token_heads(x).unbind(-1)
        answers = self.answers(torch.tanh(self.pool(x[:, 0]))).squeeze(-1)
        return start, end, support, answers


def encoder_weights(path: Path, shape: Shape = Shape()) -> dict[str, Tensor]:
    """BERT's tensors under this module's names, query, key and value joined into one matrix."""
    raw = {name.removeprefix("bert."): value for name, value in load_file(path).items()}
    out = {
        "words.weight": raw["embeddings.word_embeddings.weight"],
        "positions.weight": raw["embeddings.position_embeddings.weight"],
        "types.weight": raw["embeddings.token_type_embeddings.weight"],
        "norm.weight": raw["embeddings.LayerNorm.weight"],
        "norm.bias": raw["embeddings.LayerNorm.bias"],
    }
    for n in range(shape.layers):
        layer = f"encoder.layer.{n}"
        for kind in ("weight", "bias"):
            parts = [raw[f"{layer}.attention.self.{p}.{kind}"] for p in ("query", "key", "value")]
            out[f"layers.{n}.qkv.{kind}"] = torch.cat(parts)
            for ours, theirs in (
                ("attended", "attention.output.dense"),
                ("attended_norm", "attention.output.LayerNorm"),
                ("up", "intermediate.dense"),
                ("down", "output.dense"),
                ("down_norm", "output.LayerNorm"),
            ):
                out[f"layers.{n}.{ours}.{kind}"] = raw[f"{layer}.{theirs}.{kind}"]
    return out


def load_encoder(path: Path, dropout: float = 0.1) -> Reader:
    """A reader whose encoder is the sentence encoder and whose heads are new."""
    reader = Reader(dropout=dropout)
    missing, unexpected = reader.load_state_dict(encoder_weights(path), strict=False)
    heads = ("token_heads", "pool", "answers")
    wrong = [name for name in missing if name.split(".")[0] not in heads]
    if wrong or unexpected:
        raise ValueError(f"not the expected encoder: missing {wrong}, unexpected {unexpected}")
    return reader
