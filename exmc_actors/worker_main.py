"""Be a worker process: take requests from standard input, answer them on standard output, end when it closes.

It is light until the pipes are its own: what libraries print is then not taken for an answer, and a parent
that ends, by whatever signal, ends it at once, in the middle of an import or of a block.
"""

import os
import signal
import sys
import threading
from queue import SimpleQueue

_PART = 1 << 20
"""Bytes that are read at once, at most."""


def main() -> None:
    """Answer until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to decide about
    requests, answers = _claimed()
    parts: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(requests, parts), daemon=True).start()
    from exmc_actors.compiler import compile
    from exmc_actors.model import Model
    from exmc_actors.runtime.processes.answering import answer_all

    answer_all(
        lambda model: compile(Model.from_bytes(model)), parts.get, lambda answer: _write(answers, answer)
    )


def _claimed() -> tuple[int, int]:
    """Take the pipes away from whoever reads or prints: there is nothing to read, and prints are errors."""
    requests, answers = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _receive(requests: int, parts: "SimpleQueue[bytes]") -> None:
    """Pass on what comes; when nothing more will come, end the process, whatever it does."""
    while part := os.read(requests, _PART):
        parts.put(part)
    os._exit(0)


def _write(answers: int, answer: bytes) -> None:
    rest = memoryview(answer)
    try:
        while rest:
            rest = rest[os.write(answers, rest) :]
    except BrokenPipeError:  # nobody wants it any more
        sys.exit(0)


if __name__ == "__main__":
    main()
