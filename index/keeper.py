"""Keep an index equal to its folder while it is being asked."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace

from index.core import Index
from index.errors import FootnoteError, LockedError, StoreError
from index.sync import SyncReport
from index.types import OnProgress, Progress
from index.watch import Watcher

LOOK_SECONDS = 30.0
"""A followed folder is looked through at least this often, for changes that the system does not tell of …"""
LOOK_SHARE = 100
"""… but a look that takes a second only after this many seconds."""
GRACE_SECONDS = 10.0
"""So long a thread is waited for that has been told to end; then it is left to the end of the process."""
BREATH_SECONDS = 2.0
"""Two looks, when there is news, are as far apart as a look takes, up to so long."""
RETRY_SECONDS = 3.0
"""After a failure the next try comes no sooner."""
FEW, LONGER = 1_000, 4
"""Vectors of so few texts are waited for, so many times longer than is the patience otherwise."""

Told = Callable[[SyncReport | FootnoteError], None]
"""Called with what a sync in the background did, or why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far an index has come."""

    progress: Progress | None = None
    """What is being done in this process at the moment; None when nothing is."""
    checked: bool = False
    """Whether the folder has been read to its end at least once since the index was opened."""
    error: FootnoteError | None = None
    """Why the last try failed; None when it did not."""


class Keeper:
    """Brings an index up to date in a thread of its own: once, or as long as its folder is followed.

    Safe to share between threads, and the only one to sync this index. The thread lives while there is
    something to do, at the longest until `close` or the end of the process; what it has done by then stays.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self._syncing = threading.Lock()
        self._news = threading.Condition()
        self._state = State()
        self._since = self._ended = time.monotonic()
        self._looked = 0.0
        self._failed = False
        self._thread: threading.Thread | None = None
        self._watcher: Watcher | None = None
        self._told: Told | None = None
        self._wake, self._stop = threading.Event(), threading.Event()

    @property
    def state(self) -> State:
        """How far the index has come."""
        return self._state

    def sync(self, progress: OnProgress | None = None) -> SyncReport:
        """Bring the index up to date in this thread, all of it; raises the same as `Index.sync`."""
        return self._sync(progress)

    def repair(self, progress: OnProgress | None = None) -> SyncReport:
        """Make the index anew where it differs from the folder; raises the same as `Index.repair`."""
        with self._syncing:
            return self.index.repair(progress)

    def follow(self, told: Told | None = None) -> None:
        """From now on, notice and take in what changes in the folder.

        Args:
            told: Called, from another thread, whenever something changed in the index, or went wrong.
        """
        with self._news:
            if self._watcher or self._stop.is_set():
                return
            self._told = told
            self._watcher = Watcher(self.index.corpus, self._wake.set, apart=self.index.folder)
            self._watcher.start()
            self._begin()

    def settle(
        self,
        patience: float,
        progress: OnProgress | None = None,
        stop: threading.Event | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """See to it that the folder is or has been checked, and wait until the index can be asked.

        Args:
            patience: How many seconds a check may have taken until what there is by then will do; four times
                as many while the last 1,000 vectors are made. Without any document yet, the first one is waited for.
            progress: Called, in this thread, with what is being done.
            stop: Ends the waiting when it is set.
            meanwhile: Called once if there is anything to wait for.

        Raises:
            FootnoteError: If the check failed and there is not one document.
        """
        with self._news:
            stale = time.monotonic() - self._ended > RETRY_SECONDS
            if not self._thread and not self._state.checked and (stale or not self._state.error):
                self._begin()
        if meanwhile and not self._settled(patience):
            meanwhile()
        while not self._settled(patience) and not (stop and stop.is_set()):
            with self._news:
                self._news.wait(0.1)
            if progress and (step := self._state.progress):
                progress(step)
        error = self._state.error
        if error and not self.index.counts()["documents"]:
            raise type(error)(str(error)) from error

    def close(self) -> None:
        """End what is going on here, wait until it has ended, and release the index."""
        self._stop.set()
        self._wake.set()
        with self._news:
            thread, watcher = self._thread, self._watcher
        if watcher:
            watcher.close()
        if thread:
            thread.join(GRACE_SECONDS)
        if not thread or not thread.is_alive():
            self.index.close()

    def _settled(self, patience: float) -> bool:
        state = self._state
        if self._thread is None or self._stop.is_set() or (state.checked and not state.progress):
            return True
        step = state.progress
        if step and step.stage == "embedding" and step.total <= FEW:
            patience *= LONGER
        waited = time.monotonic() - self._since >= patience
        if self._failed and isinstance(state.error, LockedError):
            return waited or bool(self.index.counts()["documents"])
        return self._failed or (waited and bool(self.index.counts()["documents"]))

    def _begin(self) -> None:
        """Start the thread if there is none; the lock is held."""
        if self._thread is None and not self._stop.is_set():
            self._since, self._failed = time.monotonic(), False
            self._thread = threading.Thread(target=self._run, name="footnote-keeper", daemon=True)
            _running.add(self)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = self._check()
            with self._news:
                if self._stop.is_set() or (pause is None and not self._watcher):
                    self._thread = None
                    self._news.notify_all()
                    return
            self._wake.wait(pause or 0.0)
            # A file that changes all the time must not take more than half of the time.
            self._stop.wait(min(self._looked, BREATH_SECONDS) - (time.monotonic() - self._ended))

    def _check(self) -> float | None:
        """Bring the index up to date; return how long to wait before doing so again, None for never."""
        began = {"checking": time.monotonic()}
        halt = threading.Event()

        def go_on(step: Progress) -> None:
            now = time.monotonic()
            began.setdefault(step.stage, now)
            # New files go before old vectors, but for no more than half of the time.
            before = began.get("embedding", now) - began["checking"]
            news = self._wake.is_set() and now - began.get("embedding", now) > before
            if news or self._stop.is_set():
                halt.set()

        try:
            report = self._sync(go_on, halt)
        except LockedError as error:
            self._fail(error)
            return RETRY_SECONDS
        except Exception as error:  # noqa: BLE001 - told to whoever asks next, in whatever thread
            self._fail(_known(error))
            return LOOK_SECONDS if self._watcher else None
        finally:
            self._ended = time.monotonic()
        if self._told and (report.added or report.changed or report.removed):
            self._told(report)
        if halt.is_set():
            return 0.0
        self._looked = began.get("reading", self._ended) - began["checking"]
        return max(LOOK_SECONDS, LOOK_SHARE * self._looked) if self._watcher else None

    def _sync(self, progress: OnProgress | None = None, stop: threading.Event | None = None) -> SyncReport:
        def note(step: Progress) -> None:
            self._tell(progress=step, checked=self._state.checked or step.stage == "embedding")
            if progress:
                progress(step)

        with self._syncing:
            try:
                report = self.index.sync(note, stop)
            except BaseException:
                self._tell(progress=None)
                raise
            if stop and stop.is_set():
                return report  # It goes on at once.
            self._tell(progress=None, checked=True, error=None)
            return report

    def _fail(self, error: FootnoteError) -> None:
        news = str(error) != str(self._state.error or "")
        self._tell(error=error)
        self._failed = True
        if news and self._told:
            self._told(error)

    def _tell(self, **changes: object) -> None:
        with self._news:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]
            self._news.notify_all()


def _known(error: Exception) -> FootnoteError:
    if isinstance(error, FootnoteError):
        return error
    unknown = StoreError(f"Bringing the index up to date failed: {type(error).__name__}: {error}.")
    unknown.__cause__ = error
    return unknown


_running: weakref.WeakSet[Keeper] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A thread that still embeds while the interpreter is taken down can crash it."""
    for keeper in list(_running):
        keeper.close()
