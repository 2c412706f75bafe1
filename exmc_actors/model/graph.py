"""Draw what depends on what in a model, as text in Graphviz's language; it renders nothing."""

from exmc_actors.model.model import Model
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import (
    Data,
    Deterministic,
    Measurement,
    Observation,
    Potential,
    Site,
    Variable,
    expressions_of,
    names_of,
)
from exmc_actors.model.traversal import references

_LOOK: dict[type[Site], str] = {
    Data: 'shape=box style="rounded,filled" fillcolor="#eeeeee"',
    Variable: "shape=ellipse",
    Observation: 'shape=ellipse style=filled fillcolor="#cccccc"',
    Measurement: 'shape=box style=filled fillcolor="#cccccc"',
    Deterministic: "shape=box",
    Potential: "shape=octagon",
}


def graph_text(model: Model) -> str:
    """Return a digraph: ellipses are random, filled ones observed, boxes computed, octagons potentials."""
    home = {name: site.name for site in model.sites for name in names_of(site)}
    lines = ["digraph {"]
    for site in model.sites:
        label = f"{site.name}\n{_kind(site)}{_shape_text(model.shapes.get(site.name, ()))}"
        lines.append(f"  {_quoted(site.name)} [label={_quoted(label)} {_LOOK[type(site)]}]")
    for site in model.sites:
        parents = dict.fromkeys(home[name] for name in references(expressions_of(site)))
        lines += [f"  {_quoted(parent)} -> {_quoted(site.name)}" for parent in parents]
    return "\n".join([*lines, "}"])


def _kind(site: Site) -> str:
    if isinstance(site, Variable | Observation):
        return type(site.distribution).__name__
    return type(site).__name__.lower()


def _shape_text(shape: Shape) -> str:
    return "".join(f"\n{' x '.join(map(str, shape))}" for _ in shape[:1])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
