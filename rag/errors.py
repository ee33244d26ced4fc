"""Errors of asking; they join the tree that `index.errors` draws.

FootnoteError
└── ConfigurationError  a setting has a value that cannot work
"""

from __future__ import annotations

from index.errors import FootnoteError


class ConfigurationError(FootnoteError):
    """A setting has a value that cannot work."""
