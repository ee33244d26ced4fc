"""What happened on the way to an answer, for people who want to know why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index import ScoredChunk


class Trace:
    """Steps in the order in which they were taken."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, str]] = []

    def add(self, step: str, detail: str) -> None:
        """Write a step down."""
        self._steps.append((step, detail))

    def search(self, query: str, chunks: Sequence[ScoredChunk]) -> None:
        """Write down what was searched and found."""
        found = [
            f"{s.score:6.2f}  {s.chunk.file} {s.chunk.start}-{s.chunk.end}  {s.chunk.text!r}" for s in chunks
        ]
        self.add("search", "\n".join([query, *found]))

    def prompt(self, messages: Sequence[dict[str, str]]) -> None:
        """Write down what a model is told."""
        self.add("prompt", "\n\n".join(f"{message['role']}: {message['content']}" for message in messages))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the steps, each by its name and what it was about."""
        return iter(self._steps)
