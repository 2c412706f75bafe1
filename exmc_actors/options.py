"""Check the options of a run that will be opened later, so that a mistake is told to whoever makes it."""

import inspect
from collections.abc import Mapping
from typing import Any

from exmc_actors.arguments import names
from exmc_actors.asked import asked
from exmc_actors.errors import SettingsError
from exmc_actors.model import unknown
from exmc_actors.opening import open_run
from exmc_actors.runtime import Settings
from exmc_actors.stored import store_of

_KNOWN = tuple(name for name in inspect.signature(open_run).parameters if name != "model")


def checked(options: Mapping[str, Any]) -> Settings | None:
    """Return the settings of a run that is to begin; None of one that goes on, which has them in its store.

    Raises:
      SettingsError: ``open_run`` has no such option, or a value is of the wrong kind or out of range.
    """
    for name in options:
        if name not in _KNOWN:
            raise SettingsError(f"{unknown('option', name, _KNOWN)}.")
    return asked(**options).settings


def settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that mean later, and again, what they mean now: whatever the working directory is then.

    Raises:
      SettingsError: a folder's name is none, or the names of variables are none.
    """
    stores = {name: options[name] for name in ("store", "resume") if options.get(name) is not None}
    chosen = {"var_names": names("var_names", options["var_names"])} if "var_names" in options else {}
    return {**options, **{name: store_of(value, name) for name, value in stores.items()}, **chosen}
