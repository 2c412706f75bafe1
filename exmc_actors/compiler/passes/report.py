"""Hold what a pass hands back: the rewritten model, and what it did in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from exmc_actors.model import Model


@dataclass(frozen=True)
class PassReport:
    """What one pass did to one model: a line of text for each site that it changed."""

    name: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.name}:", *(f"  {line}" for line in self.lines or ("nothing",))])


@dataclass(frozen=True)
class Rewritten:
    """A model after a pass, and the lines of its report."""

    model: Model
    lines: tuple[str, ...] = ()


Pass: TypeAlias = Callable[[Model], Rewritten]
"""A named function from model to model.

What it decides may depend on the structure and on shapes, never on the values of arrays: programs whose
data alone differ must stay one program.  It may compute new arrays from those of the model.
"""
