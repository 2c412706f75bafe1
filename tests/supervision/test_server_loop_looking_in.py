"""What others ask of any server, carried out between two of its messages."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def test_the_state_can_be_looked_at_and_replaced_while_the_server_runs(log, events):
    async with sv.open_supervisor([log]) as sup:
        ref, other = sup.child("log"), []
        assert await ref.get_state() == {"events": events}
        assert await ref.replace_state(lambda state: {**state, "events": other}) == {"events": other}
        ref.cast("message")
        await wait_all_tasks_blocked()
    assert (events, other) == ([], ["message"])


async def test_a_change_that_raises_changes_nothing_and_the_server_goes_on(log, events):
    async with sv.open_supervisor([log]) as sup:
        with pytest.raises(KeyError):
            await sup.child("log").replace_state(lambda state: state["missing"])
        with pytest.raises(TypeError, match="all attributes of the server in a dict, got None"):
            await sup.child("log").replace_state(lambda state: state.update(events=None))
        sup.child("log").cast("message")
        await wait_all_tasks_blocked()
        assert await sup.child("log").get_state() == {"events": ["message"]}


async def test_no_message_is_handled_while_the_state_is_being_replaced(log, events):
    def change(state):
        ref.cast("meanwhile")
        return {**state, "events": [*state["events"], "changed"]}

    async with sv.open_supervisor([log]) as sup:
        ref = sup.child("log")
        await ref.replace_state(change)
        await wait_all_tasks_blocked()
        assert (await ref.get_state())["events"] == ["changed", "meanwhile"]


async def test_a_suspended_server_handles_nothing_until_it_is_resumed(log, events):
    async with sv.open_supervisor([log]) as sup:
        ref = sup.child("log")
        await ref.suspend()
        ref.cast("later")
        await wait_all_tasks_blocked()
        assert (await ref.get_state(), ref.statistics().waiting) == ({"events": []}, 1)
        await ref.resume()
        await wait_all_tasks_blocked()
        assert events == ["later"]


async def test_a_suspended_server_can_be_stopped_and_ended(log):
    async with sv.open_supervisor([log], max_restarts=2) as sup:
        for end in (sup.child("log").stop, lambda: sup.terminate_child("log")):
            await sup.child("log").suspend()
            await end()
            await wait_all_tasks_blocked()


async def test_a_traced_server_says_so_of_every_message(log):
    heard = []

    def note(event, measurements, metadata):
        heard.append((metadata["process"], metadata["entry"].kind, metadata["entry"].message))

    sv.telemetry.attach("test", ("supervision", "server"), note)
    try:
        async with sv.open_supervisor([log]) as sup:
            ref = sup.child("log")
            ref.cast("before")
            await ref.trace()
            ref.cast("during")
            await wait_all_tasks_blocked()
            await ref.trace(False)
            ref.cast("after")
            await wait_all_tasks_blocked()
    finally:
        sv.telemetry.detach("test")
    assert ("log", "cast", "during") in heard
    assert "after" not in [message for _, _, message in heard]


async def test_the_log_keeps_the_last_messages_once_it_is_asked_for(log):
    async with sv.open_supervisor([log]) as sup:
        ref = sup.child("log")
        ref.cast("unheard")
        await wait_all_tasks_blocked()
        assert await ref.log(2) == ()
        for message in "abc":
            ref.cast(message)
        await wait_all_tasks_blocked()
        assert await ref.log(0) == (sv.LogEntry("cast", "b", None), sv.LogEntry("cast", "c", None))
        ref.cast("unheard again")
        await wait_all_tasks_blocked()
        assert await ref.log() == ()
        for size in (-1, 1.5, True):
            with pytest.raises(ValueError, match="size must be a whole number, 0 or more"):
                await ref.log(size)
        assert len(await ref.log()) == 0


async def test_a_plain_function_a_dead_process_and_oneself_cannot_be_looked_into(log):
    async with sv.open_supervisor([log, sv.ChildSpec("nap", trio.sleep_forever)]) as sup:
        with pytest.raises(TypeError, match="'nap' is a plain function"):
            await sup.child("nap").get_state()
        for look in (
            lambda ref: ref.get_state(),
            lambda ref: ref.replace_state(dict),
            lambda ref: ref.trace(),
        ):
            with pytest.raises(sv.ProcessExited, match="no such process"):
                await look(sup.child("nobody"))


async def test_looking_into_a_supervisor_works_like_into_any_server(log):
    async with sv.open_supervisor([log]) as sup:
        assert list((await sup.ref.get_state())["children"]) == ["log"]


async def test_a_look_that_is_given_up_harms_nobody(log, events):
    async def nap():
        await trio.sleep(5)

    async with sv.open_supervisor([log]) as sup:
        ref = sup.child("log")
        ref.cast(lambda _: nap())
        await wait_all_tasks_blocked()
        for look in (ref.get_state, lambda: ref.replace_state(lambda state: state), ref.trace):
            with trio.move_on_after(1) as scope:
                await look()
            assert scope.cancelled_caught
        assert await ref.call(lambda server: server.events) is events
