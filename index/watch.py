"""Notice when something in a folder changes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from index.folder import CLUTTER, IGNORE_FILES

SETTLE_MS = 300
"""Changes that follow each other this closely are told of together …"""
LONGEST_MS = 2_000
"""… but no later than this after the first of them."""
TICK_MS = 300
"""How often it is made sure that the folder is still the same one."""
RETRY_SECONDS = 1.0

log = logging.getLogger("footnote.index")


class Watcher:
    """Calls back, from a thread of its own, when something below a folder may have changed.

    The first call comes as soon as nothing that happens from then on is missed. Calls may be in vain. Where the
    system tells nothing (network folders changed by another computer, more folders than it can watch, a burst
    of changes too large for its queue) there is no call: who must not miss a change also looks from time to time.
    The folder may go and come back meanwhile.

    Args:
        folder: The folder; what the walk over it passes over by name is passed over here too.
        changed: What to call; it should return quickly.
        apart: A folder whose changes do not count, for instance an index inside the folder.
    """

    def __init__(self, folder: Path, changed: Callable[[], None], apart: Path | None = None) -> None:
        self._folder, self._changed = Path(os.path.realpath(folder)), changed
        self._apart = Path(os.path.realpath(apart)) if apart else None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="footnote-watch", daemon=True)
        self.told = False
        """Whether the system tells of changes at the moment."""

    def start(self) -> None:
        """Begin; to be called once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait until it has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except FileNotFoundError:
                self._wait_for_folder()
            except (OSError, RuntimeError) as error:  # watchfiles raises these two
                log.warning(
                    "%s cannot be watched, so it is looked at from time to time: %s", self._folder, error
                )
                self._changed()
                return
            finally:
                self.told = False

    def _follow(self) -> None:
        """Tell of changes until the folder is no longer the one it was."""
        from watchfiles import Change, watch

        same = self._identity()
        for changes in watch(
            self._folder,
            watch_filter=self._counts,
            debounce=LONGEST_MS,
            step=SETTLE_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if changes or not self.told:
                self.told = True
                self._changed()
            # One that was deleted and made again may have the number of the old one.
            if (Change.deleted, str(self._folder)) in changes or self._identity() != same:
                self._changed()
                return

    def _wait_for_folder(self) -> None:
        self._changed()
        while not self._folder.is_dir() and not self._stop.wait(RETRY_SECONDS):
            pass

    def _identity(self) -> tuple[int, int]:
        stat = self._folder.stat()
        return stat.st_dev, stat.st_ino

    def _counts(self, _: object, path: str) -> bool:
        if self._apart and Path(path).is_relative_to(self._apart):
            return False
        return not any(map(_passed_over, Path(path).relative_to(self._folder).parts))


def _passed_over(name: str) -> bool:
    """Whether the walk does not go into a folder, or look at a file, of this name; what sets its rules counts."""
    return name not in IGNORE_FILES and (name.startswith((".", "~$")) or name in CLUTTER)
