"""Check what a run is asked for, as far as that takes neither its model, nor a file, nor a device."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exmc_actors.arguments import boolean
from exmc_actors.diagnostics import Rule
from exmc_actors.errors import SettingsError
from exmc_actors.run import Keep
from exmc_actors.runtime import Settings, Store, check, check_priority, wants_ensemble
from exmc_actors.stored import chosen_names, store_of
from exmc_actors.where import Where

_SETTINGS = {name: one.default for name, one in inspect.signature(check).parameters.items()}
IN_A_STORE = frozenset({*_SETTINGS, "ensemble"} - {"cores"})
"""What a stored run has in its store."""
_OF_BOTH = ("draws", "chains", "cores")
"""What may be given for a run that goes on, too."""


_FUNCTIONS = {
    "runner": "that runs a function, as exmc_actors.runtime.in_thread does",
    "parts": "of a run's parts, as exmc_actors.faults.Faults() is",
}


@dataclass(frozen=True)
class Asked:
    """What a run is asked for, each part as it should be by itself."""

    settings: Settings | None
    """None of a run that goes on, which has them in its store."""
    again: Mapping[str, int]
    """What a run that goes on is to have: ``draws``, ``chains`` and ``cores``, as far as they are given."""
    keep: Keep
    where: Where
    rule: Rule | None
    priority: int
    store: Store | None
    """That the run begins in, or goes on with."""


def asked(**options: Any) -> Asked:
    """Return what is asked for by arguments of ``open_run``; one that is not given has its default.

    Raises:
      SettingsError: a value is of the wrong kind or out of range, or does not go with another one.
    """
    given = options.get
    _check_parts(options)
    if given("resume") is None:
        name, settings, again = "store", _settings(options), {}
    else:
        name, settings, again = "resume", None, _again(options)
    return Asked(
        settings,
        again,
        Keep(chosen_names(given("var_names")), boolean("save_warmup", options.get("save_warmup", False))),
        Where(options.get("workers", "thread"), given("patience")),
        _rule(given("stop")),
        check_priority(options.get("priority", 0)),
        None if given(name) is None else store_of(given(name), name),
    )


def _check_parts(options: Mapping[str, Any]) -> None:
    """Refuse what would only fail inside the run, again and again, as its parts are restarted."""
    sizes, views = options.get("block_size"), options.get("views", ())
    if sizes is not None and not all(callable(getattr(sizes, name, None)) for name in ("choose", "observe")):
        raise SettingsError(
            "block_size must be None, or have the methods choose and observe, as "
            f"exmc_actors.runtime.ByWallTime() has, got {sizes!r}: leave it out."
        )
    if not isinstance(views, list | tuple) or not all(map(callable, views)):
        raise SettingsError(
            f"views must be a list of async functions of a run's subscribe, got {views!r}: write, say, "
            "views=[my_view]."
        )
    for name in _FUNCTIONS:
        if name in options and not callable(options[name]):
            raise SettingsError(
                f"{name} must be a function {_FUNCTIONS[name]}, got {options[name]!r}: leave it out."
            )


def _settings(options: Mapping[str, Any]) -> Settings:
    settings = check(**_given(options, _SETTINGS))
    wants_ensemble(options.get("ensemble"), settings.kernel, lambda: "cpu")
    return settings


def _again(options: Mapping[str, Any]) -> dict[str, int]:
    fixed = {**_SETTINGS, "ensemble": None, "store": None}
    others = [
        name
        for name, default in fixed.items()
        if name not in _OF_BOTH and not _is_same(options.get(name, default), default)
    ]
    if others:
        raise SettingsError(
            f"a run that goes on has its settings in its store: leave out {', '.join(others)}, or begin a "
            "new run."
        )
    boolean("anyway", options.get("anyway", False))
    given = _given(options, _OF_BOTH)
    checked = check(**given)
    return {name: getattr(checked, name) for name in given}


def _is_same(value: Any, default: Any) -> bool:
    """Whether a value of any kind, an array among them, is the default."""
    return value is default or (isinstance(value, type(default)) and value == default)


def _given(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return those of the options that ``check`` is to look at."""
    is_left_out = {name for name in _OF_BOTH if options.get(name) is None}
    return {name: options[name] for name in names if name in options and name not in is_left_out}


def _rule(value: Any) -> Rule | None:
    if value is None or isinstance(value, Rule):
        return value
    raise SettingsError(
        f"stop must be a rule or None, got {value!r}: write, say, stop=ex.Converged() | ex.MaxTime('10 min')."
    )
