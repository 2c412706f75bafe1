"""Keep what was compiled in files, for other processes, where ``EXMC_CACHE_DIR`` names a folder for them.

JAX has such a cache, one for a whole process: what it is told for our programs would hold for the host's too.
These files hold machine code, which whoever loads it executes: the folder must be one that nobody else
writes to.  A checksum tells what is damaged, not what is malicious.  What cannot be read, or is for another
machine, is compiled anew and written again.
"""

import contextlib
import dataclasses
import functools
import hashlib
import os
import re
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from exmc_actors.errors import SamplingWarning
from exmc_actors.xla import compiler_options, surroundings

VARIABLE = "EXMC_CACHE_DIR"
_MAGIC = b"exmc executable 1\n"
_LARGEST = 1 << 28
"""Bytes of a file; what is larger is not read."""
_DIGEST = hashlib.sha256().digest_size


class ExecutableFiles:
    """A folder with a file for each executable, named by all that decides it."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists."""
        self._folder = folder

    def compiled(
        self,
        lowered: Any,
        example: Sequence[Any],
        device: str,
    ) -> Any:
        """Return what a lowered function is compiled to, from its file if there is one that fits.

        Args:
          lowered: of what ``jax.jit`` returned, with ``keep_unused=True``.
          example: arguments of the shapes and types that it is for.
          device: for which it is compiled.
        """
        text = lowered.as_text()
        if not _is_the_same_elsewhere(text):
            return lowered.compile(compiler_options=compiler_options())
        key = hashlib.sha256("\0".join([device, surroundings(), text]).encode()).hexdigest()
        path = self._folder / f"{key}.executable"
        native = _read(path, key)
        found = None if native is None else _filled(native, lowered, example)
        if found is not None:
            return found
        compiled = lowered.compile(compiler_options=compiler_options())
        with contextlib.suppress(OSError, jax.errors.JaxRuntimeError):  # a full disk; a device without this
            _write(path, key, compiled.runtime_executable().serialize())
        return compiled


def executable_files() -> ExecutableFiles | None:
    """Return those that the environment asks for, or None; warn once of a folder that cannot be used."""
    folder = os.environ.get(VARIABLE)
    return _opened(folder) if folder else None


@functools.cache
def _opened(folder: str) -> ExecutableFiles | None:
    try:
        path = Path(folder).expanduser().absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _problem_of(path)
    except OSError as error:
        problem = f"cannot be made ({error.strerror})"
    except RuntimeError:  # what pathlib makes of ~ where it knows no such user
        problem = "begins at a home that cannot be found"
    if problem is None:
        return ExecutableFiles(path)
    warnings.warn(
        f"{VARIABLE}={folder} {problem}, so that nothing compiled is kept there: "
        "name a folder of your own, or unset it.",
        SamplingWarning,
        stacklevel=2,
    )
    return None


def _problem_of(path: Path) -> str | None:
    """Say why a folder cannot be used; None if it can."""
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return "cannot be written to"
    status = path.stat()
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return "may be written to by others, who could have anything executed"
    return None


def _is_the_same_elsewhere(text: str) -> bool:
    """Whether a lowered program calls nothing that lives in this process alone, as callbacks to Python do."""
    return all(name.startswith("lapack_") for name in re.findall(r"custom_call @([\w.$]+)", text))


def _read(path: Path, key: str) -> bytes | None:
    """Return what a file holds, or None where there is none, or not all of it, or something else."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    digest, native = content[len(_MAGIC) :][:_DIGEST], content[len(_MAGIC) + _DIGEST :]
    is_whole = content.startswith(_MAGIC) and len(content) <= _LARGEST
    return native if is_whole and digest == _digest(key, native) else None


def _write(path: Path, key: str, native: bytes) -> None:
    """Write a file at once or not at all, whoever reads and writes it meanwhile."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            file.write(_MAGIC + _digest(key, native) + native)
            file.close()
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise


def _digest(key: str, native: bytes) -> bytes:
    return hashlib.sha256(key.encode() + native).digest()


def _filled(native: bytes, lowered: Any, example: Sequence[Any]) -> Any:
    """Return a compiled function that runs given machine code; None where JAX or the machine refuses it.

    What JAX knows of a compiled function besides its code is that of any function of the same arguments and
    results; so the code is put in place of that of one which is compiled in no time.  These are names of
    JAX's own: a version that has others compiles.
    """

    def zeros(*_: Any) -> Any:
        return jax.tree.map(lambda each: jnp.zeros(each.shape, each.dtype), lowered.out_info)

    hull = jax.jit(zeros, keep_unused=True).lower(*example).compile()
    try:
        parts = hull._executable._unloaded_executable  # type: ignore[attr-defined]
        code = parts.backend.deserialize_executable(native, parts.device_list)
        filled = dataclasses.replace(parts, xla_executable=code).load()
        return jax.stages.Compiled(filled, [], hull.args_info, hull.out_tree)
    except (AttributeError, TypeError, jax.errors.JaxRuntimeError):
        return None
