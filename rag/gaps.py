"""What answers may lack while the index is being brought up to date, in sentences for people."""

from __future__ import annotations

from index import Index, Progress, State


def gaps(index: Index, state: State) -> tuple[str, ...]:
    """Return a sentence for each thing that an answer given now may lack; none when the index is whole."""
    unread = _unread(state.progress, state.checked) if state.progress else ""
    found = [unread or _pending(index)]
    if state.error:
        found.append(f"Changes in the folder may be missing here. {state.error}")
    return tuple(filter(None, [*found, index.problem]))


def _pending(index: Index) -> str:
    pending = index.pending()
    if not pending or index.successor:  # Until another embedder's vectors are whole, the old ones answer.
        return ""
    found = f"{pending:,} of {index.counts()['chunks']:,} passages can be found by their words only so far"
    return f"{found}: their meaning is still being worked out."


def _unread(progress: Progress, checked: bool) -> str:
    if progress.stage == "reading" and progress.done < progress.total:
        read = f"{progress.done:,} of {progress.total:,} new or changed files have been read so far"
        return f"{read}: what stands in the others is missing here."
    if progress.stage == "checking" and not checked:
        return "The folder is still being looked through: what has changed in it may be missing here."
    return ""
