"""Real processes, however they end: what they were asked fails by name, and nothing of them is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from exmc_actors.runtime.processes.talk import Failed, Ready, encode_answer
from exmc_actors.runtime.processes.worker_process import COMMAND, WorkerDied, WorkerProcess
from exmc_actors.runtime.processes.workers import open_workers
from exmc_actors.wire.frames import MARK, framed

READY = framed(encode_answer(Ready(True, "cpu:0")))
LARGEST = 1000


def script(*lines):
    """Return the command of a worker that is ready at once, and then does something without JAX."""
    begin = f"import os, signal, sys, time; os.read(0, 100); os.write(1, {READY!r})"
    return [sys.executable, "-c", "; ".join((begin, *lines))]


def is_there(pid):
    """Whether the operating system knows a process, a zombie too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_the_end_of(pid):
    """Wait for a child to end, and leave it to others to take notice: a signal takes its time."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def is_folder(path):
    return Path(path).is_dir()


def asked(*lines, count=1):
    """Ask a worker that does something, and return what is said of it, and the numbers of all there were."""
    pids = []

    async def main():
        async with open_workers(b"head", LARGEST, script(*lines)) as workers:
            assert (await workers.begin(count)).is_folded
            pids.extend(workers.pids)
            async with workers.one() as worker:
                return await worker.ask(b"x" * 50)

    with pytest.raises(WorkerDied) as died:
        trio.run(main)
    return str(died.value), pids


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_worker_that_a_signal_ends_is_named_by_it(name):
    told, pids = asked("os.read(0, 1)", f"os.kill(os.getpid(), signal.{name})")
    assert told.startswith(f"a worker process was ended by {name}")
    assert not any(map(is_there, pids))


def test_a_worker_that_exits_is_named_by_its_status():
    told, _ = asked("os.read(0, 1)", "os._exit(3)")
    assert told == "a worker process ended by itself, with status 3"


def test_a_worker_that_closes_its_pipe_and_stays_is_ended():
    told, pids = asked("os.read(0, 1)", "os.close(1)", "time.sleep(100)")
    assert told == "a worker process closed its pipe"
    assert not any(map(is_there, pids))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"Hello, world, this is no frame", "bytes that are no frame"),
        (framed(b"a" * (LARGEST + 1)), f"a frame of {LARGEST + 1} bytes, where {LARGEST} are the most"),
        (framed(b"answer")[:-1] + b"R", "a frame whose checksum is another one"),
        (MARK + b"\xff" * 12, "bytes that are no frame"),
    ],
    ids=["text", "too large", "damaged", "a wrong header"],
)
def test_an_answer_that_is_no_frame_is_named_and_its_worker_ended(answer, told):
    said, pids = asked("os.read(0, 1)", f"os.write(1, {answer!r})", "time.sleep(100)")
    assert said == f"a worker process answered with {told}"
    assert not any(map(is_there, pids))


def test_a_worker_in_the_midst_of_a_block_is_killed_at_once_when_it_is_cancelled():
    async def main():
        async with open_workers(b"head", LARGEST, script("time.sleep(100)")) as workers:
            await workers.begin(1)
            (pid,) = workers.pids
            with trio.move_on_after(0.05):
                async with workers.one() as worker:
                    await worker.ask(b"request")
            assert not is_there(pid)
            assert workers.pids == ()

    trio.run(main)


def test_leaving_ends_workers_that_idle_and_workers_that_still_start():
    pids = []

    async def main():
        async with open_workers(b"head", LARGEST, script("time.sleep(100)")) as workers:
            await workers.begin(3)
            pids.extend(workers.pids)
            assert all(map(is_there, pids))

    trio.run(main)
    assert len(pids) == 3
    assert not any(map(is_there, pids))


def test_a_worker_that_died_while_it_idled_is_replaced():
    async def main():
        async with open_workers(b"head", LARGEST, script("time.sleep(100)")) as workers:
            await workers.begin(1)
            (first,) = workers.pids
            os.kill(first, signal.SIGKILL)
            wait_for_the_end_of(first)
            async with workers.one() as worker:
                second = worker.pid
            return first, second, workers.pids

    first, second, left = trio.run(main)
    assert second != first
    assert left == (second,)


def test_a_worker_that_cannot_compile_is_named():
    answer = framed(encode_answer(Failed("MemoryError", "too large")))
    command = [sys.executable, "-c", f"import os; os.read(0, 100); os.write(1, {answer!r}); os.read(0, 1)"]

    async def main():
        async with open_workers(b"head", LARGEST, command) as workers:
            await workers.begin(1)

    with pytest.raises(WorkerDied, match="could not compile the model: MemoryError: too large"):
        trio.run(main)


def test_a_program_that_cannot_be_started_is_named():
    async def main():
        async with open_workers(b"head", LARGEST, ["/no/such/program"]) as workers:
            await workers.begin(1)

    with pytest.raises(WorkerDied, match="a worker process cannot be started: No such file"):
        trio.run(main)


def test_workers_share_a_folder_for_what_they_compile_which_is_gone_afterwards(monkeypatch):
    monkeypatch.delenv("EXMC_CACHE_DIR", raising=False)
    answer = "encoded = os.environ['EXMC_CACHE_DIR'].encode()"
    frame = (
        "import struct, zlib; n = len(encoded); h = b'\\xe5mcf' + struct.pack('<II', n, zlib.crc32(encoded))"
    )
    write = "os.write(1, h + struct.pack('<I', zlib.crc32(h)) + encoded)"

    async def main():
        command = script("os.read(0, 1)", answer, frame, write, "os.read(0, 1000)", "os.read(0, 1)")
        async with open_workers(b"head", LARGEST, command) as workers:
            await workers.begin(1)
            async with workers.one() as worker:
                folder = (await worker.ask(b"x")).decode()
            assert is_folder(folder)
            return folder

    assert not is_folder(trio.run(main))


def test_a_worker_ends_when_its_input_closes_though_it_is_still_importing():
    worker = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.communicate(timeout=60) == (b"", None)
    assert worker.returncode == 0


def test_a_worker_ends_when_its_input_closes_though_it_is_in_the_midst_of_a_block():
    code = """if True:
        import sys, types
        def endless(*_):
            while True:
                pass
        sys.modules["exmc_actors.compiler"] = types.SimpleNamespace(compile=None)
        sys.modules["exmc_actors.model"] = types.SimpleNamespace(Model=None)
        sys.modules["exmc_actors.runtime"] = types.ModuleType("runtime")
        sys.modules["exmc_actors.runtime.processes"] = types.ModuleType("processes")
        sys.modules["exmc_actors.runtime.processes.answering"] = types.SimpleNamespace(answer_all=endless)
        from exmc_actors.worker_main import main
        main()
    """
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.communicate(b"a request", timeout=60) == (b"", None)
    assert worker.returncode == 0


def test_what_is_printed_in_a_worker_is_no_answer():
    code = """if True:
        import os, sys
        from exmc_actors.worker_main import _claimed
        requests, answers = _claimed()
        print("printed", flush=True)
        os.write(1, b" by native code")
        os.write(answers, os.read(requests, 100).upper())
        assert sys.stdin.read() == ""
    """
    done = subprocess.run([sys.executable, "-c", code], input=b"answer", capture_output=True, check=True)
    assert done.stdout == b"ANSWER"
    assert done.stderr == b"printed\n by native code"


def test_a_worker_finds_its_modules_where_this_process_does(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    async def main():
        command = [sys.executable, "-P", "-c", "import only_here, exmc_actors, os; os._exit(42)"]
        worker = await WorkerProcess.spawn(LARGEST, {}, command)
        try:
            await worker.ask(b"x")
        finally:
            await worker.end()

    with pytest.raises(WorkerDied, match="status 42"):
        trio.run(main)
