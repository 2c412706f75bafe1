"""Workers without processes: they answer in this one, under virtual time, and die or sleep if told to."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.chain import chain_key
from exmc_actors.runtime.processes.answering import Answering
from exmc_actors.runtime.processes.talk import AdvanceChains, decode_request, encode_answer
from exmc_actors.runtime.processes.worker_process import WorkerDied, WorkerProcess
from tests.runtime.conftest import SETTINGS


def is_block_of(chain, request):
    """Whether a request is for a block of one chain of the tests' run."""
    asked = decode_request(request)
    key = chain_key(SETTINGS["random_seed"], chain)
    return isinstance(asked, AdvanceChains) and any(np.array_equal(one.key, key) for one, _ in asked.chains)


@dataclass(eq=False)
class Inside:
    """A worker within this process."""

    pid: int
    fate: object
    is_alive: bool = True
    answering: Answering = field(
        default_factory=lambda: Answering(lambda model: ex.compile(ex.Model.from_bytes(model)))
    )

    async def ask(self, request):
        await trio.lowlevel.checkpoint()
        changed = await self.fate(self, request)
        return changed or encode_answer(self.answering.answer_or_fail(request))

    async def end(self):
        self.is_alive = False

    def die(self):
        self.is_alive = False
        raise WorkerDied("a worker process was ended by SIGSEGV")


@dataclass
class Fates:
    """What happens to workers: ``happen(worker, request)`` may raise, sleep, or return another answer."""

    workers: list = field(default_factory=list)
    happen: object = None

    async def spawn(self, *_):
        async def fate(worker, request):
            return await self.happen(worker, request) if self.happen else None

        self.workers.append(Inside(len(self.workers), fate))
        return self.workers[-1]


@pytest.fixture
def fates(monkeypatch):
    made = Fates()
    monkeypatch.setattr(WorkerProcess, "spawn", made.spawn)
    return made
