"""Sample every problem with every peer, by one protocol and in one run; print tables and write JSON lines.

Peers: this library, nutpie (numba), NumPyro, BlackJAX, PyMC; the choices made for each stand in ``peers``.
Fixed for all are four chains, the draws (4 x 1,000 and 4 x 10,000), the seeds and two processor cores;
everything else is each peer's default.

- Each peer has a process of its own for each problem and length, so that its flags, threads and caches touch
  no other.  Once every process has made its first call, the peers take turns, seed by seed, in another order
  each time (``turns.py``).
- Before anything is timed, the log densities agree with ours at 200 random points, to 1e-9 up to a constant.
- ``cold`` is from the finished imports to the first result: building, compiling, sampling.  ``warm`` is a
  later call, with nothing left to compile.  ``--whole`` measures instead from starting a process to a
  summary.
- Effective draws are ArviZ's smallest bulk ESS over all free variables.  Gradients include warmup's.
- A cell counts if R-hat is below 1.01 (1.03 under 10,000 draws) and under 1 % of the draws diverge for every
  seed, and the means, all seeds together, are within four standard errors of a long reference; otherwise it
  says why not.  The reference is a long run of nutpie (``reference.py``), or posteriordb's.
- Memory is the most that the process, or any one of its children, has held up to the end of its first call.

Run it with ``make bench``; ``--quick`` sees that everything runs, and measures nothing.
"""

import argparse
import json
import os
import platform
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from conversation import Caches, Conversation, Failed
from peers import AS_CALLED, CHAINS, CORES, NAMES
from problems import PRIMER, Problem, names
from report import print_report
from turns import turns
from verdicts import disagreement, faults, spread


class Bench:
    """One run of the harness."""

    def __init__(self, options, out, log):
        self._options, self._out, self._log = options, out, log
        self._caches = Caches()
        self.records = []

    def run(self):
        """Measure what was asked for."""
        self._write(kind="machine", **machine())
        try:
            for peer in self._options.peers:
                with suppress(Failed):  # the cells will say so
                    self._caches.use_once(peer, PRIMER, self._options.limit, self._log)
            for problem in self._options.models:
                if self._options.whole:
                    self._measure_whole(problem)
                    continue
                refused = self._check_densities(problem)
                for draws in self._options.draws:
                    self._measure(problem, draws, refused)
        finally:
            self._caches.close()

    def _check_densities(self, problem):
        """Return why peers must not be timed, by peer."""
        found, refused = {}, {}
        for peer in dict.fromkeys(["ours", *self._options.peers]):
            with self._conversation(peer, problem) as worker:
                try:
                    found[peer] = worker.ask(self._options.limit, do="density")
                except Failed as failure:
                    refused[peer] = f"log density: {failure}"
        for peer, one in found.items():
            if "ours" not in found:
                refused[peer] = "log density: ours failed"
            elif one["layout"] != found["ours"]["layout"]:
                refused[peer] = f"other variables: {one['layout']}"
            elif reason := disagreement(found["ours"]["values"], one["values"]):
                refused[peer] = reason
        return refused

    def _measure(self, problem, draws, refused):
        """Make the cells of all peers for one problem and length."""
        cells = {peer: Cell(peer, problem, draws) for peer in self._options.peers}
        with ExitStack() as stack:
            workers = {}
            for peer, cell in cells.items():
                if peer in refused:
                    cell.fail(refused[peer])
                    continue
                workers[peer] = stack.enter_context(self._conversation(peer, problem))
                cell.ask(workers[peer], self._options.limit, do="cold", seed=0)
            for seed in range(1, self._options.seeds + 1):
                for peer in turns(list(workers), seed):
                    if record := cells[peer].ask(workers[peer], self._options.limit, do="warm", seed=seed):
                        self._write(kind="run", **record)
        for cell in cells.values():
            self._write(kind="cell", **cell.summary(Problem(problem).reference))

    def _measure_whole(self, problem):
        """Time fresh processes, in turn."""
        seconds, failures = {peer: [] for peer in self._options.peers}, {}
        for seed in range(1, self._options.seeds + 1):
            for peer in turns([one for one in self._options.peers if one not in failures], seed):
                began = time.perf_counter()
                with self._conversation(peer, problem) as worker:
                    try:
                        worker.ask(self._options.limit, do="whole", draws=self._options.draws[0], seed=seed)
                        seconds[peer].append(time.perf_counter() - began)
                    except Failed as failure:
                        failures[peer] = str(failure)
        for peer, found in seconds.items():
            self._write(
                kind="whole",
                peer=peer,
                problem=problem,
                draws=self._options.draws[0],
                seconds=spread(found) if found else None,
                why=failures.get(peer),
            )

    def _conversation(self, peer, problem):
        return Conversation(peer, problem, self._caches, self._log)

    def _write(self, **record):
        self.records.append(record)
        self._out.write(json.dumps(record) + "\n")
        self._out.flush()
        if record["kind"] != "run":
            print(json.dumps(record), flush=True)


class Cell:
    """One peer with one problem at one length: its calls, and what they come to."""

    def __init__(self, peer, problem, draws):
        self._names = {"peer": peer, "problem": problem, "draws": draws}
        self._cold, self._runs, self._failure = None, [], None

    def fail(self, reason):
        """Keep why there is nothing to show; the first reason stays."""
        self._failure = self._failure or reason

    def ask(self, worker, limit, **request):
        """Make a call and return its record; None after a failure, this one or an earlier."""
        if self._failure:
            return None
        try:
            answer = worker.ask(limit, draws=self._names["draws"], **request)
        except Failed as failure:
            self.fail(str(failure))
            worker.close()
            return None
        if request["do"] == "cold":
            self._cold = answer
            return None
        answer |= {
            "seed": request["seed"],
            "ess_per_second": answer["ess"] / answer["seconds"],
            "ess_per_1000_gradients": 1000 * answer["ess"] / answer["gradients"],
        }
        self._runs.append(answer)
        return self._names | answer

    def summary(self, reference):
        """Return the medians with the least and the largest, and whether they count."""
        reasons = [self._failure] if self._failure else faults(self._runs, self._names["draws"], reference)
        quantities = ("ess", "seconds", "ess_per_second", "gradients", "ess_per_1000_gradients")
        return self._names | {
            "counts": not reasons,
            "why": reasons,
            "seeds": len(self._runs),
            "cold_seconds": self._cold and self._cold["seconds"],
            "peak_mib": self._cold and self._cold["peak_mib"],
            "versions": self._cold and self._cold["versions"],
            **{name: spread([one[name] for one in self._runs]) for name in quantities if self._runs},
        }


def machine():
    """Return what it ran on."""
    processor = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        processor = next(models, processor)
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "cores_used": CORES,
        "chains": CHAINS,
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=names(), default=list(names()), metavar="NAME")
    parser.add_argument("--peers", nargs="+", choices=NAMES + AS_CALLED, default=list(NAMES))
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--draws", type=int, nargs="+", default=[1000, 10_000], help="a chain")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for one call")
    parser.add_argument("--whole", action="store_true", help="time processes, from start to summary")
    parser.add_argument("--quick", action="store_true", help="see that it runs: two problems, one seed")
    parser.add_argument("--out", type=Path, default=Path(".runs") / "sampling.jsonl")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.draws = 1, [1000]
        options.models = options.models if len(options.models) < 3 else ["simple", "eight_schools"]
    return options


def main():
    options = read_options(sys.argv[1:])
    if hasattr(os, "sched_setaffinity"):  # the workers inherit it, before their libraries count processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w") as out, options.out.with_suffix(".log").open("wb") as log:
        bench = Bench(options, out, log)
        try:
            bench.run()
        finally:
            print_report(bench.records)


if __name__ == "__main__":
    main()
