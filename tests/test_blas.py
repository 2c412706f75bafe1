import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import exmc_actors as ex
from exmc_actors.blas import must_wait, one_thread


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def two_threads():
    """Give linear algebra two threads, whatever this machine has."""
    with threadpool_limits(2, user_api="blas"):
        if set(threads()) != {2}:
            pytest.skip("this NumPy's linear algebra has no threads to set")
        yield


def test_one_thread_is_used_inside_and_as_many_as_before_afterwards(two_threads):
    with one_thread():
        assert set(threads()) == {1}
    assert set(threads()) == {2}


def test_the_threads_come_back_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert set(threads()) == {2}
    assert not must_wait()


def test_whoever_comes_second_waits_for_the_first():
    entered = threading.Event()

    def enter():
        with one_thread():
            entered.set()

    second = threading.Thread(target=enter)
    with one_thread():
        second.start()
        assert must_wait()
        assert not entered.is_set()
    second.join()
    assert entered.is_set()


IN_TWO_THREADS = """
import threading
import numpy
from threadpoolctl import threadpool_info
from exmc_actors.blas import one_thread

def inside():
    with one_thread():
        print(sorted({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}))

inside()
other = threading.Thread(target=inside)
other.start()
other.join()
inside()
"""


@pytest.mark.skipif(
    not threads(), reason="this NumPy's linear algebra, as macOS's own, has no threads to set"
)
def test_one_thread_is_used_whichever_of_the_process_asks_and_in_whatever_order():
    """Whoever sets it first, and does not let go, keeps it from all others: so does threadpoolctl."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    command = [sys.executable, "-c", IN_TWO_THREADS]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["[1]"] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")
@pytest.mark.skipif(set(threads()) == {1}, reason="this NumPy's linear algebra has one thread as it is")
def test_draws_do_not_depend_on_the_threads_of_linear_algebra():
    random = np.random.default_rng(3)
    dim = 300  # of 90 the bits are the same by either
    shape = random.normal(size=(dim, dim)) / np.sqrt(dim) + np.eye(dim)
    b = ex.Builder()
    x = b.rv("x", ex.Normal(0.0, 1.0), shape=dim)
    b.obs("y", ex.Normal(shape @ x, 0.1), random.normal(size=dim))
    program = ex.compile(b.model())

    def draws():
        return ex.sample(program, draws=1, chains=2, random_seed=1, progressbar=False).posterior["x"].values

    by_many = draws()
    with threadpool_limits(1, user_api="blas"):
        by_one = draws()
    np.testing.assert_array_equal(by_many, by_one)
