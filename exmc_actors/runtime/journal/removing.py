"""Remove a run from its folder, in an order in which what is left is always a run, or none."""

from collections.abc import Sequence
from pathlib import Path

from exmc_actors.runtime.journal.segments import segments_of, sync_folder


def remove(folder: Path, others: Sequence[str]) -> None:
    """Remove all segments, the last one first, and then other files.

    What is left meanwhile is a shorter run.  The lock is held until the journal is closed, and stays in the
    folder: were it removed, two who wait for it could have it both.

    Args:
      folder: that this process has locked.
      others: names of files, which may be missing.

    Raises:
      OSError: a file was not removed, nor those after it.
    """
    for path in [*reversed(segments_of(folder)), *(folder / name for name in others)]:
        path.unlink(missing_ok=True)
        sync_folder(folder)
