import pytest

import supervision as sv


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


async def test_registries_are_independent(probe):
    names, others = sv.Registry(), sv.Registry()
    async with sv.open_supervisor([probe("a", name=names.via("ada")), probe("b", name=others.via("ada"))]):
        assert names.whereis("ada") is not others.whereis("ada")


async def test_a_supervisor_can_have_a_name_too(probe):
    names = sv.Registry()
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")], name=names.via("inner"))]) as sup:
        assert names.whereis("inner") is sup.which_children()[0].ref
