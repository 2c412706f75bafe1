"""Let the parts of a run fail on purpose, where they touch: for tests and demonstrations of what heals.

Nothing of the library imports this package.  Faults are put around what a run is made of, never into it.
"""

from exmc_actors.faults.damage import damage
from exmc_actors.faults.drawing import drawn
from exmc_actors.faults.injector import Faults
from exmc_actors.faults.kinds import (
    ChainKilled,
    Fault,
    InjectedError,
    Late,
    Raises,
    RecorderDies,
    ServerDies,
    ShortWrite,
    Slow,
    SyncFails,
    WakeRaises,
    WriteFails,
    Wrong,
)
from exmc_actors.faults.reader import Reader

__all__ = [
    "ChainKilled",
    "Fault",
    "Faults",
    "InjectedError",
    "Late",
    "Raises",
    "Reader",
    "RecorderDies",
    "ServerDies",
    "ShortWrite",
    "Slow",
    "SyncFails",
    "WakeRaises",
    "WriteFails",
    "Wrong",
    "damage",
    "drawn",
]
