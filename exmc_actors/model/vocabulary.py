"""List the transforms by name, and tell whether the name of a class stands for it; it reads no bytes."""

from exmc_actors.model import transforms
from exmc_actors.model.distributions import DISTRIBUTIONS, Custom, Distribution
from exmc_actors.model.transforms import Transform

TRANSFORMS: dict[str, type[Transform]] = {
    name: getattr(transforms, name) for name in transforms.__all__ if name != Transform.__name__
}
"""Every transform by name, as ``DISTRIBUTIONS`` has every distribution."""


def is_known(leaf: Distribution | Transform) -> bool:
    """Return whether the name of the leaf's class stands for that very class.

    Bytes and keys hold the name alone: two classes of one name would share what is compiled.  A Custom has
    a name of its own in keys, and no bytes.
    """
    kind = type(leaf)
    if isinstance(leaf, Transform):
        return kind is TRANSFORMS.get(kind.__name__)
    is_named = kind is Custom or kind is DISTRIBUTIONS.get(kind.__name__)
    return is_named and all(map(is_known, leaf.parts))
