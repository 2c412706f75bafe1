"""Plain functions as processes in their own right."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


def temporary(function, *args, **options):
    return sv.ChildSpec(function.__name__, function, args, restart="temporary", **options)


async def test_a_function_receives_what_is_cast_in_order(events):
    async def reader():
        while True:
            events.append(await sv.receive())

    async with sv.open_supervisor([temporary(reader)]) as sup:
        for message in "abc":
            sup.child("reader").cast(message)
        await wait_all_tasks_blocked()
        assert sup.child("reader").statistics().handled == 3
    assert events == ["a", "b", "c"]


async def test_selective_receive_takes_the_oldest_match_and_leaves_the_others_in_order(events):
    async def reader():
        events.append(await sv.receive(match=lambda message: message > 10))
        events.append(await sv.receive(match=lambda message: message == 3))
        while True:
            events.append(await sv.receive())

    async with sv.open_supervisor([temporary(reader)]) as sup:
        for message in (1, 2, 3, 20, 30):
            sup.child("reader").cast(message)
        await wait_all_tasks_blocked()
    assert events == [20, 3, 1, 2, 30]


async def test_a_match_that_has_not_come_is_waited_for_and_each_message_is_looked_at_once(events):
    looked_at = []

    def is_go(message):
        looked_at.append(message)
        return message == "go"

    async def reader():
        events.append(await sv.receive(match=is_go))

    async with sv.open_supervisor([temporary(reader)]) as sup:
        reader = sup.child("reader").resolve().ref
        for message in ("a", "b", "go", "c"):
            reader.cast(message)
            await wait_all_tasks_blocked()
    assert events == ["go"]
    assert looked_at == ["a", "b", "go"]


async def test_a_call_is_received_with_its_reply(events):
    async def doubler():
        while True:
            call = await sv.receive(match=lambda message: isinstance(message, sv.Call))
            call.reply.send(2 * call.message)

    async with sv.open_supervisor([temporary(doubler)]) as sup:
        assert await sup.child("doubler").call(21) == 42


async def test_a_cancelled_receive_takes_nothing():
    async def reader():
        with trio.move_on_after(1):
            await sv.receive(match=lambda message: message == "never")
        assert await sv.receive() == "a"

    async with sv.open_supervisor([temporary(reader)]) as sup:
        reader = sup.child("reader").resolve().ref
        reader.cast("a")
        assert await reader.wait_exited() == sv.Normal()


async def test_two_tasks_of_one_process_cannot_receive_at_once():
    async def reader():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sv.receive)
            nursery.start_soon(sv.receive)

    async with sv.open_supervisor([temporary(reader)]) as sup:
        reason = await sup.child("reader").wait_exited()
    assert "another task of this process waits" in repr(reason.error)


async def test_a_second_task_cannot_take_what_the_first_one_has_looked_at(events):
    async def reader():
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def wait_for_x():
                events.append(await sv.receive(match=lambda message: message == "x"))

            await wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await sv.receive(match=lambda message: message == "a")

    async with sv.open_supervisor([temporary(reader)]) as sup:
        for message in "ab":
            sup.child("reader").cast(message)
        await trio.sleep(1)
        sup.child("reader").cast("x")
        assert await sup.child("reader").wait_exited() == sv.Normal()
    assert events == ["x"]


async def test_a_function_with_another_task_that_receives_may_call_itself(events):
    async def answer_one():
        (await sv.receive()).reply.send("an answer")

    async def talker():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer_one)
            events.append(await sv.current().call("a question"))
        with pytest.raises(sv.CallingSelf):
            await sv.current().call("and who would answer now?")

    async with sv.open_supervisor([temporary(talker)]) as sup:
        assert await sup.child("talker").wait_exited() == sv.Normal()
    assert events == ["an answer"]


async def test_a_function_watches_and_looks_away(events, probe):
    async def watcher(a, b):
        first, second = sv.monitor(a), sv.monitor(b)
        sv.demonitor(first)
        a.exit(sv.KILL)
        b.exit(sv.KILL)
        events.append(await sv.receive())
        assert events[-1] == sv.Down(second, b, sv.Killed())

    children = [probe("a", restart="temporary"), probe("b", restart="temporary")]
    async with sv.open_supervisor(children) as sup:
        a, b = (child.ref for child in sup.which_children())
        ref = await sup.start_child(temporary(watcher, a, b))
        assert await ref.wait_exited() == sv.Normal()


async def test_a_down_that_is_under_way_is_not_received_after_demonitor(probe):
    async def watcher(a):
        monitor = sv.monitor(a)
        a.exit(sv.KILL)
        await a.wait_exited()
        sv.demonitor(monitor)
        with trio.move_on_after(1) as scope:
            await sv.receive()
        assert scope.cancelled_caught

    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        ref = await sup.start_child(temporary(watcher, sup.which_children()[0].ref))
        assert await ref.wait_exited() == sv.Normal()


async def test_a_function_is_linked_and_traps_exits_if_it_says_so(probe):
    async def linked(a, is_trapping):
        sv.trap_exit(is_trapping)
        sv.link(a)
        a.exit(sv.KILL)
        assert await sv.receive() == sv.Exit(a, sv.Killed())

    async with sv.open_supervisor([probe("a", restart="temporary"), probe("b", restart="temporary")]) as sup:
        a, b = (child.ref for child in sup.which_children())
        trapping = await sup.start_child(temporary(linked, a, True))
        assert await trapping.wait_exited() == sv.Normal()
        taken_along = await sup.start_child(temporary(linked, b, False))
        assert await taken_along.wait_exited() == sv.Killed()


async def test_an_unlinked_function_goes_on(probe, crash):
    async def loner(a):
        sv.link(a)
        sv.unlink(a)
        await trio.sleep_forever()

    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        a = sup.which_children()[0].ref
        loner = await sup.start_child(temporary(loner, a))
        await crash(a)
        assert loner.is_alive


async def test_outside_of_every_process_these_functions_refuse():
    nobody = sv.Registry().via("nobody")
    for act in (lambda: sv.link(nobody), lambda: sv.unlink(nobody), lambda: sv.monitor(nobody), sv.trap_exit):
        with pytest.raises(RuntimeError, match="this task runs in none"):
            act()
    with pytest.raises(RuntimeError, match=r"receive\(\) belongs into a process"):
        await sv.receive()


async def test_servers_have_their_own_ways_and_are_told_so(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        for act, sentence in [
            (lambda _: sv.trap_exit(), r"self\.trap_exit = True"),
            (lambda _: sv.receive(), "is for plain functions"),
        ]:
            with pytest.raises(sv.ProcessExited, match=sentence):
                await sup.child("a").call(act)
            await wait_all_tasks_blocked()
