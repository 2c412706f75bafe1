"""Take arrays from the user: numbers only, copied, read-only, in one dtype for each kind."""

from typing import Any

import numpy as np

from exmc_actors.errors import ModelError

_DTYPE_OF_KIND = {"f": np.dtype("<f8"), "i": np.dtype("<i8"), "u": np.dtype("<i8"), "b": np.dtype("?")}


def frozen_array(value: Any, what: str) -> np.ndarray:
    """Return a read-only copy of ``value`` as float64, int64 or bool; ``what`` names it in errors.

    Raises:
      ModelError: if it does not hold real numbers, or holds masked entries.
    """
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        raise ModelError(
            f"{what} has masked entries; they are imputed only where b.obs(...) is given a distribution. "
            "Pass value.compressed()."
        )
    try:
        given = np.asarray(value)
    except ModelError:
        raise ModelError(
            f"{what} must be an array of numbers, got handles in a list: join them by ex.math.stack([...])."
        ) from None
    except (TypeError, ValueError) as error:
        raise ModelError(f"{what} must be an array of numbers, got {_brief(value)}: {error}") from None
    dtype = _DTYPE_OF_KIND.get(given.dtype.kind)
    if dtype is None:
        raise ModelError(
            f"{what} must be an array of numbers, got {_brief(value)} of dtype {given.dtype}; "
            "convert it first, for example by np.asarray(value, dtype=float)."
        )
    if given.dtype.kind == "u" and given.size and given.max() > np.iinfo(np.int64).max:
        raise ModelError(
            f"{what} holds integers beyond 64 bits; convert it by np.asarray(value, dtype=float)."
        )
    array = np.array(given, dtype=dtype, order="C", copy=True)
    array.flags.writeable = False
    return array


def first_where(condition: np.ndarray) -> tuple[int, ...] | None:
    """Return the index of the first true entry, or None."""
    if not condition.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(condition)), condition.shape))


def entry_text(index: tuple[int, ...]) -> str:
    """Return how a sentence speaks of an entry: ``entry [3]``, or ``the value`` for that of a scalar."""
    return f"entry [{', '.join(map(str, index))}]" if index else "the value"


def check_finite(array: np.ndarray) -> None:
    """Refuse NaN and infinite entries, saying which is the first.

    Raises:
      ModelError: naming the entry and its value.
    """
    check_not_nan(array)
    index = first_where(np.isinf(array))
    if index is not None:
        raise ModelError(f"{entry_text(index)} is {float(array[index])}: data must be finite numbers.")


def check_not_nan(array: np.ndarray) -> None:
    """Refuse NaN, saying which entry is the first.

    Raises:
      ModelError: naming the entry.
    """
    index = first_where(np.isnan(array))
    if index is not None:
        raise ModelError(
            f"{entry_text(index)} is nan; missing values are imputed only where b.obs(...) is given a "
            "distribution. Drop the entry, and the rows that go with it, from every array."
        )


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
