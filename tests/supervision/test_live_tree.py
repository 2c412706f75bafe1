import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def test_a_tree_is_printed_with_what_is_remarkable(probe, crash):
    children = [
        probe("store"),
        sv.supervisor("engine", [probe("left"), probe("right")], strategy="rest_for_one"),
        probe("log", restart="transient"),
    ]
    async with sv.open_supervisor(children, max_restarts=5) as sup:
        await crash(sup.child("store"))
        await sup.child("engine", "right").call(str)
        await sup.terminate_child("log")
        assert str(sv.tree(sup)).splitlines() == [
            "supervisor   one_for_one",
            "|- store     1 restart",
            "|- engine    rest_for_one",
            "|  |- left   running",
            "|  `- right  1 handled",
            "`- log       stopped",
        ]


async def test_a_tree_is_data_too(probe):
    children = [probe("a"), sv.supervisor("inner", [probe("b")]), sv.dynamic_supervisor("crowd")]
    async with sv.open_supervisor(children) as sup:
        await sup.dynamic_supervisor("crowd").start_child(probe("c"))
        top = sv.tree(sup)
    assert [(node.id, node.kind) for node in top] == [
        ("supervisor", "static"),
        ("a", None),
        ("inner", "static"),
        ("b", None),
        ("crowd", "dynamic"),
        ("c", None),
    ]
    assert [node.id for node in top.children] == ["a", "inner", "crowd"]
    assert top.children[0].process.label == "a"
    assert top.children[0].process.is_alive


async def test_part_of_a_tree_can_be_shown_and_a_call_that_waits_is_seen(probe):
    async def ask(server):
        await sup.child("inner", "b").call(wait)

    async def wait(server):
        await trio.sleep_forever()

    async with sv.open_supervisor([sv.supervisor("inner", [probe("a"), probe("b")])]) as sup:
        for _ in range(3):
            sup.child("inner", "a").cast(ask)
        await wait_all_tasks_blocked()
        assert str(sv.tree(sup.supervisor("inner"))).splitlines() == [
            "inner  one_for_one",
            "|- a   1 handled, 2 waiting, calling 'inner/b'",
            "`- b   1 handled",
        ]


async def test_a_supervisor_that_is_gone_has_no_tree(probe):
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")])]) as sup:
        inner = sup.supervisor("inner")
        await sup.terminate_child("inner")
        with pytest.raises(sv.ProcessExited):
            sv.tree(inner)
