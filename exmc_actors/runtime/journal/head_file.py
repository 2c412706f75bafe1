"""Keep the head of a run in a file of its own, which is there whole or not at all."""

import os
from pathlib import Path

from exmc_actors.runtime.journal.head import Head, decode_head
from exmc_actors.runtime.journal.segments import sync_folder
from exmc_actors.wire.frames import framed, scan

HEAD_FILE = "head"
_PART = f"{HEAD_FILE}.part"
HEAD_FILES = (_PART, HEAD_FILE)


def heads_in_file(folder: Path, damages: list[str]) -> list[Head]:
    """Return the head of the file that holds nothing else, if it can be read."""
    try:
        data = (folder / HEAD_FILE).read_bytes()
    except FileNotFoundError:
        return []
    found = scan(data)
    try:
        if len(found.payloads) == 1 and not found.damaged and found.end == len(data):
            return [decode_head(found.payloads[0])]
    except ValueError:
        pass
    damages.append(HEAD_FILE)
    return []


def write_head_file(folder: Path, data: bytes) -> None:
    """Write the head at once or not at all."""
    part = folder / _PART
    with part.open("wb") as file:
        file.write(framed(data))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / HEAD_FILE)
    sync_folder(folder)
