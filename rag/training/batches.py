"""From examples to padded tensors."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from rag.reader import MAX_QUESTION_TOKENS, MAX_TOKENS

from .data import Example

NO_LABEL = -1.0


@dataclass
class Batch:
    """Tensors of some examples. Targets are distributions over tokens; labels may be NO_LABEL."""

    ids: Tensor
    types: Tensor
    mask: Tensor
    start: Tensor
    end: Tensor
    support: Tensor
    answers: Tensor


def encode(tokenizer: Tokenizer, examples: Sequence[Example], longest: int = MAX_TOKENS) -> list[dict]:
    """Token ids and token targets of each example: [CLS] question [SEP] title: window [SEP]."""
    questions = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    heads = [e.title + ": " if e.title else "" for e in examples]
    texts = [h + e.window for h, e in zip(heads, examples, strict=True)]
    windows = tokenizer.encode_batch(texts, add_special_tokens=False)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    out = []
    for e, head, q, w in zip(examples, heads, questions, windows, strict=True):
        asked = q.ids[:MAX_QUESTION_TOKENS]
        before = len(asked) + 2
        kept = longest - before - 1
        offsets = np.array(w.offsets[:kept] or [(0, 0)]) - len(head)
        ids = [cls, *asked, sep, *w.ids[:kept], sep]
        start, end, support = (np.zeros(len(ids), dtype=np.float32) for _ in range(3))
        support[:] = NO_LABEL
        real = slice(before, before + min(kept, len(w.ids)))
        inside = offsets[: len(w.ids), 0] >= 0
        support[real] = np.where(inside, 0.0, NO_LABEL)
        for places, value in ((e.unsure, NO_LABEL), (e.support, 1.0)):
            for a, b in places:
                hit = (offsets[:, 0] >= a) & (offsets[:, 1] <= b)
                support[real][hit[: len(w.ids)]] = value
        for a, b in e.spans:
            first = np.flatnonzero(inside & (offsets[:, 0] <= a) & (offsets[:, 1] > a))
            last = np.flatnonzero(inside & (offsets[:, 0] < b) & (offsets[:, 1] >= b))
            if len(first) and len(last):
                start[before + first[0]] = end[before + last[0]] = 1.0
        answered = start.any() and end.any()
        if not answered:  # no answer here, or cut off at the end
            start[:], end[:] = 0.0, 0.0
            start[0] = end[0] = 1.0
        out.append(
            {
                "ids": ids,
                "types": [0] * before + [1] * (len(ids) - before),
                "start": start,
                "end": end,
                "support": support,
                "answers": float(answered),
            }
        )
    return out


def collate(rows: Sequence[dict]) -> Batch:
    """Pad to the longest, rounded up to eight tokens."""
    length = -(-max(len(r["ids"]) for r in rows) // 8) * 8

    def padded(name: str, fill: float, kind: torch.dtype) -> Tensor:
        out = torch.full((len(rows), length), fill, dtype=kind)
        for n, r in enumerate(rows):
            out[n, : len(r["ids"])] = torch.as_tensor(r[name], dtype=kind)
        return out

    mask = torch.zeros(len(rows), length, dtype=torch.long)
    for n, r in enumerate(rows):
        mask[n, : len(r["ids"])] = 1
    return Batch(
        padded("ids", 0, torch.long),
        padded("types", 0, torch.long),
        mask,
        padded("start", 0, torch.float32),
        padded("end", 0, torch.float32),
        padded("support", NO_LABEL, torch.float32),
        torch.tensor([r["answers"] for r in rows]),
    )


def batches(
    rng: random.Random, tokenizer: Tokenizer, examples: Sequence[Example], rows: int, pool: int = 50
) -> Iterator[Batch]:
    """Batches of like length: pools of ``pool`` batches are sorted, cut and shuffled."""
    for at in range(0, len(examples), rows * pool):
        encoded = encode(tokenizer, examples[at : at + rows * pool])
        encoded.sort(key=lambda r: len(r["ids"]))
        cut = [encoded[k : k + rows] for k in range(0, len(encoded), rows)]
        rng.shuffle(cut)
        yield from (collate(part) for part in cut if len(part) > rows // 2)
