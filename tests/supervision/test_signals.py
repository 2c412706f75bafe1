"""OTP's rules for exit signals: as a pure function, and between living processes."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.signals import Effect, effect_of

CRASH = sv.Crash(ValueError("boom"))


@pytest.mark.parametrize(
    ("order", "is_trapping", "is_own", "effect"),
    [
        (sv.Normal(), False, False, Effect.NOTHING),
        (sv.Normal(), False, True, Effect.END),
        (sv.Normal(), True, False, Effect.MESSAGE),
        (sv.Normal(), True, True, Effect.MESSAGE),
        (sv.Shutdown(), False, False, Effect.END),
        (sv.Shutdown(), True, False, Effect.MESSAGE),
        (CRASH, False, False, Effect.END),
        (sv.Killed(), False, False, Effect.END),
        (sv.Killed(), True, False, Effect.MESSAGE),
        (sv.NoProc(), False, False, Effect.END),
        (sv.KILL, False, False, Effect.KILL),
        (sv.KILL, True, True, Effect.KILL),
    ],
)
def test_what_an_exit_signal_does(order, is_trapping, is_own, effect):
    assert effect_of(order, is_trapping=is_trapping, is_own=is_own) is effect


@pytest.fixture
def pair(probe):
    """Two temporary probes, a and b; leaving one dead behind."""
    return [probe("a", restart="temporary"), probe("b", restart="temporary")]


def refs(sup):
    return [child.ref for child in sup.which_children()]


def trap(server):
    server.trap_exit = True


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (sv.Shutdown("enough"), sv.Shutdown("enough")),
        (CRASH, CRASH),
        (sv.NoProc(), sv.NoProc()),
        (sv.KILL, sv.Killed()),
    ],
)
@pytest.mark.parametrize("linker", [0, 1])
async def test_an_end_that_is_not_normal_takes_the_linked_process_along_for_the_same_reason(
    pair, order, reason, linker
):
    async with sv.open_supervisor(pair) as sup:
        a, b = refs(sup)
        await (a, b)[linker].call(lambda server: server.link((b, a)[linker]))
        assert a.statistics().links == b.statistics().links == 1
        b.exit(order)
        assert await b.wait_exited() == reason
        assert await a.wait_exited() == reason


async def test_a_crash_goes_through_a_chain_of_links(probe, crash):
    chain = [probe(id, restart="temporary") for id in "abcd"]
    async with sv.open_supervisor(chain) as sup:
        a, b, c, d = refs(sup)
        for one, other in ((a, b), (c, b)):
            await one.call(lambda server, other=other: server.link(other))
        await crash(a)
        assert [ref.is_alive for ref in (a, b, c, d)] == [False, False, False, True]
        assert str(await c.wait_exited()) == "crash: ValueError('boom')"


async def test_a_normal_end_leaves_the_linked_process_alone(pair):
    async with sv.open_supervisor(pair) as sup:
        a, b = refs(sup)
        await a.call(lambda server: server.link(b))
        await b.stop()
        await wait_all_tasks_blocked()
        assert a.is_alive
        assert a.statistics().links == 0


@pytest.mark.parametrize(
    ("order", "seen"),
    [
        (sv.KILL, sv.Killed()),
        (sv.Shutdown(), sv.Shutdown()),
        (CRASH, CRASH),
    ],
)
async def test_a_process_that_traps_exits_gets_a_message_with_the_reason(pair, events, order, seen):
    async with sv.open_supervisor(pair) as sup:
        a, b = refs(sup)
        await a.call(trap)
        await a.call(lambda server: server.link(b))
        b.exit(order)
        await wait_all_tasks_blocked()
        assert a.is_alive
        assert f"a saw {seen}" in events


async def test_a_trapping_process_hears_of_a_normal_end_too_and_knows_whose_it_was(pair):
    heard = []

    class Listener(sv.Server):
        trap_exit = True

        async def handle_call(self, ref):
            self.link(ref)

        async def handle_info(self, message):
            heard.append(message)

    async with sv.open_supervisor([*pair, sv.ChildSpec("listener", Listener)]) as sup:
        a, b, listener = refs(sup)
        await listener.call(a)
        await a.stop()
        await b.call(lambda server: listener.exit(sv.Normal()))
        listener.exit(sv.Shutdown("from nobody"))
        await wait_all_tasks_blocked()
    assert heard == [
        sv.Exit(a, sv.Normal()),
        sv.Exit(b, sv.Normal()),
        sv.Exit(None, sv.Shutdown("from nobody")),
    ]


async def test_a_kill_cannot_be_trapped(pair):
    async with sv.open_supervisor(pair) as sup:
        a, _ = refs(sup)
        await a.call(trap)
        a.exit(sv.KILL)
        assert await a.wait_exited() == sv.Killed()


async def test_a_supervisor_s_orders_cannot_be_trapped_and_its_clean_up_runs(pair, events):
    async with sv.open_supervisor(pair) as sup:
        await sup.child("a").call(trap)
        await sup.terminate_child("a")
        assert events[-1] == "stop a: shutdown"


async def test_linking_to_nobody_is_a_signal_with_noproc(probe, events):
    async with sv.open_supervisor([probe(id, restart="temporary") for id in "abc"]) as sup:
        a, b, dead = refs(sup)
        await dead.stop()
        await a.call(trap)
        await a.call(lambda server: server.link(dead))
        await a.call(lambda server: server.link(sup.child("nobody")))
        assert events.count("a saw no such process") == 2
        b.cast(lambda server: server.link(dead))
        assert await b.wait_exited() == sv.NoProc()


async def test_linking_twice_is_once_and_one_unlink_by_either_side_undoes_it(pair, crash):
    async with sv.open_supervisor(pair) as sup:
        a, b = refs(sup)
        await a.call(lambda server: server.link(b))
        await b.call(lambda server: server.link(a))
        assert a.statistics().links == b.statistics().links == 1
        await b.call(lambda server: server.unlink(a))
        await b.call(lambda server: server.unlink(sup.child("nobody")))
        assert a.statistics().links == b.statistics().links == 0
        await crash(b)
        assert a.is_alive


async def test_linking_to_oneself_changes_nothing(pair):
    async with sv.open_supervisor(pair) as sup:
        a, _ = refs(sup)
        await a.call(lambda server: server.link(server.ref))
        assert a.statistics().links == 0


async def test_a_linked_process_that_is_taken_along_cleans_up(pair, events):
    async with sv.open_supervisor(pair) as sup:
        a, b = refs(sup)
        await a.call(lambda server: server.link(b))
        b.exit(sv.KILL)
        await a.wait_exited()
    assert events[-1] == "stop a: killed"


async def test_the_name_of_a_linked_process_is_free_when_the_exit_arrives():
    names, seen = sv.Registry(), []

    class Heir(sv.Server):
        trap_exit = True

        async def init(self):
            self.link(names.via("king"))

        async def handle_info(self, message):
            seen.append((message.reason, names.whereis("king")))

    king = sv.ChildSpec("king", trio.sleep_forever, name=names.via("king"), restart="temporary")
    async with sv.open_supervisor([king, sv.ChildSpec("heir", Heir)]) as sup:
        sup.child("king").exit(sv.KILL)
        await wait_all_tasks_blocked()
    assert seen == [(sv.Killed(), None)]


async def test_a_supervisor_survives_links_and_exits_of_strangers_but_not_a_kill(probe, crash):
    inner = sv.supervisor("inner", [probe("x")], restart="temporary")
    async with sv.open_supervisor([inner, probe("a", restart="temporary")]) as sup:
        (inner, a) = refs(sup)
        await a.call(lambda server: server.link(inner))
        await crash(a)
        inner.exit(sv.Shutdown())
        await wait_all_tasks_blocked()
        assert sup.child("inner", "x").is_alive
        inner.exit(sv.KILL)
        assert await inner.wait_exited() == sv.Killed()
