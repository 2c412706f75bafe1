"""Be one peer with one problem, in a process that holds no other; requests and answers are JSON lines.

``density``  the log density at 200 random points
``cold``     build the model, compile, and make the first call; imports left out
``warm``     make a call again
``whole``    all of it and a summary, in a process of which this is all

``sampling.py`` starts it and keeps the time limits: python benchmarks/sampling_worker.py ours simple
"""

import importlib
import json
import os
import sys
import time
import zlib
from importlib.metadata import version

from problems import Problem

POINTS = 200


class Worker:
    """The peer, from the first request that needs it."""

    def __init__(self, name, problem):
        self._name, self._problem = name, Problem(problem)
        self._module, self._peer = None, None

    def density(self):
        """Return the log density at points that are the same for every peer."""
        peer = self._made()
        layout = {name: [int(size) for size in shape] for name, shape in sorted(peer.layout.items())}
        points = [_point(layout, k) for k in range(POINTS)]
        return {"layout": layout, "values": [peer.log_density(point) for point in points]}

    def cold(self, draws, seed):
        """Return the time of building, compiling and sampling, and what the libraries are."""
        self._imported()
        began = time.perf_counter()
        self._made().sample(draws, seed)
        seconds = time.perf_counter() - began
        return {
            "seconds": seconds,
            "peak_mib": _peak_mib(),
            "versions": {name: version(name) for name in self._module.DISTRIBUTIONS},
        }

    def warm(self, draws, seed):
        """Return time, effective draws, gradients and moments of one call."""
        began = time.perf_counter()
        sample = self._made().sample(draws, seed)
        seconds = time.perf_counter() - began
        return {
            "seconds": sample.seconds or seconds,
            "diverging": sample.diverging,
            "gradients": sample.gradients(),
            **self._summary(sample.values),
        }

    def whole(self, draws, seed):
        """Return the length of the summary, for it to have been made."""
        peer = self._made()
        return {"characters": len(peer.summary(peer.sample(draws, seed)))}

    def _summary(self, values):
        from summaries import summarise

        return summarise({name: values[name] for name in self._peer.layout})

    def _imported(self):
        self._module = self._module or importlib.import_module(f"peers.{self._name}")
        self._problem.reference  # noqa: B018 - reads the data, which is not what is timed
        return self._module

    def _made(self):
        self._peer = self._peer or self._imported().Peer(self._problem)
        return self._peer


def _point(layout, k):
    """Return unconstrained values between -1 and 1, the same by name for every peer."""
    import numpy as np

    return {
        name: np.random.default_rng([k, zlib.crc32(name.encode())]).uniform(-1.0, 1.0, shape)
        for name, shape in layout.items()
    }


def _peak_mib():
    """Return the most memory that this process has held, or a child of it, whichever is more."""
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / unit


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    worker = Worker(*sys.argv[1:3])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the table says so
            text = str(error).strip().splitlines()
            answer = {"error": f"{type(error).__name__}: {text[0] if text else ''}"[:200]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
