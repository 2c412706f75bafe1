"""Answer requests in a worker process, one after the other; the pipes are for others."""

from collections.abc import Callable
from typing import Any

from exmc_actors.compiler import Target
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.journal.head import Head, decode_head
from exmc_actors.runtime.processes.talk import (
    AdvanceChains,
    Answer,
    Failed,
    Open,
    Ready,
    Request,
    StartChains,
    decode_request,
    encode_answer,
)
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.shared_executables import executables_for
from exmc_actors.wire.frames import Stream, framed

_LONGEST = 10_000
"""Letters of what is told of an error."""

Compile = Callable[[bytes], Target]
"""Makes the target of a model that came as bytes."""


def answer_all(compile: Compile, receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
    """Answer whatever comes, for ever.

    Args:
      compile: makes the target of a model.
      receive: waits for the next part of the requests.
      send: hands over an answer.

    Raises:
      ValueError: what came is no request.
    """
    stream, answering = Stream(), Answering(compile)
    while True:
        for payload in stream.take(receive()):
            send(framed(encode_answer(answering.answer_or_fail(payload))))


class Answering:
    """The program of the run that a worker was opened for."""

    _settings: Settings
    _executables: Executables
    _arguments: Any

    def __init__(self, compile: Compile) -> None:
        """Have no program yet."""
        self._compile = compile

    def answer_or_fail(self, payload: bytes) -> Answer:
        """Return the answer to a request; of one that raises, what it raised."""
        request = decode_request(payload)
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001 - a worker's main: see tests/test_house.py
            return Failed(type(error).__name__, str(error)[:_LONGEST])

    def _answer(self, request: Request) -> Answer:
        match request:
            case Open(head):
                return self._open(decode_head(head))
            case StartChains(places):
                return self._executables.start(places, self._arguments, self._settings.target_accept)
            case AdvanceChains(chains):
                settings = self._settings
                return self._executables.advance(
                    chains,
                    self._arguments,
                    settings.schedule,
                    settings.target_accept,
                    settings.step_size_jitter,
                )

    def _open(self, head: Head) -> Ready:
        assert head.model is not None
        target, self._settings = self._compile(head.model), head.settings
        self._executables = executables_for(target, self._settings.max_treedepth, self._settings.kernel)
        self._arguments = self._executables.put(target.arguments)
        self._executables.compile(self._arguments)
        compiled = self._executables.compiled
        return Ready(compiled.is_folded, compiled.device)
