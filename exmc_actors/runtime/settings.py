"""Hold the settings of a run, checked once; nothing here samples."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from exmc_actors.arguments import integer, is_integer, is_number
from exmc_actors.errors import SettingsError
from exmc_actors.kernel import Kernel, Nuts, Walnuts
from exmc_actors.messages import Phase
from exmc_actors.runtime.cores import available_cores
from exmc_actors.warmup import Schedule

DEFAULT_DRAWS = 1000
DEFAULT_TUNE = 150
DEFAULT_CHAINS = 4
MAX_TRANSITIONS = 2**31 - 16  # of one chain: a transition's random numbers come from its 32-bit index
MAX_TREEDEPTH = 15  # a tree deeper than this takes 32,768 gradients for one draw


@dataclass(frozen=True)
class Settings:
    """What a run is told: all but ``cores`` decide its draws, with the program and its data."""

    draws: int = 1000
    tune: int = DEFAULT_TUNE
    chains: int = 4
    """How many the run begins with: these learn from each other.  More can be added later."""
    cores: int = 1
    target_accept: float = 0.8
    step_size_jitter: float = 0.0
    max_treedepth: int = 10
    kernel: Kernel = field(default_factory=Nuts)
    random_seed: int = 0
    initvals: tuple[Mapping[str, Any] | None, ...] = ()
    """One mapping a chain, or empty: nothing was given."""
    ensemble_width: int = 0
    """How many lanes a call has that advances chains together; 0 where they advance one by one."""

    @property
    def transitions(self) -> int:
        """Return the length of a chain, warmup included."""
        return self.tune + self.draws

    def place(self, transitions: int) -> tuple[Phase, int]:
        """Return the phase of a chain's next transition and its index within the phase."""
        return ("warmup", transitions) if transitions < self.tune else ("sample", transitions - self.tune)

    @cached_property
    def schedule(self) -> Schedule:
        """Return when the chains learn from each other."""
        return Schedule(self.tune)

    def left_in_leg(self, transitions: int) -> int:
        """Return how many transitions there are to the next lesson or to the end.

        No block crosses a lesson but that of a whole warmup, which brings its lessons along.
        """
        is_warmup = transitions < self.tune
        return (self.schedule.next_stop(transitions) if is_warmup else self.transitions) - transitions

    def left_in_phase(self, transitions: int) -> int:
        """Return how many transitions there are to the end of the warmup, or to that of the run."""
        return (self.tune if transitions < self.tune else self.transitions) - transitions

    def start_of(self, chain: int) -> Mapping[str, Any] | None:
        """Return the start values for a chain; one that was added gets those of the first ones in turn."""
        return self.initvals[chain % len(self.initvals)] if self.initvals else None


def check(  # noqa: PLR0913 - PyMC's words, keyword-only
    *,
    draws: Any = DEFAULT_DRAWS,
    tune: Any = None,
    chains: Any = DEFAULT_CHAINS,
    cores: Any = None,
    target_accept: Any = 0.8,
    step_size_jitter: Any = 0.0,
    max_treedepth: Any = 10,
    kernel: Any = None,
    random_seed: Any = None,
    initvals: Any = None,
) -> Settings:
    """Turn what a user wrote into settings; fill in what was left out.

    Raises:
      SettingsError: a value is of the wrong kind or out of range.
    """
    chains = integer("chains", chains, least=1)
    draws = integer("draws", draws, least=1, most=MAX_TRANSITIONS)
    tune = DEFAULT_TUNE if tune is None else integer("tune", tune, least=0)
    if draws + tune > MAX_TRANSITIONS:
        raise SettingsError(
            f"draws and tune must not exceed {MAX_TRANSITIONS} together, got {draws} and {tune}: "
            "write, say, draws=10**9."
        )
    return Settings(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=available_cores() if cores is None else integer("cores", cores, least=1),
        target_accept=_fraction("target_accept", target_accept),
        step_size_jitter=_jitter(step_size_jitter),
        max_treedepth=integer("max_treedepth", max_treedepth, least=1, most=MAX_TREEDEPTH),
        kernel=_kernel(kernel),
        random_seed=_seed(random_seed),
        initvals=_initvals(initvals, chains),
    )


def wants_ensemble(value: Any, kernel: Kernel, platform: Callable[[], str]) -> bool:
    """Return whether chains are to advance together in one kernel.

    Args:
      value: what a user wrote; None leaves it to the device.
      kernel: of the run; only NUTS has one for many chains.
      platform: says what JAX calls the device.

    Raises:
      SettingsError: it is neither True, False nor None, or the kernel advances one chain at a time.
    """
    if value is None:
        return kernel == Nuts() and platform() != "cpu"
    if not isinstance(value, bool | np.bool_):
        raise SettingsError(
            f"ensemble must be True, False or None, got {value!r}: write ensemble=True for many chains in "
            "one kernel, and chains=64 for how many."
        )
    if value and kernel != Nuts():
        raise SettingsError(
            f"ensemble=True advances many chains by NUTS, and kernel is {kernel!r}, which advances one at a "
            "time: leave out one of the two."
        )
    return bool(value)


def check_priority(value: Any) -> int:
    """Return a run's place among those that wait for a core.

    Raises:
      SettingsError: it is no integer.
    """
    if not is_integer(value):
        raise SettingsError(
            f"priority must be an integer, got {value!r}: write, say, priority=1 for a run that goes before "
            "those of 0."
        )
    return int(value)


def _fraction(name: str, value: Any) -> float:
    if not is_number(value) or not 0.0 < float(value) < 1.0:
        raise SettingsError(
            f"{name} must be a number between 0 and 1, got {value!r}: write, say, {name}=0.9."
        )
    return float(value)


def _jitter(value: Any) -> float:
    if not is_number(value) or not 0.0 <= float(value) < 1.0:
        raise SettingsError(
            f"step_size_jitter must be a number from 0 on and under 1, got {value!r}: "
            "write, say, step_size_jitter=0.1."
        )
    return float(value)


def _kernel(value: Any) -> Kernel:
    if value is None:
        return Nuts()
    if not isinstance(value, Nuts | Walnuts):
        raise SettingsError(
            f"kernel must be ex.Nuts(), ex.Walnuts(...) or None, got {value!r}: "
            "write, say, kernel=ex.Walnuts()."
        )
    return value


def _seed(value: Any) -> int:
    if value is None:
        return secrets.randbits(63)
    if not is_integer(value) or value < 0:
        raise SettingsError(
            f"random_seed must be a non-negative integer or None, got {value!r}: write, say, random_seed=1."
        )
    return int(value)


def _initvals(value: Any, chains: int) -> tuple[Mapping[str, Any] | None, ...]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return (dict(value),) * chains
    if isinstance(value, list | tuple) and len(value) == chains:
        if all(one is None or isinstance(one, Mapping) for one in value):
            return tuple(value)
    elif isinstance(value, list | tuple):
        raise SettingsError(
            f"initvals has {len(value)} entries for {chains} chains: give one for each chain."
        )
    raise SettingsError(
        f"initvals must be a dict of start values, or a list of one dict (or None) a chain, got {value!r}."
    )
