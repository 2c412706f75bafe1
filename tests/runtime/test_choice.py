"""A subscriber sees the chains, variables and draws that it chose; the rest counts for nothing."""

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.messages import DROP_OLDEST, WAIT, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import Feed, Log, Settings, inline
from exmc_actors.runtime.history import History
from tests.runtime.conftest import SETTINGS, commit, observe, read, schools, virtual


def messages_of(options):
    async def main():
        seen = []

        async def listen(run):
            async with run.subscribe(from_start=True, **options) as feed:
                seen.extend([message async for message in feed])

        await observe(listen)
        return seen

    return virtual(main)


@pytest.mark.parametrize("chains", [1, [0, 2], (), {2}, np.int64(1), np.array([0, 2])])
def test_a_subscriber_may_hear_of_some_chains_only(chains):
    def told(messages):
        """Return what each chain tells, in order; who tells first is another thing in every run."""
        in_order = sorted(messages, key=lambda one: one.chain)
        return [(type(one), one.chain, getattr(one, "first", None)) for one in in_order]

    wanted = set(np.atleast_1d(list(chains) if isinstance(chains, set) else chains).tolist())
    every = messages_of({"overflow": WAIT})
    some = messages_of({"overflow": WAIT, "chains": chains})
    assert told(some) == told([one for one in every if one.chain in wanted])


@pytest.mark.parametrize("thin", [1, 3, 10, 1000])
def test_a_subscriber_may_see_some_variables_of_every_so_many_draws(thin):
    def by_place(step, **options):
        found = {}
        for message in messages_of({"overflow": WAIT, "chains": 1, **options}):
            if isinstance(message, DrawBlock):
                for at in range(len(message)):
                    place = message.phase, message.first + at * step
                    found[place] = message.draws["theta"][at].tobytes(), float(message.stats["lp"][at])
                assert not options or set(message.draws) == {"theta"}
        return found

    whole = by_place(1)
    thinned = by_place(thin, var_names="theta", thin=thin)
    assert thinned == {place: what for place, what in whole.items() if place[1] % thin == 0}


def test_only_what_was_chosen_counts_for_what_waits_and_is_dropped():
    feed = Feed(Log(Settings(draws=1000, tune=0, chains=2)))

    async def main():
        async with (
            feed.subscribe(overflow=WAIT, capacity=2, chains=0) as patient,
            feed.subscribe(capacity=2, chains=0) as hasty,
        ):
            commit(feed, 10, chain=1)
            assert not patient.holds_back
            commit(feed, 5, chain=0)
            commit(feed, 10, chain=1)
            assert patient.holds_back
            assert (hasty.statistics().waiting, hasty.statistics().dropped) == (2, 3)
            assert await read(hasty, 2) == [3, 4]
            assert await read(patient, 4) == [0, 1, 2, 3]
            assert not patient.holds_back

    virtual(main)


@pytest.mark.parametrize(
    ("options", "seen"),
    [({"chains": 1}, []), ({"thin": 100}, [0, 100, 200]), ({"thin": 10**30}, [0]), ({}, list(range(300)))],
)
def test_each_subscriber_looks_at_a_message_once_however_often_it_is_asked(feed, monkeypatch, options, seen):
    looked_at = []
    one, several = History.position, History.positions
    monkeypatch.setattr(History, "position", lambda history, at: looked_at.append(at) or one(history, at))

    def positions(history, begin=0):
        looked_at.extend(range(begin, len(history)))
        return several(history, begin)

    monkeypatch.setattr(History, "positions", positions)
    feed.log.add_chain()

    async def main():
        async with (
            feed.subscribe(overflow=WAIT, capacity=10**4, **options) as patient,
            feed.subscribe(overflow=DROP_OLDEST, capacity=1, **options) as hasty,
        ):
            for _ in range(300):
                commit(feed, 1)
                await feed.wait_for_room()
                patient.statistics(), hasty.statistics()
            feed.close()
            assert [message.first async for message in patient] == seen
            assert [message.first async for message in hasty] == seen[-1:]

    virtual(main)
    assert len(looked_at) <= 2 * 300


@pytest.mark.parametrize("overflow", [ex.LATEST, DROP_OLDEST, WAIT])
def test_blocks_without_a_draw_that_was_asked_for_count_for_nothing(feed, overflow):
    async def main():
        async with feed.subscribe(overflow=overflow, capacity=2, thin=10) as subscription:
            commit(feed, 19)
            assert subscription.holds_back == (overflow is WAIT)
            statistics = subscription.statistics()
            latest = overflow is ex.LATEST
            assert (statistics.waiting, statistics.dropped) == ((1, 1) if latest else (2, 0))
            assert await read(subscription, 1 if latest else 2) == ([10] if latest else [0, 10])
            assert not subscription.holds_back

    virtual(main)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"chains": 3}, "this run has no chain 3: give numbers from 0 to 2"),
        ({"chains": np.array(1)}, r"this run has no chain array\(1\): give numbers from 0 to 2"),
        ({"chains": [0, -1]}, "no chain -1"),
        ({"chains": [True]}, "no chain True"),
        ({"chains": 1.0}, "no chain 1.0"),
        ({"var_names": ["mu", "tehta"]}, "there is no 'tehta' in this run: give of mu, tau, theta"),
        ({"var_names": 3}, "var_names must be a name, a list of names, or None, got 3"),
        ({"from_start": "yes"}, "from_start must be True or False, got 'yes'"),
        ({"thin": 0}, "thin must be a positive integer, got 0"),
        ({"thin": 2.0}, "thin must be a positive integer, got 2.0"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(options, sentence):
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline) as run, run.subscribe(**options):
            pass

    with pytest.raises(ex.SettingsError, match=sentence):
        virtual(main)
