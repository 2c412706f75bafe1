"""Hold one worker process: spawn it, ask it, end it; what is asked and answered is for others.

It is spawned, never forked: it shares no threads and no locks with its parent, and has of it only two pipes,
the standard error and the environment.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import trio

from exmc_actors.errors import ExmcError
from exmc_actors.wire.frames import Stream, framed

COMMAND = (sys.executable, "-P", "-m", "exmc_actors.worker_main")
_AT_ONCE = 1 << 20
"""Bytes that are read at once, at most."""
_LAST_MOMENT = 1.0
"""Seconds within which a process that has closed its pipe ends by itself, so that one hears why."""


class WorkerDied(ExmcError):
    """A worker process ended, or had to be ended; the message says by what."""


class WorkerProcess:
    """A process that answers one request at a time."""

    def __init__(self, process: trio.Process, largest: int) -> None:
        """See ``spawn``."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests, self._answers = process.stdin, process.stdout
        self._stream = Stream(largest)

    @classmethod
    async def spawn(
        cls, largest: int, environment: Mapping[str, str], command: Sequence[str] = COMMAND
    ) -> "WorkerProcess":
        """Start a process, which may take a second before it answers.

        Args:
          largest: how many bytes an answer may have.
          environment: what its environment has besides this process's own.
          command: what to start.

        Raises:
          WorkerDied: the operating system has no room for another process.
        """
        try:
            process = await trio.lowlevel.open_process(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": _path(), **environment},
            )
        except OSError as error:
            raise WorkerDied(f"a worker process cannot be started: {error.strerror}") from error
        return cls(process, largest)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended, as far as the operating system knows."""
        return self._process.poll() is None

    async def ask(self, request: bytes) -> bytes:
        """Return the answer to a request; whoever is cancelled meanwhile must ``end`` the process.

        Raises:
          WorkerDied: there is no answer, or none that can be read.
        """
        try:
            await self._requests.send_all(framed(request))
            while part := await self._answers.receive_some(_AT_ONCE):
                if payloads := self._stream.take(part):
                    return payloads[0]
        except trio.BrokenResourceError:
            pass
        except ValueError as error:
            raise WorkerDied(f"a worker process answered with {error}") from error
        raise WorkerDied(await self._how_it_ended())

    async def end(self) -> None:
        """Kill the process, if it still runs, and wait until nothing is left of it; never cancelled."""
        with trio.CancelScope(shield=True):
            if self.is_alive:
                self._process.kill()
            await self._process.wait()
            await self._requests.aclose()
            await self._answers.aclose()

    async def _how_it_ended(self) -> str:
        with trio.move_on_after(_LAST_MOMENT):
            await self._process.wait()
        status = self._process.returncode
        if status is None:
            return "a worker process closed its pipe"
        if status >= 0:
            return f"a worker process ended by itself, with status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        hint = ", as by the kernel where memory runs out" if name == "SIGKILL" else ""
        return f"a worker process was ended by {name}{hint}"


def _path() -> str:
    """Return where a worker finds its modules: where this process does."""
    return os.pathsep.join(place or os.getcwd() for place in sys.path)
