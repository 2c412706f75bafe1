"""Test actors: virtual time, a probe that asserts on messages, crashes on demand, and a check for leaks.

For tests only; nothing in ``supervision`` uses it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple, final

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import supervision as sv
from supervision import telemetry

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run_virtual(test: Callable[[*Ts], Awaitable[T]], *args: *Ts, at_most: float = 3600.0) -> T:
    """Run an async function with a clock that jumps to the next deadline as soon as nothing else can happen.

    A test about hours takes milliseconds, and always the same ones. Worker threads are not waited for by
    that clock: keep them out of such tests.

    Args:
      test: the function.
      args: its arguments.
      at_most: virtual seconds after which a test that still waits fails with ``trio.TooSlowError``.
    """

    async def main() -> T:
        with trio.fail_after(at_most):
            return await test(*args)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


# Probes


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """A call that a probe has got; answer it with ``reply.send(value)``."""

    message: Any
    reply: sv.Reply


class _ProbeServer(sv.Server):
    """Passes on whatever it gets."""

    trap_exit = True

    async def init(self, inbox: trio.MemorySendChannel[Any], adopt: Callable[[sv.Server], None]) -> None:
        """Pass on to ``inbox``, and say who does."""
        self._inbox = inbox
        adopt(self)

    async def handle_call(self, message: Any) -> Any:
        """Leave the answer to the test."""
        self._inbox.send_nowait(Asked(message, self.defer()))
        return sv.NO_REPLY

    async def handle_cast(self, message: Any) -> None:
        """Pass it on."""
        self._inbox.send_nowait(message)

    async def handle_info(self, message: Any) -> None:
        """Pass it on."""
        self._inbox.send_nowait(message)


@final
class Probe:
    """A process that keeps what it gets until the test asks for it, in order."""

    def __init__(self, server: sv.Server, inbox: trio.MemoryReceiveChannel[Any]) -> None:
        """Read what ``server`` passes on; ``open_probe`` makes these."""
        self.ref = server.ref
        self._server = server
        self._inbox = inbox

    async def expect(self, wanted: Any = object, *, within: float = 5.0) -> Any:
        """Return the next message, which must come in time and be what is wanted.

        Args:
          wanted: a value that it equals, a type that it is of, or a function that is true of it.
          within: seconds to wait.

        Raises:
          AssertionError: when another message comes, or none.
        """
        with trio.move_on_after(within):
            message = await self._inbox.receive()
            if _matches(wanted, message):
                return message
            raise AssertionError(f"the probe expected {_in_words(wanted)}, but got {message!r}")
        raise AssertionError(f"the probe expected {_in_words(wanted)}, but got nothing within {within:g} s")

    async def expect_call(self, wanted: Any = object, *, within: float = 5.0) -> Asked:
        """Return the next message, which must be a call for what is wanted; then answer it."""
        asked: Asked = await self.expect(
            lambda message: isinstance(message, Asked) and _matches(wanted, message.message), within=within
        )
        return asked

    async def expect_down(self, ref: sv.Ref, *, within: float = 5.0) -> sv.ExitReason:
        """Wait until a process has ended that the probe monitors; return why.

        Args:
          ref: an address equal to the one that was given to ``monitor``. The end of a process that the
            probe has linked to is an ``Exit`` instead: ``await probe.expect(sv.Exit)``.
          within: seconds to wait.

        Raises:
          AssertionError: when another message comes, or none.
        """
        down: sv.Down = await self.expect(
            lambda message: isinstance(message, sv.Down) and message.ref == ref, within=within
        )
        return down.reason

    async def expect_nothing(self, *, within: float = 5.0) -> None:
        """Wait, and fail if a message comes meanwhile."""
        with trio.move_on_after(within):
            message = await self._inbox.receive()
            raise AssertionError(f"the probe expected nothing for {within:g} s, but got {message!r}")

    def monitor(self, ref: sv.Ref) -> sv.Monitor:
        """Watch a process; its ``Down`` will be a message to the probe."""
        return self._server.monitor(ref)

    def link(self, ref: sv.Ref) -> None:
        """Link the probe to a process; its ``Exit`` will be a message to the probe."""
        self._server.link(ref)


@asynccontextmanager
async def open_probe(name: sv.Via | None = None) -> AsyncIterator[Probe]:
    """Run a probe: give its ``ref`` to what is tested, then ``expect`` messages.

    Args:
      name: a name in a registry that the probe takes.
    """
    send, receive = trio.open_memory_channel[Any](float("inf"))
    servers: list[sv.Server] = []
    spec = sv.ChildSpec("probe", _ProbeServer, (send, servers.append), restart="temporary", name=name)
    with send, receive:
        async with sv.open_supervisor([spec]):
            yield Probe(servers[0], receive)


# Crashes


class Injected(Exception):
    """What a test made a process raise."""


class Crashable(sv.Server):
    """A child that crashes on demand, and otherwise answers with what it was sent.

    It raises each exception that it is sent, by call or cast. ``starts`` says what its starts raise, one
    after another; None is a start that succeeds, and so are all after the last.
    """

    async def init(self, starts: Iterator[Exception | None] | Iterable[Exception | None] = ()) -> None:
        """Start, or fail to; give an iterator, which is shared by all incarnations."""
        error = next(iter(starts), None)
        if error is not None:
            raise error

    async def handle_call(self, message: Any) -> Any:
        """Raise an exception, or echo."""
        if isinstance(message, Exception):
            raise message
        return message

    async def handle_cast(self, message: Any) -> None:
        """Raise an exception, or do nothing."""
        await self.handle_call(message)


def crashable(id: str, *, starts: Iterable[Exception | None] = (), **options: Any) -> sv.ChildSpec:
    """Describe a ``Crashable`` child.

    Args:
      id: unique within the supervisor.
      starts: what each start raises; None for one that succeeds.
      options: as for ChildSpec.
    """
    return sv.ChildSpec(id, Crashable, (iter(starts),), **options)


async def crash(ref: sv.Ref, error: Exception | None = None) -> None:
    """Let a process end by the exit signal ``Crash(error)``, and wait until everybody has acted on that.

    A process that traps exits, such as a supervisor or a probe, gets an ``Exit`` message instead, as it would
    from a linked process. The report of the crash knows of no last message and no state.

    Args:
      ref: any address of the process.
      error: what it is to have raised; an ``Injected`` by default.
    """
    ref.exit(sv.Crash(Injected("on demand") if error is None else error))
    await wait_all_tasks_blocked()


# Leaks


@asynccontextmanager
async def nothing_left(*registries: sv.Registry) -> AsyncIterator[None]:
    """Fail if what was started within the block is still there after it: tasks, names, telemetry handlers.

    Args:
      registries: must be empty after the block.
    """
    tasks, handlers = set(_tasks()), telemetry.attached()
    yield
    await wait_all_tasks_blocked()
    left = [f"task {task.name!r}" for task in _tasks() if task not in tasks]
    left += [f"name {entry.key!r}" for registry in registries for entry in registry.entries()]
    left += [f"telemetry handler {id!r}" for id in telemetry.attached() if id not in handlers]
    if left:
        raise AssertionError(f"left over: {', '.join(left)}")


def _tasks() -> Iterator[trio.lowlevel.Task]:
    root = trio.lowlevel.current_root_task()
    waiting = [] if root is None else [root]
    while waiting:
        task = waiting.pop()
        yield task
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def _matches(wanted: Any, message: Any) -> bool:
    if isinstance(wanted, type):
        return isinstance(message, wanted)
    if callable(wanted):
        return bool(wanted(message))
    return bool(wanted == message)


def _in_words(wanted: Any) -> str:
    if wanted is object:
        return "a message"
    if isinstance(wanted, type):
        return f"a {wanted.__name__}"
    return "a message of its choice" if callable(wanted) else repr(wanted)
