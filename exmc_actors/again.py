"""Say with which differences a stored run goes on, and refuse those that it cannot have."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exmc_actors.errors import SettingsError
from exmc_actors.runtime import NO_MORE_LANES, Settings, available_cores, number_of_chains, rebuilt
from exmc_actors.runtime.journal import MOST_ADDED, ChainsRecord, Entry, Kept, LengthRecord, Shelf


@dataclass(frozen=True)
class Again:
    """The differences."""

    model: Any = None
    """Of a run of a function: what cannot be stored."""
    draws: int | None = None
    cores: int | None = None
    chains: int | None = None
    anyway: bool = False

    def settings(self, kept: Kept, folder: Path) -> Settings:
        """Return the settings that the run goes on with.

        Raises:
          SettingsError: fewer draws or chains are asked for than there are, or none can be added.
        """
        settings = replace(kept.head.settings, cores=self.cores or available_cores())
        self._check_chains(kept, folder)
        if self.draws is None:
            return settings
        if self.draws < settings.draws:
            raise SettingsError(
                f"draws={self.draws} is fewer than the {settings.draws} that the run in {folder} is to "
                "have: leave it out, or give a larger number."
            )
        return replace(settings, draws=self.draws)

    def records(self, kept: Kept) -> tuple[Entry, ...]:
        """Return what the journal holds, and what is asked for now."""
        records = kept.records
        if self.draws is not None:  # more are asked for, whatever was found to be enough
            records = (*records, LengthRecord(self.draws))
        return records if self.chains is None else (*records, ChainsRecord(self.chains))

    def _check_chains(self, kept: Kept, folder: Path) -> None:
        known = number_of_chains(kept.head, kept.records)
        if self.chains is None or self.chains == known:
            return
        if self.chains < known:
            raise SettingsError(
                f"chains={self.chains} is fewer than the {known} that the run in {folder} has: leave it out, "
                "or give a larger number."
            )
        if kept.head.settings.ensemble_width:
            raise SettingsError(NO_MORE_LANES)
        most = kept.head.settings.chains + MOST_ADDED
        if self.chains > most:
            raise SettingsError(
                f"chains={self.chains} is more than the {most} that the run in {folder} can have: begin "
                "another run for the others."
            )
        if self.draws is None and rebuilt(kept.head, kept.records, Shelf(folder)).enough is not None:
            raise SettingsError(
                f"the run in {folder} was found to be long enough: beside chains={self.chains} say draws=, "
                "how many each chain is to have."
            )
