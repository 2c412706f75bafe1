"""Refuse bounds that are known and the wrong way round, for the distributions that have two."""

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.distribution import Distribution, known_value
from exmc_actors.model.shapes import broadcast


def check_order(distribution: Distribution, low_name: str, high_name: str) -> None:
    """Refuse a lower bound that does not lie below the upper one, where both are known.

    Raises:
      ModelError: naming the two, and the distribution with its values.
    """
    parameters = distribution.parameters
    if low_name not in parameters or high_name not in parameters:
        return
    low, high = known_value(parameters[low_name]), known_value(parameters[high_name])
    if low is None or high is None:
        return
    broadcast(low.shape, high.shape)
    if (low >= high).any():
        name = type(distribution).__name__
        raise ModelError(f"{name}: {low_name} must be below {high_name}, got {distribution!r}.")
