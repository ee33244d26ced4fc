"""Files that are either whole or not there."""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

from index.errors import FootnoteError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one step: a reader finds the old content or the new, also after a crash.

    Raises:
        OSError: If the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def checksum(path: Path, result: int = 0) -> int:
    """Return a number that tells a damaged file from a whole one: its CRC-32, going on from another.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            result = zlib.crc32(piece, result)
    return result


def pass_on(error: BaseException) -> None:
    """Raise an error again unless it speaks of a damaged cache.

    Chroma and Tantivy panic with a `BaseException` of their own, so everything has to be caught; what
    asks the process to stop, or is already an error for people, goes on.
    """
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, FootnoteError)):
        raise error


def read_marker(path: Path) -> dict[str, Any]:
    """Return the JSON object in a small file; empty when it is missing or not one."""
    try:
        marker = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def write_marker(path: Path, marker: dict[str, Any]) -> None:
    """Write a small JSON object in one step."""
    write_whole(path, json.dumps(marker).encode())
