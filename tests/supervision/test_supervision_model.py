"""A supervision tree, driven at random, does what a plain reading of OTP's rules says."""

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import supervision as sv

from .otp_model import LIMIT, PERIOD, Group, Model, Pool, Refusal, Worker

STRATEGIES = st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])
RESTARTS = st.sampled_from(["permanent", "transient", "temporary"])
IDS = "abc"

# Random trees


def members(auto_shutdown, depth):
    """Children of one group, with ids in order."""
    significance = st.just(False) if auto_shutdown == "never" else st.booleans()
    child = st.tuples(st.integers(0, 5 if depth else 3), RESTARTS, significance)
    return st.lists(child, min_size=1, max_size=3).flatmap(
        lambda kinds: st.tuples(*(member(id, *kind, depth) for id, kind in zip(IDS, kinds, strict=False)))
    )


def member(id, kind, restart, is_significant, depth):
    flags = {"restart": restart, "significant": is_significant and restart != "permanent"}
    if kind <= 2:
        return st.builds(Worker, st.just(id), **{name: st.just(value) for name, value in flags.items()})
    if kind == 3:
        return st.integers(0, 2).map(lambda size: Pool(id, size, **flags))
    return groups(id, depth - 1, **flags)


def groups(id, depth, **flags):
    return st.sampled_from(["never", "any_significant", "all_significant"]).flatmap(
        lambda auto_shutdown: st.builds(
            lambda children, strategy: Group(id, children, strategy, auto_shutdown, **flags),
            members(auto_shutdown, depth),
            STRATEGIES,
        )
    )


# Which places are meant is decided when the step is taken: a number, modulo what there is.
places = st.integers(0, 11)
steps = st.one_of(
    st.tuples(st.sampled_from(["crash", "normal", "shutdown", "kill"]), places, places),
    st.tuples(st.sampled_from(["crash", "normal", "shutdown", "kill"]), places, places),
    st.tuples(st.sampled_from(["terminate", "restart", "delete"]), places, st.sampled_from(IDS)),
    st.tuples(st.just("add"), places, st.builds(Worker, st.sampled_from("abd"), RESTARTS)),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, PERIOD, PERIOD + 1]), st.none()),
)
# The real thing


class Obedient(sv.Server):
    """Notes its starts and ends, fails to start as planned, and ends as it is told."""

    async def init(self, path, fails, events, is_stop_noted):
        self.path, self.events, self.is_stop_noted = path, events, is_stop_noted
        events.append(f"start {path}")
        plan = fails.get(path)
        if plan and plan.pop(0):
            raise ValueError("planned")

    async def handle_cast(self, how):
        match how:
            case "crash":
                raise ValueError("boom")
            case "normal":
                self.stop()
            case "shutdown":
                self.stop(sv.Shutdown())

    async def terminate(self, reason):
        if self.is_stop_noted:
            self.events.append(f"stop {self.path}")


class Real:
    """The same operations as the model's, on a living tree."""

    def __init__(self, fails):
        self.fails = {path: list(plan) for path, plan in fails.items()}
        self.events = []
        self.sup = None

    def spec(self, spec, above="", *, in_pool=False):
        path = f"{above}/{spec.id}"
        flags = {"restart": spec.restart, "significant": spec.significant}
        match spec:
            case Worker():
                return sv.ChildSpec(
                    spec.id, Obedient, (path, self.fails, self.events, not in_pool), **flags, shutdown=1
                )
            case Pool():
                return sv.dynamic_supervisor(
                    spec.id, max_children=spec.max_children, max_restarts=LIMIT, max_seconds=PERIOD, **flags
                )
            case Group():
                return sv.supervisor(spec.id, **self.rules(spec, path), **flags)

    def rules(self, group, path):
        return {
            "children": [self.spec(child, path) for child in group.children],
            "strategy": group.strategy,
            "auto_shutdown": group.auto_shutdown,
            "max_restarts": LIMIT,
            "max_seconds": PERIOD,
        }

    def handle(self, node):
        ids = node.path.strip("/").split("/") if node.path else []
        if isinstance(node.spec, Pool):
            return self.sup.dynamic_supervisor(*ids)
        return self.sup.supervisor(*ids) if ids else self.sup

    def ref(self, node):
        index = node.parent.children.index(node)
        return self.handle(node.parent).which_children()[index].ref

    def end(self, ref, how):
        if how == "kill":
            ref.exit(sv.KILL)
        else:
            ref.cast(how)

    async def command(self, verb, group, what):
        handle = self.handle(group)
        match verb:
            case "terminate":
                await handle.terminate_child(what)
            case "restart":
                await handle.restart_child(what)
            case "delete":
                await handle.delete_child(what)
            case "add":
                in_pool = isinstance(group.spec, Pool)
                await handle.start_child(self.spec(what, group.path, in_pool=in_pool))

    def shape(self):
        return shape(self.sup.statistics())


def shape(statistics):
    return [
        (child.id, child.status, [] if child.supervisor is None else shape(child.supervisor))
        for child in statistics.children
    ]


# Side by side


def running(node):
    found = [node] if node.status == "running" else []
    return [*found, *(below for child in node.children if found for below in running(child))]


def carry_out(model, verb, *args):
    try:
        getattr(model, verb)(*args)
    except Refusal as refusal:
        return str(refusal)
    return None


async def take(model, real, verb, place, what):
    """Take one step on both sides and compare the answers."""
    alive = running(model.root)
    if verb == "wait":
        model.now += place
        await trio.sleep(place)
    elif verb in ("crash", "normal", "shutdown", "kill"):
        victims = [node for node in alive[1:] if verb == "kill" or isinstance(node.spec, Worker)]
        if victims:
            victim = victims[place % len(victims)]
            ref = real.ref(victim)
            model.end(victim, verb)
            real.end(ref, verb)
    else:
        kinds = Group if verb != "add" else (Group, Pool)
        homes = [node for node in alive if isinstance(node.spec, kinds)]
        home = homes[place % len(homes)]
        expected = carry_out(model, verb, home, what)
        answer = None
        try:
            await real.command(verb, home, what)
        except sv.SupervisionError as error:
            answer = type(error).__name__
        assert answer == expected
    await wait_all_tasks_blocked()


async def compare(root, fails, script):
    model, real = Model(root, fails), Real(fails)
    is_up = model.start(model.root)
    try:
        async with sv.open_supervisor(**real.rules(root, "")) as real.sup:
            for step in script:
                assert is_up
                assert (real.shape(), real.events) == (model.root.shape(), model.events)
                await take(model, real, *step)
                assert not model.gave_up
                if model.root.status == "stopped":
                    assert await real.sup.wait_exited() == sv.Shutdown()
                    break
            model.bring_down(model.root)
    except sv.StartFailed:
        assert not is_up
    except sv.GaveUp:
        assert model.gave_up
    assert real.events == model.events


def run(root, fails, script):
    trio.run(compare, root, fails, script, clock=MockClock(autojump_threshold=0))


def worker_paths(spec, path=""):
    """Where the children are that can be told to fail, those that may be added among them."""
    match spec:
        case Worker():
            yield path
        case Pool():
            yield from (f"{path}/{id}" for id in IDS)
        case Group():
            yield f"{path}/d"
            for child in spec.children:
                yield from worker_paths(child, f"{path}/{child.id}")


def with_plans(root):
    """Say of some children which of their starts fail; rarely the first, for then there is no tree."""
    first, later = st.sampled_from([False] * 9 + [True]), st.lists(st.booleans(), max_size=5)
    starts = st.builds(lambda first, later: [first, *later], first, later)
    return st.tuples(
        st.just(root), st.dictionaries(st.sampled_from(list(worker_paths(root))), starts, max_size=4)
    )


trees = groups("root", 2).flatmap(with_plans)
# The order in which trio runs tasks that could all run is random; here it is drawn too, not always the same.
orders = st.random_module()


@settings(max_examples=150, deadline=None)
@given(trees, st.lists(steps, min_size=3, max_size=15), orders)
def test_a_tree_agrees_with_a_plain_reading_of_the_rules(tree, script, order):
    run(*tree, script)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # minutes, and several times as many where others compute too
@settings(max_examples=2500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees, st.lists(steps, min_size=3, max_size=30), orders)
def test_a_tree_agrees_with_a_plain_reading_of_the_rules_for_long(tree, script, order):
    run(*tree, script)
