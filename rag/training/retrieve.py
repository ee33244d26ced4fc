"""A small retriever, for mining hard windows and for evaluating as the product meets a question.

BM25 and the sentence encoder, each score standardised over the corpus, then added.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .data import STOP, words_of
from .model import Reader

K1, B = 1.2, 0.75  # the usual BM25 constants


class Words:
    """BM25 over an inverted index held in numpy arrays."""

    def __init__(self, texts: Sequence[str]) -> None:
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = np.zeros(len(texts), dtype=np.float32)
        for n, text in enumerate(texts):
            counts = Counter(stem(w) for w in words_of(text))
            lengths[n] = sum(counts.values())
            for word, count in counts.items():
                postings[word].append((n, count))
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean())))
        self.count = len(texts)
        self.weights: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.idf: dict[str, float] = {}
        for word, pairs in postings.items():
            where = np.array([p[0] for p in pairs])
            often = np.array([p[1] for p in pairs], dtype=np.float32)
            self.idf[word] = float(np.log(1 + (self.count - len(pairs) + 0.5) / (len(pairs) + 0.5)))
            gain = self.idf[word] * often * (K1 + 1) / (often + norm[where])
            self.weights[word] = (where, gain)

    def scores(self, question: str) -> np.ndarray:
        """BM25 of every text."""
        out = np.zeros(self.count, dtype=np.float32)
        for word in {stem(w) for w in words_of(question)} - STOP:
            if word in self.weights:
                where, gain = self.weights[word]
                out[where] += gain
        return out

    def coverage(self, question: str, text: str) -> float:
        """The share of the question's words that stand in the text, weighted by rarity."""
        unseen = float(np.log(1 + self.count))
        asked = {stem(w) for w in words_of(question) if w not in STOP}
        present = {stem(w) for w in words_of(text)}
        weight = {w: self.idf.get(w, unseen) for w in asked}
        total = sum(weight.values())
        return sum(v for w, v in weight.items() if w in present) / total if total else 0.0


def stem(word: str) -> str:
    """Plural and the commonest verb endings off, no more."""
    for ending in ("ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def sentence_vectors(
    encoder: Reader, tokenizer: Tokenizer, texts: Sequence[str], rows: int = 32, longest: int = 200
) -> np.ndarray:
    """Unit vectors of the untrained encoder (mean pooling), as all-MiniLM-L6-v2 makes them."""
    encoded = [e.ids[: longest - 1] + e.ids[-1:] for e in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(encoded)), key=lambda n: len(encoded[n]))
    out = np.zeros((len(encoded), encoder.shape.width), dtype=np.float32)
    encoder.eval()
    for at in range(0, len(order), rows):
        part = order[at : at + rows]
        length = max(len(encoded[n]) for n in part)
        ids = torch.tensor([encoded[n] + [0] * (length - len(encoded[n])) for n in part])
        mask = torch.tensor([[int(k < len(encoded[n])) for k in range(length)] for n in part])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            x = encoder.encode(ids, torch.zeros_like(ids), mask).float()
        pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        out[part] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
    return out


class Retriever:
    """The windows of a corpus, ranked for a question."""

    def __init__(
        self, encoder: Reader, tokenizer: Tokenizer, texts: Sequence[str], cache: Path | None = None
    ) -> None:
        self.words = Words(texts)
        if cache and cache.exists():
            self.vectors = np.load(cache)
        else:
            self.vectors = sentence_vectors(encoder, tokenizer, texts)
            if cache:
                np.save(cache, self.vectors)

    def scores(self, question: str, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """BM25 and cosine of every window."""
        return self.words.scores(question), self.vectors @ vector

    def top(self, question: str, vector: np.ndarray, k: int) -> np.ndarray:
        """The best ``k`` by the fused score."""
        bm25, cosine = self.scores(question, vector)
        fused = standard(bm25) + standard(cosine)
        return np.argsort(-fused)[:k]


def standard(x: np.ndarray) -> np.ndarray:
    """Mean 0, deviation 1."""
    return (x - x.mean()) / (x.std() + 1e-6)
