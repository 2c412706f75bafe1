"""Say in a sentence that another library is not installed, before anything of it is used."""

import importlib

from exmc_actors.errors import ModelError


def check_installed(module: str, library: str, function: str) -> None:
    """Import a library.

    Raises:
      ModelError: if it is not there; it says how to install it.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ModelError(
            f"{function} needs {library}, which is not installed: pip install 'exmc-actors[{module}]'."
        ) from None
