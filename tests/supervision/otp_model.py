"""OTP's rules for supervision trees, written down once more and as plainly as possible: no tasks, no time."""

from dataclasses import dataclass, field

LIMIT, PERIOD = 2, 5


@dataclass(frozen=True)
class Worker:
    """A leaf."""

    id: str
    restart: str
    significant: bool = False


@dataclass(frozen=True)
class Group:
    """A supervisor with an order of children."""

    id: str
    children: tuple
    strategy: str = "one_for_one"
    auto_shutdown: str = "never"
    restart: str = "permanent"
    significant: bool = False


@dataclass(frozen=True)
class Pool:
    """A supervisor whose children come and go."""

    id: str
    max_children: int
    restart: str = "permanent"
    significant: bool = False


@dataclass(eq=False)
class Node:
    """A child as it stands."""

    spec: object
    path: str
    parent: "Node | None" = None
    status: str = "stopped"
    children: list["Node"] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)

    def find(self, id):
        return next((child for child in self.children if child.spec.id == id), None)

    def shape(self):
        """What can be seen from outside."""
        return [
            (child.spec.id, child.status, child.shape() if child.status == "running" else [])
            for child in self.children
        ]


class Refusal(Exception):
    """A command that cannot be carried out; its argument is the name of the error."""


class Model:
    """A tree under a root that is never restarted."""

    def __init__(self, root, fails):
        """Prepare the tree; ``fails`` maps paths to what their next starts do."""
        self.root = Node(root, "")
        self.fails = {path: list(plan) for path, plan in fails.items()}
        self.events = []
        self.now = 0
        self.gave_up = False

    # What the environment does.

    def end(self, node, how):
        """A child ends by itself, or is killed."""
        self.bring_down(node, is_killed=how == "kill")
        self.after_end(node, is_abnormal=how in ("kill", "crash"))

    def terminate(self, group, id):
        node = self.known(group, id)
        self.bring_down(node)
        if node.spec.restart == "temporary":
            group.children.remove(node)

    def restart(self, group, id):
        node = self.known(group, id)
        if node.status != "stopped":
            raise Refusal("AlreadyStarted")
        if not self.start(node):
            raise Refusal("StartFailed")

    def delete(self, group, id):
        node = self.known(group, id)
        if node.status != "stopped":
            raise Refusal("StillRunning")
        group.children.remove(node)

    def add(self, group, spec):
        if isinstance(group.spec, Pool):
            if len(group.children) >= group.spec.max_children:
                raise Refusal("TooManyChildren")
        elif (present := group.find(spec.id)) is not None:
            raise Refusal("AlreadyStarted" if present.status == "running" else "AlreadyPresent")
        node = self.below(group, spec)
        group.children.append(node)
        if not self.start(node):
            group.children.remove(node)
            raise Refusal("StartFailed")

    def known(self, group, id):
        if (node := group.find(id)) is None:
            raise Refusal("NoSuchChild")
        return node

    # What follows.

    def start(self, node):
        """Start a child and all that is below it; return whether it came up."""
        if isinstance(node.spec, Worker):
            self.events.append(f"start {node.path}")
            plan = self.fails.get(node.path)
            if plan and plan.pop(0):
                return False
        else:
            node.failures = []
            node.children = [self.below(node, spec) for spec in getattr(node.spec, "children", ())]
            for child in node.children:
                if not self.start(child):
                    self.bring_down_children(node)
                    return False
        node.status = "running"
        return True

    def bring_down(self, node, *, is_killed=False):
        """Stop a child and all that is below it, the youngest first."""
        if node.status == "running":
            self.bring_down_children(node, is_killed=is_killed)
            if isinstance(node.spec, Worker) and not is_killed and not isinstance(node.parent.spec, Pool):
                self.events.append(f"stop {node.path}")
        node.status = "stopped"

    def bring_down_children(self, node, *, is_killed=False):
        for child in reversed(node.children):
            self.bring_down(child, is_killed=is_killed)

    def after_end(self, node, *, is_abnormal):
        """A child has ended by itself."""
        group, restart = node.parent, node.spec.restart
        if restart == "permanent" or (restart == "transient" and is_abnormal):
            self.heal(node)
            return
        if restart == "temporary" or isinstance(group.spec, Pool):
            group.children.remove(node)
        if node.spec.significant:
            left = any(child.spec.significant and child.status == "running" for child in group.children)
            if group.spec.auto_shutdown == "any_significant" or not left:
                self.end_group(group)

    def heal(self, node):
        """Answer one failure."""
        group = node.parent
        group.failures.append(self.now)
        if len([time for time in group.failures if self.now - time <= PERIOD]) > LIMIT:
            self.gave_up = group is self.root
            self.end_group(group)
            return
        round_ = self.round_of(group, node)
        for other in reversed(round_):
            if other is not node:
                self.bring_down(other)
        for other in round_:
            if other.spec.restart == "temporary":
                group.children.remove(other)
            elif not self.start(other):
                self.heal(other)
                return

    def round_of(self, group, node):
        match getattr(group.spec, "strategy", "one_for_one"):
            case "one_for_one":
                return [node]
            case "one_for_all":
                return list(group.children)
            case "rest_for_one":
                return group.children[group.children.index(node) :]

    def end_group(self, group):
        """A supervisor ends by itself, as shutdown."""
        self.bring_down(group)
        if group is not self.root:
            self.after_end(group, is_abnormal=False)

    def below(self, group, spec):
        return Node(spec, f"{group.path}/{spec.id}", group)
