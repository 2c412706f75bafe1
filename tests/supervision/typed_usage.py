"""How ``supervision`` reads to a type checker: checked by mypy strict, and never run.

Every ``type: ignore`` is an error that the checker must find: one that it does not need is an error itself.
"""

from dataclasses import dataclass
from typing import assert_type

import supervision as sv


@dataclass(frozen=True)
class Next(sv.Request[int]):
    """Asks for the next number."""


@dataclass(frozen=True)
class Describe(sv.Request[str]):
    """Asks for a sentence."""


@dataclass(frozen=True)
class Reset:
    """Sets the number."""

    to: int = 0


class Counter(sv.Server):
    """Handlers may say which messages they know, and what they answer."""

    idle_timeout = 60.0

    async def init(self, start: int = 0) -> None:
        self.n = start

    async def handle_call(self, message: Next | Describe) -> int | str:
        match message:
            case Next():
                self.n += 1
                return self.n
            case Describe():
                return f"at {self.n}"

    async def handle_cast(self, message: Reset) -> None:
        self.n = message.to

    async def handle_info(self, message: sv.Down | sv.Exit | sv.IdleTimeout) -> None:
        assert_type(self.monitor(self.ref), sv.Monitor)
        assert_type(self.send_after(1, "tick"), sv.Timer)
        match message:
            case sv.Down(reason=reason) | sv.Exit(reason=reason):
                assert_type(reason, sv.ExitReason)
            case sv.IdleTimeout():
                self.stop(sv.Shutdown("nobody needs me"))


async def replies_have_the_type_that_their_request_names(ref: sv.Ref) -> None:
    assert_type(await ref.call(Next()), int)
    assert_type(await ref.call(Describe()), str)
    (await ref.call(Next())).upper()  # type: ignore[attr-defined]


async def a_ref_can_say_which_messages_it_takes(ref: sv.Ref) -> None:
    counter: sv.RefTo[Reset] = ref
    counter.cast(Reset(3))
    await counter.send(Reset())
    assert_type(await counter.call(Next()), int)
    counter.cast("reset")  # type: ignore[arg-type]
    await counter.call(Reset())  # type: ignore[arg-type]


async def supervisors_and_their_handles() -> None:
    names = sv.Registry()
    spec = sv.ChildSpec("counter", Counter, (1,), name=names.via("counter"), capacity=8, overflow=sv.RAISE)
    async with sv.open_supervisor([spec], strategy="rest_for_one", backoff=sv.Backoff(0.1, 5)) as sup:
        assert_type(sup, sv.Supervisor)
        assert_type(sup.child("counter"), sv.Ref)
        assert_type(await sup.start_child(spec), sv.ProcessRef | None)
        assert_type(sup.dynamic_supervisor("pool"), sv.DynamicSupervisor)
        assert_type(await sup.wait_exited(), sv.ExitReason)
        await sup.terminate_child(sup.ref)  # type: ignore[arg-type]
    async with sv.open_dynamic_supervisor(max_children=3) as pool:
        assert_type(pool, sv.DynamicSupervisor)
        if (ref := await pool.start_child(spec)) is not None:
            await pool.terminate_child(ref)
            await pool.terminate_child("counter")  # type: ignore[arg-type]


def words_are_checked() -> None:
    sv.ChildSpec("a", Counter, restart="always")  # type: ignore[arg-type]
    sv.supervisor("b", [], strategy="all_for_one")  # type: ignore[arg-type]
