import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def test_a_crash_is_one_error_that_names_the_process_the_reason_and_the_last_message(
    probe, crash, caplog
):
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")])]) as sup:
        await crash(sup.child("inner", "a"))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == (
        "process 'inner/a' ended: crash: ValueError('boom'); its last message was a function"
    )
    assert record.exc_info[0] is ValueError


async def test_a_kill_that_was_ordered_is_an_information(probe, caplog):
    async with sv.open_supervisor([probe("a"), probe("b", shutdown="brutal_kill")]) as sup:
        sup.child("a").exit(sv.KILL)
        await wait_all_tasks_blocked()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "process 'a' ended: killed"),
        ("INFO", "process 'b' ended: killed"),
    ]


async def test_a_child_that_had_to_be_killed_since_it_did_not_stop_in_time_is_an_error(caplog):
    async def stubborn():
        with trio.CancelScope(shield=True):
            await trio.sleep(20)

    async with sv.open_supervisor([sv.ChildSpec("stubborn", stubborn)]):
        await wait_all_tasks_blocked()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "process 'stubborn' ended: killed")
    ]


async def test_ends_that_are_not_abnormal_are_not_logged(probe, caplog):
    async with sv.open_supervisor([probe("a"), sv.ChildSpec("nap", trio.sleep, (0,), restart="transient")]):
        await trio.sleep(1)
    assert caplog.records == []
