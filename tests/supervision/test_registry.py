import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv

from .counting import calls_in


async def test_a_name_means_the_current_holder_across_restarts(probe, crash):
    names = sv.Registry()
    async with sv.open_supervisor([probe("a", name=names.via("ada"))]) as sup:
        first = names.whereis("ada")
        assert await names.via("ada").call(lambda server: server.ref) is first
        await crash(names.via("ada"))
        assert names.whereis("ada") is sup.which_children()[0].ref is not first
    assert names.whereis("ada") is None


async def test_a_second_holder_fails_to_start_and_leaves_the_first_alone(probe):
    names = sv.Registry()
    async with sv.open_supervisor([probe("a", name=names.via("ada"))]) as sup:
        holder = names.whereis("ada")
        with pytest.raises(sv.StartFailed, match="'ada' is held by process 'a'") as raised:
            await sup.start_child(probe("b", name=names.via("ada")))
        assert isinstance(raised.value.__cause__, sv.AlreadyStarted)
        assert names.whereis("ada") is holder
    assert names.whereis("ada") is None


async def test_the_name_is_held_before_init_runs_and_a_failed_init_leaves_none(events):
    names = sv.Registry()

    class Failing(sv.Server):
        async def init(self):
            events.append(names.whereis("ada") is self.ref)
            raise ValueError("boom")

    with pytest.raises(sv.StartFailed):
        async with sv.open_supervisor([sv.ChildSpec("a", Failing, name=names.via("ada"))]):
            pass
    assert events == [True]
    assert names.whereis("ada") is None


@pytest.mark.parametrize("key", [["room", 1], ("room", [1]), {}])
def test_a_name_that_cannot_be_looked_up_is_refused_where_it_is_made(key):
    with pytest.raises(sv.SpecError, match="A name must be hashable, for it is looked up, got"):
        sv.Registry().via(key)


def test_names_are_equal_where_they_mean_the_same():
    names, others = sv.Registry(), sv.Registry()
    assert {names.via("ada"), names.via("ada", value=1815)} == {names.via("ada")}
    assert names.via("ada") != names.via("charles")
    assert names.via("ada") != others.via("ada")


async def test_registries_are_independent(probe):
    names, others = sv.Registry(), sv.Registry()
    async with sv.open_supervisor([probe("a", name=names.via("ada")), probe("b", name=others.via("ada"))]):
        assert names.whereis("ada") is not others.whereis("ada")


async def test_a_supervisor_can_have_a_name_too(probe):
    names = sv.Registry()
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")], name=names.via("inner"))]) as sup:
        assert names.whereis("inner") is sup.which_children()[0].ref


# Entries that processes make themselves.


class Member(sv.Server):
    """Registers under what it is given, and carries out the functions that it is sent."""

    async def init(self, registry, *keys, value=None):
        self.registry, self.seen = registry, []
        for key in keys:
            registry.register(key, value)

    async def handle_call(self, function):
        return function(self)

    async def handle_cast(self, message):
        self.seen.append(message)

    async def handle_info(self, message):
        self.seen.append(message)


def member(id, registry, *keys, restart="temporary", **kwargs):
    return sv.ChildSpec(id, Member, (registry, *keys), kwargs, restart=restart)


async def test_a_process_is_found_under_every_key_it_registers_with_its_value():
    names = sv.Registry()
    async with sv.open_supervisor([member("a", names, "ada", "countess", value=1815)]) as sup:
        (child,) = sup.which_children()
        assert names.lookup("ada") == (sv.Entry("ada", child.ref, 1815),)
        assert names.keys(child.ref) == names.keys(sup.child("a")) == ("ada", "countess")
        assert names.whereis("countess") is child.ref
        assert names.lookup("nobody") == ()
    assert names.entries() == ()


async def test_a_unique_key_is_refused_to_a_second_process_and_to_the_same_one_twice():
    names = sv.Registry()
    async with sv.open_supervisor([member("a", names, "ada")]) as sup:
        with pytest.raises(sv.StartFailed, match="'ada' is held by process 'a'"):
            await sup.start_child(member("b", names, "babbage", "ada"))
        assert names.lookup("babbage") == ()
        with pytest.raises(sv.AlreadyStarted):
            names.register("ada", holder=sup.child("a"))


async def test_a_duplicate_key_means_many_processes_the_oldest_first():
    groups = sv.Registry("duplicate")
    async with sv.open_supervisor([member(id, groups, "even") for id in ("0", "2", "4")]) as sup:
        assert [entry.ref for entry in groups.lookup("even")] == [c.ref for c in sup.which_children()]
        assert groups.dispatch("even", "hello") == 3
        assert [await sup.child(id).call(lambda m: m.seen) for id in ("0", "2", "4")] == [["hello"]] * 3
        with pytest.raises(sv.AlreadyStarted, match="registered under 'even' already"):
            groups.register("even", holder=sup.child("2"))
        await sup.terminate_child("2")
        assert groups.dispatch("even", "again") == 2
        assert groups.dispatch("odd", "nobody") == 0
    assert len(groups) == 0


async def test_a_member_without_room_keeps_nothing_from_the_others():
    class Busy(sv.Server):
        async def init(self, groups):
            groups.register("all")

        async def handle_cast(self, message):
            await trio.sleep_forever()

    groups = sv.Registry("duplicate")
    busy = sv.ChildSpec("busy", Busy, (groups,), capacity=1)
    async with sv.open_supervisor([busy, member("idle", groups, "all")]) as sup:
        groups.dispatch("all", 1)
        await wait_all_tasks_blocked()
        groups.dispatch("all", 2)
        with pytest.raises(sv.MailboxFull):
            groups.dispatch("all", 3)
        assert await sup.child("idle").call(lambda m: m.seen) == [1, 2, 3]


async def test_one_member_more_or_less_costs_the_same_however_many_there_are():
    def costs(sup):
        ref = sup.child("last").resolve().ref
        return [
            calls_in(lambda: groups.register("all", holder=ref)),
            calls_in(lambda: groups.update("all", str, holder=ref)),
            calls_in(lambda: groups.unregister("all", holder=ref)),
        ]

    groups = sv.Registry("duplicate")
    async with sv.open_supervisor([member("last", groups)]) as sup:
        alone = costs(sup)
        for number in range(50):
            await sup.start_child(member(str(number), groups, "all"))
        among_many = costs(sup)
    assert all(many <= one + 5 for one, many in zip(alone, among_many, strict=True))


async def test_a_key_of_many_is_no_address():
    groups = sv.Registry("duplicate")
    with pytest.raises(sv.SpecError, match="via needs unique keys"):
        groups.via("even")
    with pytest.raises(sv.SpecError, match="whereis needs unique keys"):
        groups.whereis("even")


async def test_entries_are_gone_when_anybody_hears_of_the_end():
    names = sv.Registry()
    found = []

    class Watcher(sv.Server):
        async def handle_cast(self, ref):
            self.monitor(ref)

        async def handle_info(self, message):
            found.append((names.lookup("ada"), names.lookup("mine")))

    # Watched before it registers: even then the Down comes after the entries have gone.
    async with sv.open_supervisor([sv.ChildSpec("watcher", Watcher), member("a", names)]) as sup:
        sup.child("watcher").cast(sup.which_children()[1].ref)
        await wait_all_tasks_blocked()
        await sup.child("a").call(lambda m: names.register("ada"))
        sup.child("a").exit(sv.KILL)
        await wait_all_tasks_blocked()
    assert found == [((), ())]


async def test_a_name_in_a_spec_may_carry_a_value_and_survives_restarts():
    names = sv.Registry()
    spec = sv.ChildSpec("a", Member, (names,), name=names.via("ada", value="poet's daughter"))
    async with sv.open_supervisor([spec]) as sup:
        sup.child("a").exit(sv.KILL)
        await wait_all_tasks_blocked()
        [entry] = names.lookup("ada")
        assert entry == sv.Entry("ada", sup.which_children()[0].ref, "poet's daughter")


async def test_an_unregistered_process_lives_on_without_the_key():
    names = sv.Registry()
    async with sv.open_supervisor([member("a", names, "ada", "countess")]) as sup:
        await sup.child("a").call(lambda m: names.unregister("ada"))
        names.unregister("ada", holder=sup.child("a"))
        assert names.keys(sup.child("a")) == ("countess",)
        names.register("ada", holder=sup.child("a"))
        assert names.whereis("ada").is_alive


async def test_a_value_is_updated_by_its_holder():
    groups = sv.Registry("duplicate")
    async with sv.open_supervisor([member(id, groups, "jobs", value=0) for id in "ab"]) as sup:
        assert await sup.child("b").call(lambda m: groups.update("jobs", lambda n: n + 3)) == (3, 0)
        assert [entry.value for entry in groups.lookup("jobs")] == [0, 3]
        with pytest.raises(LookupError, match="not registered under 'none'"):
            groups.update("none", str, holder=sup.child("a"))


async def test_listeners_are_told_what_comes_and_goes_in_order():
    directory = sv.Registry()
    names = sv.Registry(listeners=[directory.via("listener"), directory.via("nobody")])
    listener = sv.ChildSpec("listener", Member, (names,), name=directory.via("listener"))
    async with sv.open_supervisor([listener, member("a", names, "ada", value=1)]) as sup:
        entry = names.lookup("ada")[0]
        await sup.terminate_child("a")
        seen = await sup.child("listener").call(lambda m: list(m.seen))
    assert seen == [sv.Registered(names, entry), sv.Unregistered(names, entry)]


async def test_a_listener_whose_address_raises_disturbs_neither_others_nor_who_registers(caplog):
    nowhere = sv.Partitions(2, route=lambda key, count: {}[key]).via("listener")
    directory = sv.Registry()
    names = sv.Registry(listeners=[nowhere, directory.via("listener")])
    listener = sv.ChildSpec("listener", Member, (names,), name=directory.via("listener"))
    async with sv.open_supervisor([listener, member("a", names, "ada"), member("b", names)]) as sup:
        await sup.terminate_child("a")
        seen = await sup.child("listener").call(lambda m: list(m.seen))
    assert [type(notice) for notice in seen] == [sv.Registered, sv.Unregistered]
    assert [record.getMessage() for record in caplog.records] == ["a registry's listener raised"] * 2


async def test_only_a_living_process_can_be_registered():
    names = sv.Registry()
    with pytest.raises(sv.SpecError, match="Only a process can be registered"):
        names.register("ada")
    async with sv.open_supervisor([member("a", names)]) as sup:
        gone = sup.which_children()[0].ref
        await sup.terminate_child("a")
    with pytest.raises(sv.ProcessExited, match="no such process"):
        names.register("ada", holder=gone)
    assert len(names) == 0


async def test_a_plain_function_can_register_too():
    names = sv.Registry()

    async def job():
        names.register("job")
        await trio.sleep(1)

    async with sv.open_supervisor([sv.ChildSpec("job", job, restart="temporary")]):
        await wait_all_tasks_blocked()
        assert str(names.whereis("job")) == "process 'job'"
        await names.via("job").wait_exited()
        assert names.whereis("job") is None


def test_a_kind_of_keys_that_does_not_exist_is_refused():
    with pytest.raises(sv.SpecError, match="must be one of 'unique', 'duplicate', got 'many'"):
        sv.Registry("many")
