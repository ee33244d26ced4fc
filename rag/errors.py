"""Errors of asking; they join the tree that `index.errors` draws.

FootnoteError
├── ConfigurationError  a setting has a value that cannot work
├── ModelError          the model's server gave no usable answer; a question never raises it, it falls back
└── QuestionsError      a file of questions to evaluate with cannot be used
"""

from __future__ import annotations

from index.errors import FootnoteError


class ConfigurationError(FootnoteError):
    """A setting has a value that cannot work."""


class ModelError(FootnoteError):
    """A language model gave no usable answer: which server, what happened and what to do."""

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float | None = None,
        overflow: bool = False,
        lasting: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        """Seconds after which another request may do better; None when none will."""
        self.overflow = overflow
        """Whether a shorter prompt would have been taken."""
        self.lasting = lasting
        """Whether every other request would fail as well until somebody mends something."""


class QuestionsError(FootnoteError):
    """A file of questions to evaluate with cannot be used."""
