"""What chains learn together while they agree, and each by itself where they do not."""

import numpy as np
import pytest

from exmc_actors.warmup import Learner, Learnt, Schedule, follow, teach
from exmc_actors.warmup.estimation import learn, without_directions
from exmc_actors.warmup.lesson import agree
from exmc_actors.warmup.stiffness import log_step_size_changes

SCHEDULE = Schedule(150)


def window(seed, centre=0.0, n=40, dim=3):
    pairs = np.random.default_rng(seed).normal(size=(n, 2, dim))
    pairs[:, 0] += centre
    return pairs


def learners(*windows, log_step_size=0.5):
    metric = without_directions(np.ones(3), 4)
    return {chain: Learner(pairs, metric, log_step_size + chain) for chain, pairs in enumerate(windows)}


def test_chains_that_agree_share_one_metric_of_all_their_draws():
    windows = [window(0), window(1), window(2)]
    learnt = teach(SCHEDULE, 76, learners(*windows))
    expected = learn(np.concatenate(windows), without_directions(np.ones(3), 4), directions=True)
    assert list(learnt) == [0, 1, 2]
    for one in learnt.values():
        assert one.metric is learnt[0].metric
    np.testing.assert_array_equal(learnt[0].metric.scale, expected.scale)


@pytest.mark.parametrize("lesson", [10, 24, 84])
def test_step_sizes_stay_what_they_are_in_the_posterior(lesson):
    """A metric of half the scale, or a thousandth, has a step size twice as large, or ten times."""
    given = {
        chain: Learner(window(chain, n=400), without_directions(np.full(3, scale), 4), 0.25)
        for chain, scale in enumerate([2.0, 1.0, 0.5, 1e-3])
    }
    learnt = teach(SCHEDULE, lesson, given)
    changes = [np.exp(one.log_step_size - 0.25) for one in learnt.values()]
    assert changes[:3] == pytest.approx([2.0, 1.0, 0.5], rel=0.15)
    assert changes[1] / changes[2] == pytest.approx(2.0, rel=1e-12)
    assert changes[3] == pytest.approx(0.1, rel=1e-12)


def test_chains_in_different_modes_learn_each_by_itself():
    windows = [window(0), window(1, centre=20.0), window(2)]
    learnt = teach(SCHEDULE, 76, learners(*windows))
    for chain, pairs in enumerate(windows):
        alone = learn(pairs, without_directions(np.ones(3), 4), directions=True)
        np.testing.assert_array_equal(learnt[chain].metric.scale, alone.scale)


def test_early_lessons_are_for_all_because_chains_come_from_far_apart():
    learnt = teach(SCHEDULE, 16, learners(window(0, n=8), window(1, centre=20.0, n=8)))
    assert learnt[0].metric is learnt[1].metric


@pytest.mark.parametrize(("centre", "expected"), [(0.0, True), (2.0, True), (6.0, False)])
def test_agreement_is_about_the_means_in_units_of_the_spread(centre, expected):
    assert agree([window(0), window(1), window(2, centre), window(3, centre)]) is expected


def test_one_chain_agrees_and_so_does_one_that_has_not_moved():
    assert agree([window(0)])
    assert agree([window(0), window(1)[:0], window(2)[:1]])
    assert agree([])


def descent(seed, force=50.0):
    """Return the window of a chain that is pushed to 0 from afar."""
    pairs = window(seed, centre=100.0)
    pairs[:, 1] = -force
    return pairs


def test_at_the_last_lesson_about_it_a_chain_on_its_way_takes_the_metric_of_those_that_have_arrived():
    given = learners(window(0), descent(1), window(2))
    without = teach(SCHEDULE, 125, {chain: given[chain] for chain in (0, 2)})
    learnt = teach(SCHEDULE, 125, given)
    assert [learnt[chain].log_step_size for chain in (0, 2)] == [
        without[chain].log_step_size for chain in (0, 2)
    ]
    assert learnt[1].log_step_size == pytest.approx(
        np.mean([without[0].log_step_size, without[2].log_step_size])
    )
    for one in learnt.values():
        np.testing.assert_array_equal(one.metric.scale, without[0].metric.scale)


def test_before_it_all_learn_by_themselves_where_one_is_far_behind():
    given = learners(window(0), descent(1), window(2))
    for chain, one in teach(SCHEDULE, 84, given).items():
        (alone,) = teach(SCHEDULE, 84, {chain: given[chain]}).values()
        np.testing.assert_array_equal(one.metric.scale, alone.metric.scale)


def test_where_those_that_have_arrived_do_not_agree_it_learns_by_itself():
    given = learners(window(0), descent(1), window(2, centre=-60.0))
    for chain, one in teach(SCHEDULE, 125, given).items():
        (alone,) = teach(SCHEDULE, 125, {chain: given[chain]}).values()
        np.testing.assert_array_equal(one.metric.scale, alone.metric.scale)


def test_a_chain_on_its_way_keeps_its_own_last_step_size_and_the_others_share_theirs():
    learnt = teach(SCHEDULE, 150, learners(window(0), window(1), descent(2)))
    assert [one.log_step_size for one in learnt.values()] == [1.0, 1.0, 2.5]


def test_the_last_lesson_is_the_mean_of_the_log_step_sizes_and_leaves_the_metric():
    given = learners(window(0), window(1), window(2))
    learnt = teach(SCHEDULE, 150, given)
    assert [one.log_step_size for one in learnt.values()] == [1.5, 1.5, 1.5]
    assert all(learnt[chain].metric is given[chain].metric for chain in given)
    apart = teach(SCHEDULE, 150, learners(window(0), window(1, centre=20.0)))
    assert [one.log_step_size for one in apart.values()] == [0.5, 1.5]


def test_a_step_size_that_would_make_trajectories_double_once_too_often_is_moved():
    learnt = teach(SCHEDULE, 150, learners(window(0), window(1), log_step_size=np.log(0.9) - 0.5))
    assert [np.exp(one.log_step_size) for one in learnt.values()] == pytest.approx([1.06, 1.06])


def test_a_chain_alone_learns_from_its_own_draws():
    (learnt,) = teach(SCHEDULE, 52, learners(window(5))).values()
    np.testing.assert_array_equal(
        learnt.metric.scale, learn(window(5), without_directions(np.ones(3), 4), directions=True).scale
    )


def one_more(seed=9, log_step_size=0.1):
    return Learner(window(seed), without_directions(np.full(3, 2.0), 4), log_step_size)


def test_a_chain_that_follows_takes_what_the_others_took_together_with_its_own_step_size():
    learnt = teach(SCHEDULE, 76, learners(window(0), window(1)))
    newcomer = one_more()
    found = follow(SCHEDULE, 76, learnt, newcomer)
    assert found.metric is learnt[0].metric
    (change,) = log_step_size_changes([newcomer.metric], found.metric, newcomer.pairs[:, 1])
    assert found.log_step_size == newcomer.log_step_size + change
    assert change == pytest.approx(np.log(2.0), abs=0.3)


def test_a_chain_that_follows_takes_the_last_step_size_of_the_others_and_keeps_its_metric():
    learnt = teach(SCHEDULE, 150, learners(window(0), window(1)))
    newcomer = one_more()
    assert follow(SCHEDULE, 150, learnt, newcomer) == Learnt(newcomer.metric, learnt[0].log_step_size)


def test_a_chain_that_follows_takes_what_most_took_though_one_of_them_was_behind():
    learnt = teach(SCHEDULE, 150, learners(descent(2), window(0), window(1)))
    assert [one.log_step_size for one in learnt.values()] == [0.5, 2.0, 2.0]
    assert follow(SCHEDULE, 150, learnt, one_more()).log_step_size == 2.0


def test_a_chain_that_follows_forgets_its_way_as_the_others_do():
    newcomer = one_more()
    late = Learner(np.concatenate([descent(2)[:15], newcomer.pairs]), newcomer.metric, newcomer.log_step_size)
    learnt = teach(SCHEDULE, 84, learners(window(0), window(1)))
    assert follow(SCHEDULE, 84, learnt, late) == follow(SCHEDULE, 84, learnt, newcomer)


@pytest.mark.parametrize("lesson", [76, 150])
def test_a_chain_that_follows_learns_by_itself_where_the_others_did_or_where_none_has_come(lesson):
    newcomer = one_more()
    (alone,) = teach(SCHEDULE, lesson, {7: newcomer}).values()
    apart = teach(SCHEDULE, lesson, learners(window(0), window(1, centre=20.0), log_step_size=-2.0))
    for learnt in (apart, {}):
        found = follow(SCHEDULE, lesson, learnt, newcomer)
        assert found.log_step_size == alone.log_step_size
        np.testing.assert_array_equal(found.metric.scale, alone.metric.scale)
    assert teach(SCHEDULE, lesson, {}) == {}
