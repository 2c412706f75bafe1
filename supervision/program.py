"""Say what a process runs: the contract, and the plain async function as the simplest case."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from trio.lowlevel import disable_ki_protection

from supervision.exits import ExitReason, Normal

if TYPE_CHECKING:
    from supervision.process import Process


class Program(ABC):
    """What a process runs, once."""

    serves: ClassVar[bool]
    """Whether it takes all messages in turn, and so can be told to stop between two of them."""
    spawns: bool = False
    """Whether it has processes of its own."""
    cleans_up: bool = True
    """Whether ``terminate`` does anything; holding cancellations off nothing has its price, too."""
    is_trapping: bool = False
    """Whether it wants exit signals as messages."""

    @abstractmethod
    async def run(self, process: "Process") -> ExitReason:
        """Start up, call ``process.acknowledge()``, work, and return why it ended by itself."""

    async def terminate(self, reason: ExitReason) -> None:  # noqa: B027 - optional
        """Clean up, after ``run``, if the process had started and was not killed."""

    async def account(self) -> str:
        """Say what it was doing when it crashed, to be put behind the reason."""
        return ""

    @abstractmethod
    def forget(self) -> None:
        """Let go of what it ran with, after its end.

        A process and its ref hold each other; what is large must not wait for a garbage collection.
        """


@final
class FunctionProgram(Program):
    """An async function. It has started when it is first scheduled, or when it says so by ``task_status``."""

    serves = False
    cleans_up = False

    def __init__(
        self, function: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Prepare the call ``function(*args, **kwargs)``."""
        self._function = function
        self._args = args
        self._kwargs = dict(kwargs)

    @disable_ki_protection
    async def run(self, process: "Process") -> ExitReason:
        """Run the function; its return is a normal end."""
        if _takes_task_status(self._function):
            self._kwargs["task_status"] = _TaskStatus(process)
        else:
            process.acknowledge()
        await self._function(*self._args, **self._kwargs)
        if not process.has_started:
            raise RuntimeError("the function returned without calling task_status.started()")
        return Normal()

    def forget(self) -> None:
        """Forget the call."""
        del self._function, self._args, self._kwargs


def _takes_task_status(function: Callable[..., object]) -> bool:
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return "task_status" in inspect.signature(function).parameters
    # The same for an ordinary function, at a hundredth of the price.
    return "task_status" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


class _TaskStatus:
    """What trio's users expect of ``task_status``; the value is not kept, for nobody asks for it."""

    def __init__(self, process: "Process") -> None:
        self._process = process

    def started(self, value: object = None) -> None:
        if self._process.has_started:
            raise RuntimeError("task_status.started() was called twice; call it once, when start-up is done")
        self._process.acknowledge()
