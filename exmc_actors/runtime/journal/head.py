"""Say what a stored run is of: the model as data and the settings; turn that into bytes and back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgpack
import numpy as np

from exmc_actors.errors import StoreError
from exmc_actors.kernel import Kernel, Nuts, Walnuts
from exmc_actors.runtime.journal.records import LengthRecord
from exmc_actors.runtime.settings import MAX_TRANSITIONS, Settings, check
from exmc_actors.wire.arrays import packed, unpacked

FORMAT = "exmc run"
VERSION = 1
DRAWS_OF_A_SEED = "3"
"""Raised by whatever changes more of the draws that a seed gives than last bits, between releases, too."""
MOST_CHAINS = 1 << 20
"""And lanes: what claims more is no record of ours."""
MOST_ADDED = 1 << 14
"""Chains that a run may have besides those it began with: a record of a few bytes must not cost a minute."""
_PLAIN = (
    "draws",
    "tune",
    "chains",
    "cores",
    "target_accept",
    "step_size_jitter",
    "max_treedepth",
    "ensemble_width",
)


@dataclass(frozen=True)
class Head:
    """What a run was opened with."""

    settings: Settings
    model: bytes | None
    """None where the target is a function: it is no data, and has to be given again."""
    dim: int
    written_by: Mapping[str, str]
    """Versions, for whoever looks."""

    @property
    def has_our_lessons(self) -> bool:
        """Whether its chains came to lessons where those of this version do."""
        return self.written_by.get("draws of a seed") == DRAWS_OF_A_SEED


def longer(head: Head, record: LengthRecord) -> Head:
    """Return what a run is of after somebody has asked for more draws; a record of fewer changes nothing."""
    if not head.settings.draws < record.draws <= MAX_TRANSITIONS:
        return head
    return replace(head, settings=replace(head.settings, draws=record.draws))


def encode_head(head: Head) -> bytes:
    """Return the head as msgpack."""
    settings = head.settings
    fields = {name: getattr(settings, name) for name in _PLAIN}
    fields["kernel"] = _kernel_row(settings.kernel)
    fields["random_seed"] = str(settings.random_seed)  # of any size
    fields["initvals"] = [
        one and {name: packed(np.asarray(value, dtype=np.float64)) for name, value in one.items()}
        for one in settings.initvals
    ]
    data: bytes = msgpack.packb([FORMAT, VERSION, fields, head.model, head.dim, dict(head.written_by)])
    return data


def identity_of(head: Head) -> bytes:
    """Return what tells the head of one run from that of another: all but the length, which may grow."""
    return encode_head(replace(head, settings=replace(head.settings, draws=0)))


def decode_head(data: bytes) -> Head:
    """Return what was encoded.

    Raises:
      ValueError: the bytes are no head.
      StoreError: they are one of another version.
    """
    try:
        content = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError("no msgpack") from error
    match content:
        case [name, int(version), *_] if name == FORMAT and version != VERSION:
            raise StoreError(
                f"this run was stored in version {version} of the format, and this library reads version "
                f"{VERSION}: install another one."
            )
        case [name, int(_), dict(fields), None | bytes() as model, int(dim), dict(written_by)] if (
            name == FORMAT
        ):
            return Head(_settings(fields), model, dim, written_by)
    raise ValueError("no head")


def _settings(fields: Mapping[str, Any]) -> Settings:
    try:
        given = {name: fields[name] for name in _PLAIN}
        width = given.pop("ensemble_width")
        values = [
            one and {name: unpacked(value) for name, value in one.items()} for one in fields["initvals"]
        ]
        kernel, seed = _kernel(fields["kernel"]), int(fields["random_seed"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no settings") from error
    if not isinstance(width, int) or not 0 <= width <= MOST_CHAINS:
        raise ValueError("no settings")
    settings = check(**given, kernel=kernel, random_seed=seed, initvals=values or None)
    if settings.chains > MOST_CHAINS:
        raise ValueError("no settings")
    return replace(settings, ensemble_width=width)


def _kernel_row(kernel: Kernel) -> list[Any]:
    if isinstance(kernel, Walnuts):
        return ["walnuts", float(kernel.max_error), int(kernel.max_halvings)]
    assert kernel == Nuts(), kernel
    return ["nuts"]


def _kernel(row: Any) -> Kernel:
    match row:
        case ["nuts"]:
            return Nuts()
        case ["walnuts", float(max_error), int(max_halvings)]:
            return Walnuts(max_error, max_halvings)
    raise ValueError("no kernel")
