"""Turn the labels of another library's dimensions into ones that a file of draws can hold, or refuse them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.coords import fits_a_file

_PLAIN = (str, bytes, int, float, complex, np.generic)


def storable_labels(dim: str, labels: Iterable[Any]) -> tuple[Any, ...]:
    """Return strings and numbers as they are, dates and durations as NumPy's.

    Raises:
      ModelError: a label is of another kind, a date with a time zone, or one that no file holds.
    """
    import pandas as pd

    given = tuple(labels)
    kind = pd.api.types.infer_dtype(given, skipna=False)
    plain: tuple[Any, ...] = given
    if kind in ("datetime", "datetime64", "date"):
        plain = tuple(pd.DatetimeIndex(given).to_numpy())
    elif kind in ("timedelta", "timedelta64"):
        plain = tuple(pd.TimedeltaIndex(given).to_numpy())
    strange = [label for label in plain if not (isinstance(label, _PLAIN) and fits_a_file(label))]
    if strange or np.asarray(plain).dtype == np.object_:
        raise ModelError(
            f"the labels of {dim!r} cannot be stored, {(strange or given)[0]!r} among them: they must be "
            "strings, numbers, or dates without a time zone; write "
            f"coords={{{dim!r}: [str(label) for label in ...]}}."
        )
    return plain
