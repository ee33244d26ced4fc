"""What people are told of a claim that its passages do not fully support."""

from __future__ import annotations

from rag import Claim

_WORDS = {"supported": "", "weak": "Loosely supported", "unsupported": "Not supported"}


def doubt(claim: Claim) -> str:
    """Return the verdict in two words, without a full stop; empty for a supported claim."""
    return _WORDS[claim.verdict]


def explained(claim: Claim) -> str:
    """Return the verdict and its reason as sentences; empty for a supported claim."""
    return f"{doubt(claim)}. {claim.reason}".strip() if doubt(claim) else ""
