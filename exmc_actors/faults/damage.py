"""Damage a stored run between two sittings, as a disk does that loses a bit."""

import random
from pathlib import Path


def damage(folder: str | Path, seed: int) -> str:
    """Change one byte of one file of a store that no process writes to.

    Args:
      folder: that was named by ``store``.
      seed: says which byte, and to what.

    Returns:
      Which byte of which file: for whoever looks.
    """
    chance = random.Random(seed)
    paths = [path for path in sorted(Path(folder).iterdir()) if path.stat().st_size]
    path = chance.choices(paths, [path.stat().st_size for path in paths])[0]
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= chance.randrange(1, 256)
    path.write_bytes(data)
    return f"{path.name}, byte {place}"
