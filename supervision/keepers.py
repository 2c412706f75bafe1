"""Make the right kind of supervisor for a plan, at any depth of the tree."""

from supervision.child_keeper import ChildKeeper
from supervision.dynamic_keeper import DynamicKeeper
from supervision.plan import DynamicPlan, SupervisorPlan
from supervision.static_keeper import StaticKeeper


def make_keeper(plan: SupervisorPlan | DynamicPlan, path: tuple[str, ...] = ()) -> ChildKeeper:
    """Return a new supervisor for ``plan``, not yet started."""
    if isinstance(plan, SupervisorPlan):
        return StaticKeeper(plan, path, make_keeper)
    return DynamicKeeper(plan, path, make_keeper)
