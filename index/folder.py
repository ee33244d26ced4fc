"""The folder of documents as it lies on the disk: which files there are, and what is in one of them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from index.errors import CorpusError, LoadError
from index.loaders import MAX_BYTES, unread

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ignore", ".footnoteignore")
"""Files of patterns as Git knows them, for the folder they lie in and all below; the last one has the last word."""
CLUTTER = frozenset({"node_modules", "__pycache__", "Thumbs.db", "desktop.ini"})
"""What programs leave lying about under such a name is nobody's document; a pattern `!name` brings it back."""
CACHE_TAGS = frozenset({"CACHEDIR.TAG", "pyvenv.cfg"})
"""A folder that holds one of these says itself that a program made everything in it."""
TRIES = 6
QUIET_NS = 10_000_000
"""Longer than the ticks of a file system's clock: a file that changed just now may be in the middle of it."""


class Entry(NamedTuple):
    """One file of the folder; a tuple, for a large folder has many."""

    file: str
    """Path relative to the folder, with `/` separators; bytes that are not UTF-8 as `\\xff`."""
    size: int = -1
    """In bytes; this and the times are -1 where the file could not be looked at."""
    mtime_ns: int = -1
    ctime_ns: int = -1
    problem: str | None = None
    """Why it is not to be read, so that it can stand after the file's name."""


def walk(root: Path) -> Iterator[Entry]:
    """Yield every file below the folder, in the order of `Entry.file` as a string.

    Passed over without a word are hidden files and folders, what the patterns in `IGNORE_FILES` name,
    `CLUTTER`, caches that say so, and links to folders inside the folder, whose files are met where they
    lie. A folder or file that cannot be looked at or leads out of the folder, and a file that is too large
    or of no format that can be read, is an entry with a `problem`; a folder's name ends with `/`. Only the names of the folders on the way to the file at hand are held in memory.

    Raises:
        CorpusError: If the folder is missing or cannot be read.
    """
    if not root.is_dir():
        raise CorpusError(f"There is no folder {root}.")
    top = os.path.realpath(root)
    try:
        stack = [_listing(top, "", [])]
    except OSError as error:
        raise CorpusError(f"The folder {root} cannot be read: {error.strerror}.") from error
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
        elif isinstance(found, Entry):
            yield found
        else:
            folder, rules = found
            try:
                stack.append(_listing(top, folder, rules))
            except FileNotFoundError:
                continue  # It has gone since its parent was listed.
            except OSError as error:
                yield Entry(_shown(folder), problem=_unreadable(error))


def read(root: Path, entry: Entry) -> tuple[bytes, Entry]:
    """Return a file's content, and its entry as it was at that moment: one version, never a mix of two.

    Raises:
        LoadError: If it is gone, cannot be read, is too large, or does not stop changing. Another try may
            help, so the file should not count as known.
    """
    path = root / entry.file
    for attempt in range(TRIES):
        if attempt:
            time.sleep(QUIET_NS * 2**attempt / 1e9)
        try:
            with path.open("rb") as stream:
                before = _seen(os.fstat(stream.fileno()))
                data = stream.read(MAX_BYTES + 1)
                after = _seen(os.fstat(stream.fileno()))
        except FileNotFoundError:
            raise LoadError("it has just been removed") from None
        except OSError as error:
            raise LoadError(_unreadable(error)) from error
        if reason := unread(entry.file, len(data)):
            raise LoadError(reason)
        if before == after and before[0] == len(data) and not 0 <= time.time_ns() - before[1] < QUIET_NS:
            return data, Entry(entry.file, *before)
    raise LoadError("it keeps changing while it is read")


_Rules = list[tuple[str, "GitIgnoreSpec"]]
"""Patterns, each with the folder it holds for, outermost first."""


def _listing(top: str, folder: str, rules: _Rules) -> Iterator[Entry | tuple[str, _Rules]]:
    """What lies in a folder (its path with a `/` behind it, or ""): files as entries, folders to go into."""
    with os.scandir(f"{top}/{folder}") as scan:
        found = {item.name: item for item in scan}
    if CACHE_TAGS & found.keys():
        return iter(())
    return _entries(top, folder, found, rules)


def _entries(
    top: str, folder: str, found: dict[str, os.DirEntry[str]], rules: _Rules
) -> Iterator[Entry | tuple[str, _Rules]]:
    problems: dict[str, str] = {}
    if names := [name for name in IGNORE_FILES if name in found]:
        spec, problems = _patterns(found, names)
        rules = [*rules, (folder, spec)]
    paths = [
        folder + name + ("/" if item.is_dir(follow_symlinks=False) else "")
        for name, item in found.items()
        if name in problems or not name.startswith((".", "~$"))
    ]
    for path in sorted(paths, key=_shown):
        name = path[len(folder) :]
        if name in problems:
            yield Entry(_shown(path), problem=problems[name])
        elif _ignored(path, name.rstrip("/"), rules):
            continue
        elif path.endswith("/"):
            yield path, rules
        elif entry := _entry(top, path, found[name]):
            yield entry


def _entry(top: str, path: str, item: os.DirEntry[str]) -> Entry | None:
    """A file's entry; None when there is nothing to say about it."""
    if (shown := _shown(path)) != path:
        return Entry(shown, problem="its name is not UTF-8: rename it")
    try:
        if item.is_symlink():
            problem = _astray(Path(os.path.realpath(item.path, strict=True)), top)
            if problem or item.is_dir():
                return Entry(path, problem=problem) if problem else None
        stat = item.stat()
    except FileNotFoundError:
        return Entry(path, problem="a link to nothing") if item.is_symlink() else None
    except OSError as error:
        return Entry(path, problem=_unreadable(error))
    if not S_ISREG(stat.st_mode):
        return Entry(path, problem="not a file but a pipe, a socket or a device")
    return Entry(path, *_seen(stat), problem=unread(path, stat.st_size))


def _astray(target: Path, top: str) -> str | None:
    """What is wrong with where a link leads."""
    if not target.is_relative_to(top):
        return "a link that leads out of the folder"
    hidden = any(part.startswith(".") for part in target.relative_to(top).parts)
    return "a link to something hidden" if hidden else None


def _patterns(found: dict[str, os.DirEntry[str]], names: list[str]) -> tuple[GitIgnoreSpec, dict[str, str]]:
    """The patterns of a folder's ignore files, and what is first wrong with each of these files."""
    from pathspec import GitIgnoreSpec

    patterns: list[str] = []
    problems: dict[str, str] = {}
    for name in names:
        try:
            lines = Path(found[name].path).read_text(errors="surrogateescape").splitlines()
        except OSError as error:
            problems[name] = _unreadable(error)
            continue
        for line in lines:
            try:
                GitIgnoreSpec.from_lines([line])
            except (ValueError, re.error):
                problems.setdefault(name, f"its pattern {line!r} cannot be understood, so it ignores nothing")
            else:
                patterns.append(line)
    return GitIgnoreSpec.from_lines(patterns), problems


def _ignored(path: str, name: str, rules: _Rules) -> bool:
    for folder, spec in reversed(rules):
        ignored = spec.check_file(path[len(folder) :]).include
        if ignored is not None:
            return ignored
    return name in CLUTTER


def _seen(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _shown(path: str) -> str:
    """A path as the index knows it; bytes that are not UTF-8, which no index could hold, as `\\xff`."""
    return path if path.isascii() else os.fsencode(path).decode(errors="backslashreplace")


def _unreadable(error: OSError) -> str:
    return f"it cannot be read: {error.strerror}"
