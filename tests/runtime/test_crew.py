"""A crew computes what its owner has to compute, with as many helpers as come, and without them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from exmc_actors.runtime.crew import Crew

LONG = 30.0


def test_without_helpers_the_owner_computes_everything():
    crew = Crew(2)
    here = threading.get_ident()
    assert crew.compute([threading.get_ident] * 3) == [here] * 3
    assert crew.compute([partial(pow, 2, k) for k in range(5)]) == [1, 2, 4, 8, 16]


def test_helpers_compute_beside_the_owner():
    crew, met = Crew(2), threading.Barrier(3)
    with ThreadPoolExecutor(2) as helpers:
        gone = [helpers.submit(crew.help) for _ in range(2)]
        for _ in range(3):  # whoever is alone waits for ever
            found = crew.compute([lambda: (met.wait(LONG), threading.get_ident())[1]] * 3)
            assert len(set(found)) == 3
            assert found[0] == threading.get_ident()
        crew.dismiss()
        assert [one.result(LONG) for one in gone] == [None, None]


def test_a_helper_that_comes_late_is_let_go_and_finds_nothing_to_compute():
    crew, computed = Crew(1), []
    crew.compute([partial(computed.append, k) for k in range(3)])
    crew.dismiss()
    crew.help()
    assert sorted(computed) == [0, 1, 2]


@pytest.mark.parametrize("helpers", [0, 1])
def test_what_a_job_raises_is_raised_when_all_have_ended(helpers):
    crew, ended = Crew(helpers), []

    def fail(name):
        raise FloatingPointError(name)

    jobs = [
        partial(ended.append, 0),
        partial(fail, "first"),
        partial(fail, "second"),
        partial(ended.append, 3),
    ]
    with ThreadPoolExecutor(1) as pool:
        for _ in range(helpers):
            pool.submit(crew.help)
        try:
            with pytest.raises(FloatingPointError, match="first"):
                crew.compute(jobs)
        finally:
            crew.dismiss()
    assert sorted(ended) == [0, 3]
