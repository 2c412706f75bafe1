"""Compute what is known before sampling when the program is made, instead of at every gradient.

The result is an array like those it was computed from, so that new data still compile nothing.
"""

from dataclasses import replace

from exmc_actors.compiler.passes.report import Rewritten
from exmc_actors.compiler.passes.rows import constant
from exmc_actors.errors import ModelError
from exmc_actors.model import (
    Apply,
    Constant,
    Deterministic,
    Expression,
    Index,
    Model,
    Observation,
    Potential,
    Reference,
    Site,
    Variable,
    map_parameters,
    postorder,
    with_children,
)
from exmc_actors.model.known import Known

_SMALL = 4096
"""So many entries may always take the place of fewer; more would cost memory to save little work."""


def constant_folding(model: Model) -> Rewritten:
    """Return the model with arrays in place of what is computed from data alone, observations included."""
    folder = _Folder(model)
    sites, lines = [], []
    for site in model.sites:
        before = folder.folded
        try:
            sites.append(folder.site(site))
        except ModelError as error:
            raise ModelError(f"{site.name}: {error}") from None
        if folder.folded > before:
            lines.append(f"{site.name}: {folder.folded - before} operations on known values made beforehand")
    changed = lines or folder.has_put_values
    return Rewritten(model.with_sites(tuple(sites)) if changed else model, tuple(lines))


class _Folder:
    def __init__(self, model: Model) -> None:
        self.folded = 0
        self.has_put_values = False
        """Whether a value has taken the place of the name that it had."""
        self._known = Known(model.scope.arrays)
        self._new: dict[int, Expression] = {}
        # An observation may become something else in a later pass, and then has no value to refer to.
        self._named: dict[str, Expression] = {
            name: site.value
            for site in model.sites
            if isinstance(site, Observation)
            for name in (site.name, site.variable)
            if name is not None
        }

    def site(self, site: Site) -> Site:
        """Return the site with its known values computed."""
        match site:
            case Variable():
                distribution = map_parameters(site.distribution, self._expression)
                transform = site.transform and site.transform.with_parameters(self._expression)
                return replace(site, distribution=distribution, transform=transform)
            case Observation():
                return replace(site, distribution=map_parameters(site.distribution, self._expression))
            case Deterministic():
                value = self._expression(site.expression)
                if isinstance(value, Constant):
                    self._named[site.name] = value
                return replace(site, expression=value)
            case Potential():
                return replace(site, expression=self._expression(site.expression))
        return site

    def _expression(self, root: Expression) -> Expression:
        for node in postorder((root,)):
            if id(node) not in self._new:
                self._new[id(node)] = self._rebuilt(node)
        return self._new[id(root)]

    def _rebuilt(self, node: Expression) -> Expression:
        if isinstance(node, Reference):
            self.has_put_values |= node.name in self._named
            return self._named.get(node.name, node)
        rebuilt = with_children(node, lambda child: self._new[id(child)])
        if not isinstance(node, Apply | Index) or not self._known.holds(rebuilt):
            return rebuilt
        arrays = [array for one in postorder((rebuilt,)) if (array := self._known.array(one)) is not None]
        if not arrays:
            return rebuilt
        value = self._known.value(rebuilt)
        if value.size > max(_SMALL, sum(array.size for array in arrays)):
            return rebuilt
        self.folded += 1
        return constant(value)
