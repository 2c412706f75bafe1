"""The metrics are in Prometheus' text format, whatever a label says, and are given like everything else."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.messages import (
    DROP_OLDEST,
    WAIT,
    ChainStatistics,
    RunStatistics,
    SubscriptionStatistics,
)
from exmc_actors.views.dashboard import metrics
from tests.remote.conftest import Made
from tests.views.dashboard.conftest import TOKEN, block, run

SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.e+-]+)")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def parsed(text):
    """Read the format as its documentation says; return the values by name and labels."""
    assert text.endswith("\n")
    found, kinds = {}, {}
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            assert kind in ("counter", "gauge")
            kinds[name] = kind
            continue
        name, inside, value = SAMPLE.fullmatch(line).groups()
        assert name in kinds
        assert name.endswith("_total") == (kinds[name] == "counter")
        labels, at = {}, 0
        while at < len(inside or ""):
            match = LABEL.match(inside, at)
            labels[match[1]] = re.sub(r"\\.", lambda one: UNESCAPED[one[0]], match[2])
            at = match.end()
        found[(name, *sorted(labels.items()))] = float(value)
    return found


def chain(number, **given):
    usual = {
        "status": "running",
        "phase": "sample",
        "index": 120,
        "step_size": 0.5,
        "divergences": 3,
        "restarts": 1,
        "steps": 4000,
        "draws_per_second": 99.5,
    }
    return ChainStatistics(chain=number, **usual | given)


def test_every_number_is_there_by_chain_and_by_kind_of_subscriber():
    subscriptions = (
        SubscriptionStatistics(DROP_OLDEST, 64, 5, 10, 7),
        SubscriptionStatistics(DROP_OLDEST, 64, 1, 10, 2),
        SubscriptionStatistics(WAIT, 64, 4, 10, 0),
    )
    warming = chain(1, phase="warmup", index=30, status="failed", step_size=math.nan, stalled=12.0)
    found = parsed(metrics.text(RunStatistics((chain(0), warming), subscriptions, 7.5), tune=50, run="abc"))

    def of(name, **labels):
        return found[(f"exmc_{name}", *sorted(labels.items()))]

    assert of("run_info", run="abc") == 1
    assert of("run_elapsed_seconds") == 7.5
    assert of("run_paused", reason="") == 0
    assert [of("chain_draws_total", chain=c) for c in "01"] == [120, 0]
    assert [of("chain_warmup_draws_total", chain=c) for c in "01"] == [50, 30]
    assert of("chain_divergences_total", chain="0") == 3
    assert of("chain_restarts_total", chain="0") == 1
    assert of("chain_gradients_total", chain="0") == 4000
    assert of("chain_draws_per_second", chain="0") == 99.5
    assert math.isnan(of("chain_step_size", chain="1"))
    assert [of("chain_stalled_seconds", chain=c) for c in "01"] == [0, 12]
    assert [of("chain_status", chain=c, status="running") for c in "01"] == [1, 0]
    assert of("chain_status", chain="1", status="failed") == 1
    assert of("subscribers", overflow="drop_oldest") == 2
    assert of("subscribers_waiting_messages", overflow="drop_oldest") == 6
    assert of("subscribers_dropped_messages", overflow="drop_oldest") == 9
    assert of("subscribers", overflow="latest") == 0


@settings(max_examples=60)
@given(
    st.text(max_size=20) | st.sampled_from(['"} 1\nx 2', "\\", '\\"', "\\n", "\r\n", "\u2028"]), st.floats()
)
def test_a_label_stays_a_label_whatever_it_says(reason, elapsed):
    found = parsed(metrics.text(RunStatistics((), (), elapsed, reason), tune=0, run="abc"))
    readable = reason.encode(errors="replace").decode()
    assert found[("exmc_run_paused", ("reason", readable))] == 1
    value = found[("exmc_run_elapsed_seconds",)]
    assert value == elapsed or (math.isnan(value) and math.isnan(elapsed))


@pytest.mark.parametrize("path", ["metrics", "feed"])
def test_programs_get_no_more_than_pages_do(path):
    import httpx

    async def main():
        made = Made()
        made.say(block(0, 0, 5))
        made.feed.close()
        async with made.served(token=TOKEN) as url, httpx.AsyncClient() as client:
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            url = url.partition("#")[0] + path
            assert (await client.get(url)).status_code == 401
            assert (await client.get(url, headers=bearer | {"Host": "evil.example"})).status_code == 421
            assert (
                await client.get(url, headers=bearer | {"Origin": "http://evil.example"})
            ).status_code == 403
            assert (
                await client.get(url, headers=bearer | {"Sec-Fetch-Site": "cross-site"})
            ).status_code == 403
            assert (await client.post(url, headers=bearer)).status_code == 405
            answer = await client.get(url, headers=bearer)
            assert answer.status_code == 200
            if path == "metrics":
                assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
                assert parsed(answer.text)[("exmc_run_info", ("run", made.log.identity))] == 1

    run(main)
