"""What went wrong goes to the log under a number; only the number is shown."""

from __future__ import annotations

import logging
import uuid

log = logging.getLogger("footnote.ui")


def note(what: str, error: Exception) -> str:
    """Put an exception into the log and return the number to find it by.

    What an exception says is never shown: it may hold paths or keys.
    """
    number = uuid.uuid4().hex[:8]
    log.error("error %s: %s", number, what, exc_info=error)
    return number
