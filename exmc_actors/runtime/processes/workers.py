"""Hold the worker processes of a run: each computes one block at a time, and one that dies is replaced."""

import contextlib
import math
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import trio

from exmc_actors.runtime.executable_files import VARIABLE
from exmc_actors.runtime.processes.talk import Failed, Open, Ready, decode_answer, encode_request
from exmc_actors.runtime.processes.worker_process import COMMAND, WorkerDied, WorkerProcess

_AS_LONG = 10
"""How many times as long as the first worker took to compile another one may take to load that."""


class Workers:
    """Worker processes of one run; made by ``open_workers``."""

    def __init__(self, head: bytes, largest: int, folder: str | None, command: Sequence[str]) -> None:
        """Start none yet."""
        self._open = encode_request(Open(head))
        self._largest = largest
        # A GPU is for whoever asks for one; a worker would take its memory.
        self._environment = {"JAX_PLATFORMS": "cpu"} | ({VARIABLE: folder} if folder else {})
        self._command = command
        self._spawned: list[WorkerProcess] = []
        """They start up, and have not been opened."""
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._ready: Ready | None = None
        self._compiled_in = math.inf
        """Seconds that the first one took to compile the program."""

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that there are."""
        return tuple(worker.pid for worker in self._all)

    async def begin(self, count: int, patience: float = math.inf) -> Ready:
        """Start so many, and return what the first has compiled; the others load that when they are needed.

        Args:
          count: how many there are then.
          patience: as that of ``one``, where they are begun again.

        Raises:
          WorkerDied: it could not be started, or did not survive compiling.
        """
        for _ in range(count - len(self._all)):
            self._spawned.append(await self._spawn())
        async with self.one(patience):
            pass
        assert self._ready is not None
        return self._ready

    @asynccontextmanager
    async def one(self, patience: float = math.inf) -> AsyncIterator[WorkerProcess]:
        """Lend a worker that is idle, or a new one; what raises, or is cancelled, meanwhile ends it at once.

        Args:
          patience: seconds that a new one may take to load the program, besides some times as many as the
            first took to compile it: how long that takes nobody can foretell.

        Raises:
          WorkerDied: a new one could not be started, or not in time.
        """
        worker = await self._take(self._idle)
        is_well = False
        try:
            if worker is None:
                worker = await self._take(self._spawned) or await self._spawn()
                self._ready = await self._opened(worker, patience)
            yield worker
            is_well = True
        finally:
            if is_well and worker is not None:
                self._idle.append(worker)
            elif worker is not None:
                await self._end(worker)

    async def end(self) -> None:
        """End all of them."""
        for worker in tuple(self._all):
            await self._end(worker)

    async def _take(self, some: list[WorkerProcess]) -> WorkerProcess | None:
        """Return one that lives, the last that was used; those that died meanwhile are no news to anybody."""
        while some:
            worker = some.pop()
            if worker.is_alive:
                return worker
            await self._end(worker)
        return None

    async def _spawn(self) -> WorkerProcess:
        worker = await WorkerProcess.spawn(self._largest, self._environment, self._command)
        self._all.add(worker)
        return worker

    async def _opened(self, worker: WorkerProcess, patience: float) -> Ready:
        began, limit = trio.current_time(), patience + _AS_LONG * self._compiled_in
        with trio.move_on_after(limit):
            ready = self._read(await worker.ask(self._open))
            if self._ready is None:  # others load what it has compiled
                self._compiled_in = trio.current_time() - began
            return ready
        raise WorkerDied(
            f"a worker process was ended, since it has not loaded the program within {limit:.3g} s: give a "
            "larger patience if it needs longer"
        )

    def _read(self, data: bytes) -> Ready:
        try:
            answer = decode_answer(data)
        except ValueError as error:
            raise WorkerDied(f"a worker process answered with {error}") from error
        if isinstance(answer, Failed):
            raise WorkerDied(f"a worker process could not compile the model: {answer.kind}: {answer.text}")
        if not isinstance(answer, Ready):
            raise WorkerDied("a worker process answered something else than was asked")
        return answer

    async def _end(self, worker: WorkerProcess) -> None:
        await worker.end()
        self._all.discard(worker)


@asynccontextmanager
async def open_workers(head: bytes, largest: int, command: Sequence[str] = COMMAND) -> AsyncIterator[Workers]:
    """Hold workers that end on leaving, whatever they do then.

    Args:
      head: of the run, with its model.
      largest: how many bytes an answer may have.
      command: what to start as a worker.
    """
    with _folder() as folder:
        workers = Workers(head, largest, folder, command)
        try:
            yield workers
        finally:
            await workers.end()


@contextlib.contextmanager
def _folder() -> Iterator[str | None]:
    """Lend a folder in which workers leave what they have compiled for each other, unless they have one."""
    if os.environ.get(VARIABLE):
        yield None
        return
    with contextlib.ExitStack() as files:
        folder = None
        with contextlib.suppress(OSError):  # where nothing can be written, each worker compiles
            made = tempfile.TemporaryDirectory(prefix="exmc-", ignore_cleanup_errors=True)
            folder = files.enter_context(made)
        yield folder
