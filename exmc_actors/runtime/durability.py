"""Say how a run is kept, if it is, and that what computes now computes as what did before."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exmc_actors.arguments import is_number
from exmc_actors.errors import SettingsError, StoreError
from exmc_actors.runtime.executables import Compiled
from exmc_actors.runtime.journal import (
    DRAWS_OF_A_SEED,
    ChainsRecord,
    Disk,
    Journal,
    LengthRecord,
    MakerRecord,
)
from exmc_actors.xla import numerics


@dataclass(frozen=True)
class Store:
    """A folder that a run is kept in.

    What is committed has always reached the operating system, so that it survives the end of the process, by
    whatever signal.  For a power cut it has to have reached the disk, too.

    Attributes:
      folder: made where it is missing; a relative name is of the working directory that the process has when
        the store is named, whatever it changes to.
      sync_every: seconds after which the next commit waits for the disk, which takes milliseconds: 0 for
        every commit; None leaves it to the operating system, up to the run's end.
      disk: takes what is written; another one than the operating system's is for tests.
    """

    folder: str | Path
    sync_every: float | None = 1.0
    disk: Disk = field(default=os, repr=False, compare=False)
    path: Path = field(init=False, repr=False, compare=False)
    """Of the folder, absolute."""

    def __post_init__(self) -> None:
        """Check what a user wrote."""
        if not isinstance(self.folder, str | Path) or not str(self.folder) or "\0" in str(self.folder):
            raise SettingsError(
                f"a store is the name of a folder, got {self.folder!r}: write, say, ex.Store('runs/first')."
            )
        seconds: Any = self.sync_every
        if seconds is not None and not (is_number(seconds) and float(seconds) >= 0.0):
            raise SettingsError(
                f"sync_every must be a number of seconds from 0 on, or None, got {seconds!r}: "
                "write, say, sync_every=1.0."
            )
        object.__setattr__(self, "path", Path(self.folder).absolute())


@dataclass
class Durability:
    """What of a run's store its actors need; without a journal nothing is kept."""

    journal: Journal | None = None
    sync_every: float | None = None
    maker: Mapping[str, str] | None = None
    """What computed the draws that are in the journal."""
    draws: int | None = None
    """How many a chain is to have from now on; None means as many as the journal says."""
    chains: int | None = None
    """How many there are to be from now on; None likewise."""
    takes_any_maker: bool = False

    def refuse_other_versions(self) -> None:
        """Refuse draws of another version or processor, which are known before anything is compiled.

        Raises:
          StoreError: something else computed the draws that are there.
        """
        if self.maker is not None:
            self._refuse_unless({**self.maker, **_here()})

    def admit(self, compiled: Compiled) -> None:
        """Note what computes the draws, and how many there are to be, before the first one is made.

        Raises:
          StoreError: the draws that are there were computed by something else, or nothing can be noted.
        """
        if self.journal is None:
            return
        here = {"folded": str(compiled.is_folded), "device": compiled.device, **_here()}
        self._refuse_unless(here)
        try:
            if self.maker != here:
                self.journal.append(MakerRecord(here))
                self.maker = here
            if self.draws is not None:
                self.journal.append(LengthRecord(self.draws))
                self.draws = None
            if self.chains is not None:
                self.journal.append(ChainsRecord(self.chains))
                self.chains = None
        except OSError as error:
            raise StoreError(f"the journal of the run cannot be written: {error.strerror}.") from error

    def _refuse_unless(self, here: Mapping[str, str]) -> None:
        if self.maker is not None and self.maker != here and not self.takes_any_maker:
            raise StoreError(_difference(self.maker, here))


def _here() -> dict[str, str]:
    """Name what computes here, but for what is known of it only when it is compiled."""
    return {**_versions(), **numerics()}


@cache
def _versions() -> dict[str, str]:
    """Return those of the kernel and of the lessons; that of the compiler is elsewhere."""
    return {
        "exmc_actors": version("exmc-actors"),
        "draws of a seed": DRAWS_OF_A_SEED,
        "numpy": version("numpy"),
    }


def _difference(before: Mapping[str, str], here: Mapping[str, str]) -> str:
    names = [name for name in sorted({*before, *here}) if before.get(name) != here.get(name)]
    told = ", ".join(f"{name} was {before.get(name)} and is {here.get(name)}" for name in names)
    return (
        f"something else computed the draws of this run ({told}), and what follows would not be the bits "
        "that would have followed there: say anyway=True to go on all the same, which the store will tell."
    )
