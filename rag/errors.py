"""Errors of asking; they join the tree that `index.errors` draws.

FootnoteError
├── ConfigurationError  a setting has a value that cannot work
└── QuestionsError      a file of questions to evaluate with cannot be used
"""

from __future__ import annotations

from index.errors import FootnoteError


class ConfigurationError(FootnoteError):
    """A setting has a value that cannot work."""


class QuestionsError(FootnoteError):
    """A file of questions to evaluate with cannot be used."""
