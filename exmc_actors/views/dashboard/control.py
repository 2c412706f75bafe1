"""Say what of a run a page may hold in its hands, and read which of it a path names."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Control(Protocol):
    """What ``Run`` offers."""

    async def pause(self) -> None:
        """Let the chains wait."""
        ...

    async def resume(self) -> None:
        """Let the chains go on."""
        ...

    async def abort(self) -> None:
        """End the run and keep what is committed."""
        ...

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor; its supervisor heals it."""
        ...


def action(control: Control, name: str, chains: int) -> Callable[[], Awaitable[object]] | None:
    """Return what ``pause``, ``resume``, ``abort`` or ``kill/2`` does; None where the name is no action."""
    match name.split("/"):
        case ["pause"]:
            return control.pause
        case ["resume"]:
            return control.resume
        case ["abort"]:
            return control.abort
        case ["kill", number] if number.isascii() and number.isdecimal() and len(number) < 6:
            chain = int(number)
            return (lambda: control.kill_chain(chain)) if chain < chains else None
    return None
