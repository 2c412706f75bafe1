"""Run async tests in virtual time, let them leave nothing behind, and offer an actor that obeys a test."""

import inspect
import logging

import pytest
import trio
import trio.testing

import supervision as sv
from supervision.testing import nothing_left, run_virtual


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run an async test to its end; a test that waits for ever fails when nothing else can happen."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def leaving_nothing():
        async with nothing_left():
            await test(**arguments)

    run_virtual(leaving_nothing)
    return True


@pytest.fixture(autouse=True)
def no_name_is_left(monkeypatch):
    """Fail a test after which a registry that was made in it is not empty."""
    registries, init = [], sv.Registry.__init__

    def noting_init(self, *args, **kwargs):
        init(self, *args, **kwargs)
        registries.append(self)

    monkeypatch.setattr(sv.Registry, "__init__", noting_init)
    yield
    assert [entry.key for registry in registries for entry in registry.entries()] == []


@pytest.fixture(autouse=True)
def quiet_log(caplog):
    """Let the test see every record, and keep them out of its output."""
    caplog.set_level(logging.INFO, logger="supervision")


@pytest.fixture
def events():
    """What the probes of a test have lived through, in order."""
    return []


@pytest.fixture
def probe(events):
    """Describe a child that notes what happens to it and carries out the functions that it is sent."""

    class Probe(sv.Server):
        async def init(self, id, *, fails=()):
            self.id = id
            events.append(f"start {id}")
            if fails and (error := fails.pop(0)) is not None:
                raise error

        async def handle_call(self, function):
            answer = function(self)
            return await answer if inspect.isawaitable(answer) else answer

        async def handle_cast(self, function):
            await self.handle_call(function)

        async def handle_info(self, message):
            events.append(f"{self.id} saw {message.reason}")

        async def terminate(self, reason):
            events.append(f"stop {self.id}: {reason}")

    def describe(id, **options):
        kwargs = {"fails": options.pop("fails")} if "fails" in options else {}
        return sv.ChildSpec(id, Probe, (id,), kwargs, **options)

    return describe


@pytest.fixture
def log(events):
    """Describe a server that notes everything and carries out the functions that it is sent."""

    class Log(sv.Server):
        async def init(self):
            self.events = events

        async def handle_call(self, message):
            self.events.append("call")
            return message(self)

        async def handle_cast(self, message):
            if callable(message):
                answer = message(self)
                if inspect.isawaitable(answer):
                    await answer
            else:
                self.events.append(message)

        async def handle_info(self, message):
            self.events.append((trio.current_time(), message))

        async def handle_continue(self, value):
            self.events.append(f"continue {value}")

    return sv.ChildSpec("log", Log)


@pytest.fixture
def crash():
    """Crash the process at a ref, and wait until its supervisor has acted."""

    def boom(_server):
        raise ValueError("boom")

    async def crash_and_settle(ref):
        with pytest.raises(sv.ProcessExited, match="boom"):
            await ref.call(boom)
        await trio.testing.wait_all_tasks_blocked()

    return crash_and_settle


@pytest.fixture
def in_tasks():
    """Open a dynamic supervisor with tasks under it."""

    def open_tasks(**options):
        return _Opened(sv.open_dynamic_supervisor(**options))

    class _Opened:
        def __init__(self, scope):
            self.scope = scope

        async def __aenter__(self):
            self.supervisor = await self.scope.__aenter__()
            return sv.Tasks(self.supervisor)

        async def __aexit__(self, *failure):
            return await self.scope.__aexit__(*failure)

    return open_tasks
