"""Load a model from a user's Python file; every way in which that can fail is one sentence."""

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from exmc_actors.compiler import Evaluator
from exmc_actors.errors import ExmcError
from exmc_actors.model import Model

DEFAULT_NAME = "model"


class ModelFileError(ExmcError):
    """The file, or what it holds, is not a model."""


def load_model(where: str) -> Any:
    """Return the model that ``FILE`` or ``FILE:NAME`` names.

    Raises:
      ModelFileError: there is no such file, it raises, or it has no model of that name.
    """
    path, name = _parts(where)
    if not path.is_file():
        raise ModelFileError(f"there is no file {str(path)!r}: give a Python file that builds a model.")
    contents = _run(path)
    if name not in contents:
        models = [key for key, value in contents.items() if _is_model(value)]
        raise ModelFileError(f"{path} has no {name!r}: {_advice(path, models)}")
    if not _is_model(contents[name]):
        kind = type(contents[name]).__name__
        hint = " Call its .model() in the file." if kind == "Builder" else ""
        raise ModelFileError(f"{name!r} in {path} is a {kind}, not a Model.{hint}")
    return contents[name]


def _parts(where: str) -> tuple[Path, str]:
    file, separator, name = where.rpartition(":")
    # A drive letter, or a path with a colon that is there, is no separator.
    if not separator or not name.isidentifier() or Path(where).is_file():
        return Path(where), DEFAULT_NAME
    return Path(file), name


def _run(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("exmc_model", path.resolve())
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{str(path)!r} is not a Python file: its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses, and whatever else looks a class up by its module, need it
    sys.path.insert(0, str(path.resolve().parent))  # the file may import its neighbours, as a script may
    try:
        spec.loader.exec_module(module)
    except SystemExit as end:
        raise ModelFileError(
            f"{path} ended the program by sys.exit({end.code!r}): only build a model in it."
        ) from end
    except Exception as error:
        del sys.modules[spec.name]
        raise ModelFileError(f"{path}{_line_of(error, path)}: {_in_words(error)}") from error
    finally:
        sys.path.pop(0)
    return vars(module)


def _line_of(error: Exception, path: Path) -> str:
    """Return the line of the user's file that led to an error, where it is known."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return f", line {lines[-1]}" if lines else ""


def _in_words(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"this is not Python: {error.msg}"
    return str(error) if isinstance(error, ExmcError) else f"{type(error).__name__}: {error}"


def _is_model(value: Any) -> bool:
    return isinstance(value, Model | Evaluator)


def _advice(path: Path, models: list[str]) -> str:
    if models:
        return f"write {path}:{models[0]}, or name it model. Models in the file: {', '.join(models)}."
    return "build one with exmc_actors.Builder and assign it: model = builder.model()."
