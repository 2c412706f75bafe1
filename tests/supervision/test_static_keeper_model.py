"""A supervisor, driven at random, does what a plain reading of OTP's rules says."""

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import supervision as sv

IDS = "abc"
LIMIT, PERIOD = 2, 5

families = st.fixed_dictionaries({id: st.sampled_from(["permanent", "transient", "temporary"]) for id in IDS})
steps = st.one_of(
    st.tuples(st.sampled_from(["crash", "end", "terminate", "restart"]), st.sampled_from(IDS)),
    st.tuples(st.just("wait"), st.integers(1, 6)),
)


class Model:
    """The rules, written down once more and as simply as possible."""

    def __init__(self, strategy, restarts):
        self.strategy, self.restarts = strategy, dict(restarts)
        self.running = dict.fromkeys(IDS, True)
        self.starts = dict.fromkeys(IDS, 1)
        self.failures, self.now, self.gave_up = [], 0, False

    def apply(self, verb, what):
        if verb == "wait":
            self.now += what
        elif what in self.running:
            getattr(self, verb)(what)

    def crash(self, id):
        if self.running[id]:
            self.running[id] = False
            self.after_end(id, heals=self.restarts[id] != "temporary")

    def end(self, id):
        if self.running[id]:
            self.running[id] = False
            self.after_end(id, heals=self.restarts[id] == "permanent")

    def terminate(self, id):
        self.running[id] = False
        if self.restarts[id] == "temporary":
            del self.running[id]

    def restart(self, id):
        if not self.running[id]:
            self.start(id)

    def after_end(self, id, heals):
        if not heals:
            if self.restarts[id] == "temporary":
                del self.running[id]
            return
        self.failures.append(self.now)
        if len([time for time in self.failures if self.now - time <= PERIOD]) > LIMIT:
            self.gave_up = True
            return
        touched = {
            "one_for_one": [id],
            "one_for_all": [*self.running],
            "rest_for_one": [other for other in self.running if other >= id],
        }[self.strategy]
        for other in touched:
            if self.restarts[other] == "temporary":
                del self.running[other]
            else:
                self.start(other)

    def start(self, id):
        self.running[id] = True
        self.starts[id] += 1


class Worker(sv.Server):
    async def init(self, id, starts):
        starts[id] = starts.get(id, 0) + 1

    async def handle_cast(self, message):
        if message == "crash":
            raise ValueError("boom")
        self.stop()


async def apply(sup, verb, what):
    match verb:
        case "wait":
            await trio.sleep(what)
        case "crash" | "end":
            sup.child(what).cast(verb)
        case "terminate" if what in {child.id for child in sup.which_children()}:
            await sup.terminate_child(what)
        case "restart" if any(
            (child.id, child.status) == (what, "stopped") for child in sup.which_children()
        ):
            await sup.restart_child(what)
    await wait_all_tasks_blocked()


async def compare(strategy, restarts, script):
    model, starts = Model(strategy, restarts), {}
    children = [sv.ChildSpec(id, Worker, (id, starts), restart=restarts[id]) for id in IDS]
    try:
        async with sv.open_supervisor(
            children, strategy=strategy, max_restarts=LIMIT, max_seconds=PERIOD
        ) as sup:
            for step in script:
                model.apply(*step)
                await apply(sup, *step)
                assert not model.gave_up
                states = {child.id: child.status == "running" for child in sup.which_children()}
                assert (states, starts) == (model.running, model.starts)
    except sv.GaveUp:
        assert model.gave_up


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]), families, st.lists(steps, max_size=12)
)
def test_a_supervisor_agrees_with_a_plain_reading_of_the_rules(strategy, restarts, script):
    trio.run(compare, strategy, restarts, script, clock=MockClock(autojump_threshold=0))
