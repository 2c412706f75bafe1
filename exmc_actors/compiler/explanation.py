"""Tell what becomes of a model: its declarations, what each pass did, and where each value lies."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TextIO

import numpy as np

from exmc_actors.compiler.known_logarithms import dropped_logarithms
from exmc_actors.compiler.passes import apply_passes
from exmc_actors.compiler.passes.report import PassReport
from exmc_actors.compiler.structure import Structure, split
from exmc_actors.compiler.traced import log_density
from exmc_actors.errors import ModelError
from exmc_actors.model import (
    Apply,
    Index,
    Item,
    Model,
    Shape,
    Site,
    Variable,
    expression_text,
    expressions_of,
    postorder,
)
from exmc_actors.xla import precise


def explain(model: Model, file: TextIO | None = None) -> None:
    """Print the model, the shape of all that it computes, the rewriting, and the layout.

    Args:
      model: as declared.
      file: where to print; standard output where not given.

    Raises:
      ModelError: if it is not a model.
    """
    if not isinstance(model, Model):
        raise ModelError(f"explain takes a Model, got {model!r}: a builder gives one by b.model().")
    print("\n".join(explanation(model)), file=file)


def explanation(model: Model) -> Iterator[str]:
    """Yield the lines that ``explain`` prints."""
    rewritten, reports = apply_passes(model)
    structure, arguments = split(rewritten)
    yield "Model"
    for site in model.sites:
        has_said = isinstance(site, Variable) and site.shape
        yield f"  {str(site) if has_said else _with_shape(str(site), model.shapes.get(site.name))}"
        yield from (f"      {line}" for line in _computed(model, site))
    yield "Passes"
    for report in (*reports, _of_logarithms(structure, arguments)):
        yield from (f"  {line}" for line in str(report).splitlines())
    yield "Compiled"
    for site in rewritten.sites:
        yield f"  {site}"
    size = sum(array.nbytes for array in arguments)
    yield f"Unconstrained vector of {structure.layout.size} numbers; {size:,} bytes of data beside it"
    for place in structure.layout.places:
        end = f":{place.offset + place.size}" if place.size != 1 else ""
        yield f"  {f'{place.offset}{end}':<9} {_with_shape(place.name, place.shape)}"


def _of_logarithms(structure: Structure, arguments: Sequence[np.ndarray]) -> PassReport:
    """Return the report of what is done after the passes, to the traced log density."""
    with precise():
        origin = np.zeros(structure.layout.size)
        shapes = Counter(dropped_logarithms(partial(log_density, structure), origin, arguments))
    lines = (f"of shape {shape}: {count} taken from the exponents" for shape, count in shapes.items())
    return PassReport("known_logarithms", tuple(lines))


def _computed(model: Model, site: Site) -> Iterator[str]:
    """Yield, for everything that a site computes, its text and its shape."""
    for root in expressions_of(site):
        shapes = model.scope.shapes_within(root)
        for node in postorder((root,)):
            if isinstance(node, Apply | Index | Item) and id(node) in shapes:
                yield _with_shape(expression_text(node), shapes[id(node)])


def _with_shape(text: str, shape: Shape | None) -> str:
    return text if shape is None else f"{text}, shape {shape}"
