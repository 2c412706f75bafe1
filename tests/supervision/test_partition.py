from dataclasses import replace

import pytest
from trio.testing import wait_all_tasks_blocked

import supervision as sv


def test_addresses_are_equal_where_they_mean_the_same_key():
    users, others = sv.Partitions(2), sv.Partitions(2)
    assert {users.via("ada"), users.via("ada")} == {users.via("ada")}
    assert users.via("ada") != users.via("charles")
    assert users.via("ada") != others.via("ada")


class Store(sv.Server):
    async def init(self, label="store"):
        self.label, self.keys = label, []

    async def handle_call(self, message):
        return self.label if message == "label" else sorted(self.keys)

    async def handle_cast(self, key):
        self.keys.append(key)


STORE = sv.ChildSpec("store", Store)


async def test_every_message_goes_to_the_copy_that_its_key_belongs_to():
    stores = sv.Partitions(3)
    async with sv.open_supervisor([stores.supervisor("stores", STORE)]) as sup:
        assert [child.id for child in sup.supervisor("stores").which_children()] == ["0", "1", "2"]
        for key in range(10):
            stores.via(key).cast(key)
        assert [await ref.call("keys") for ref in stores.refs()] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
        assert await stores.via(31).call("keys") == [1, 4, 7]
    assert len(stores) == 3


async def test_a_key_means_the_new_copy_after_a_restart_and_the_others_are_left_alone():
    stores = sv.Partitions(2)
    async with sv.open_supervisor([stores.supervisor("stores", STORE)]):
        for key in (0, 1):
            stores.via(key).cast(key)
        stores.via(0).exit(sv.KILL)
        await wait_all_tasks_blocked()
        assert await stores.via(0).call("keys") == []
        assert await stores.via(1).call("keys") == [1]


async def test_the_route_can_be_chosen():
    stores = sv.Partitions(2, route=lambda key, count: len(key) % count)
    async with sv.open_supervisor([stores.supervisor("stores", STORE)]):
        for key in ("a", "bb", "ccc"):
            stores.via(key).cast(key)
        assert await stores.via("x").call("keys") == ["a", "ccc"]


async def test_copies_can_differ():
    stores = sv.Partitions(2)
    spec = stores.supervisor("stores", STORE, vary=lambda spec, number: replace(spec, args=(f"no {number}",)))
    async with sv.open_supervisor([spec]):
        assert [await ref.call("label") for ref in stores.refs()] == ["no 0", "no 1"]


async def test_the_options_are_those_of_a_supervisor():
    stores = sv.Partitions(2)
    spec = stores.supervisor("stores", STORE, strategy="one_for_all", max_restarts=0, restart="temporary")
    async with sv.open_supervisor([spec]) as sup:
        assert sup.statistics().children[0].supervisor.strategy == "one_for_all"
        stores.via(0).exit(sv.KILL)
        await wait_all_tasks_blocked()
        assert not stores.via(1).is_alive


async def test_without_its_supervisor_a_partition_is_nobody():
    ref = sv.Partitions(2).via("ada")
    with pytest.raises(sv.ProcessExited, match="partition of 'ada' gave no answer: no such process"):
        await ref.call("keys")


def test_a_name_for_all_copies_is_refused():
    template = replace(STORE, name=sv.Registry().via("store"))
    with pytest.raises(sv.SpecError, match="only one copy could have it"):
        sv.Partitions(2).supervisor("stores", template)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_that_is_none_is_refused(count):
    with pytest.raises(sv.SpecError, match="whole number, 1 or more"):
        sv.Partitions(count)


def test_a_route_that_leads_nowhere_is_told():
    with pytest.raises(
        sv.SpecError, match="gave 7 for the key 'ada'; it must give a whole number from 0 to 1"
    ):
        sv.Partitions(2, route=lambda *_: 7).via("ada").cast("x")
