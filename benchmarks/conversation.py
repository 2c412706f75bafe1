"""Start a worker process, ask it, and give up on it when its time is over."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import ENVIRONMENT

WORKER = Path(__file__).with_name("sampling_worker.py")
COMPILED = ("pymc", "nutpie")
"""Peers that keep compiled code on disk from one process to the next."""


class Failed(Exception):
    """The worker cannot answer; the message says why, for a table."""


class Conversation:
    """One peer with one problem in a process of its own."""

    def __init__(self, peer, problem, caches, log):
        self._folder = caches.copy_for(peer)
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), peer, problem],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment(peer, self._folder),
            start_new_session=True,
        )
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._process.stdout, selectors.EVENT_READ)

    def ask(self, limit, **request):
        """Return the answer to a request.

        Raises:
          Failed: the worker says why, or died, or took longer than ``limit`` seconds.
        """
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed("the process died") from None
        line, ends = b"", time.monotonic() + limit
        while not line.endswith(b"\n"):
            if not self._ready.select(max(0.0, ends - time.monotonic())):
                raise Failed(f"over {limit:g} s")
            part = os.read(self._process.stdout.fileno(), 1 << 16)
            if not part:
                raise Failed("the process died")
            line += part
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def close(self):
        """End the process and all that it started."""
        self._ready.close()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Caches:
    """What PyTensor keeps on disk, as it is on a machine where it has been used, but not with this problem.

    Each process gets a copy: it finds what the library compiles once after it was installed, and nothing that
    an earlier process compiled for the same model.
    """

    def __init__(self):
        self._root = Path(tempfile.mkdtemp(prefix="exmc-bench-"))
        self._used = {}

    def use_once(self, peer, problem, limit, log):
        """Sample another problem, so that what every model needs has been compiled."""
        if peer not in COMPILED or peer in self._used:
            return
        folder = self._root / peer
        folder.mkdir()
        self._used[peer] = None
        with Conversation(peer, problem, self, log) as worker:
            worker.ask(limit, do="cold", draws=10, seed=0)
            shutil.copytree(worker._folder, folder, dirs_exist_ok=True)
        self._used[peer] = folder

    def copy_for(self, peer):
        """Return a folder for one process, or None for a peer that keeps nothing."""
        if peer not in COMPILED:
            return None
        folder = Path(tempfile.mkdtemp(dir=self._root))
        if self._used.get(peer):
            shutil.copytree(self._used[peer], folder, dirs_exist_ok=True)
        return folder

    def close(self):
        """Remove all of it."""
        shutil.rmtree(self._root, ignore_errors=True)


def environment(peer, folder):
    """Return the environment of a worker."""
    own = os.environ | ENVIRONMENT.get(peer, {})
    if folder is None:
        return own
    flags = f"{os.environ.get('PYTENSOR_FLAGS', '')},base_compiledir={folder}".lstrip(",")
    return own | {"PYTENSOR_FLAGS": flags, "NUMBA_CACHE_DIR": str(folder / "numba")}
