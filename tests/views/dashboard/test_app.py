"""Who may ask gets files, events and control, so many and so often; whoever may not gets one sentence."""

import hashlib
from importlib.resources import files

import pytest

from exmc_actors.views.dashboard import app
from exmc_actors.views.dashboard.gate import Bucket
from tests.views.dashboard.clients import following, there_is_room
from tests.views.dashboard.conftest import TOKEN, Hand, run, served

# dist/uPlot.iife.min.js and dist/uPlot.min.css of uPlot 1.6.32, as npm has it.
VENDORED = {
    "uplot.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uplot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def test_the_page_and_its_files_are_served_with_headers_that_guard_them():
    async def main():
        async with served() as (_, _, client):
            for path in app._FILES:
                answer = await client.get(path)
                assert answer.status_code == 200
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
            page = (await client.get("/")).text
            assert "http://" not in page
            assert "https://" not in page  # nothing is asked of anybody else
            assert "style=" not in page

    run(main)


@pytest.mark.parametrize("name", VENDORED)
def test_what_is_vendored_is_what_was_published(name):
    data = (files("exmc_actors.views.dashboard") / "page" / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == VENDORED[name]


def test_without_the_token_there_is_nothing_but_an_empty_page():
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for bearer in ("", "Bearer wrong-token-of-a-guest", f"Basic {TOKEN}", TOKEN):
                for method, path in (("GET", "/events"), ("POST", "/control/pause")):
                    answer = await client.request(method, path, headers={"Authorization": bearer})
                    assert answer.status_code == 401
                    assert answer.text == "a token is needed: open the whole address that the server told."
            assert (await client.get("/", headers={"Authorization": ""})).status_code == 200
            assert hand.did == []

    run(main)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "evil.example", 421),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
    ],
)
def test_other_sites_get_nothing_even_with_the_token(header, value, status):
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for method, path in (("GET", "/events"), ("POST", "/control/abort")):
                answer = await client.request(method, path, headers={header: value})
                assert answer.status_code == status
                assert "access-control-allow-origin" not in answer.headers
            assert hand.did == []

    run(main)


def test_control_takes_the_token_a_post_and_a_run_that_allows_it():
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for name in ("pause", "resume", "kill/1", "abort"):
                assert (await client.get(f"/control/{name}")).status_code == 405
                assert (await client.post(f"/control/{name}")).status_code == 200
            assert hand.did == ["pause", "resume", "kill 1", "abort"]
            for name in ("kill/2", "kill/-1", "kill/x", "kill/99999999999", "explode", "", "pause/now"):
                assert (await client.post(f"/control/{name}")).status_code == 404
        async with served(token=TOKEN) as (_, _, client):
            answer = await client.post("/control/pause")
            assert answer.status_code == 403
            assert "control=True" in answer.text
        async with served(control=(free := Hand())) as (_, _, client):  # no token, no control
            assert (await client.post("/control/pause")).status_code == 403
            assert free.did == []

    run(main)


def test_methods_and_paths_that_mean_nothing_are_refused():
    async def main():
        async with served() as (_, _, client):
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"):
                for path in ("/", "/events"):
                    assert (await client.request(method, path)).status_code == 405
            for path in ("/nothing", "/page/app.js", "/%2e%2e/app.js", "/events/", "/app.py"):
                assert (await client.get(path)).status_code == 404
            assert (await client.get("/events?page=x")).text == "page is an integer from 0 to 1000000."

    run(main)


def test_no_more_than_so_many_pages_are_served(monkeypatch):
    monkeypatch.setattr(app, "MOST_STREAMS", 2)

    async def main():
        async with served() as (_, _, client), following(client) as one, following(client):
            await one.event()
            answer = await client.get("/events")
            assert (answer.status_code, answer.text) == (503, "2 pages are open already: close one.")
            assert (await client.get("/")).status_code == 200

    run(main)


def test_a_place_is_free_again_when_a_page_is_closed(monkeypatch):
    monkeypatch.setattr(app, "MOST_STREAMS", 1)

    async def main():
        async with served() as (_, _, client):
            for _ in range(3):
                async with following(client) as stream:
                    await stream.event()
                await there_is_room(client)

    run(main)


def test_too_many_requests_are_refused_for_a_while(monkeypatch):
    monkeypatch.setattr(app, "Bucket", lambda rate, most: Bucket(rate=0.0, most=3))  # that no clock fills

    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            statuses = [(await client.post("/control/pause")).status_code for _ in range(5)]
            assert statuses == [200, 200, 200, 429, 429]
            assert len(hand.did) == 3
        async with served(token=TOKEN) as (_, _, client):
            client.headers["Authorization"] = "Bearer guess"
            assert [(await client.get("/events")).status_code for _ in range(4)] == [401, 401, 401, 429]

    run(main)


def test_nobody_uses_up_the_requests_of_those_who_have_the_token(monkeypatch):
    monkeypatch.setattr(app, "Bucket", lambda rate, most: Bucket(rate=0.0, most=3))  # that no clock fills

    async def main():
        async with served(token=TOKEN, control=Hand()) as (_, _, client):
            stranger = {"Host": "evil.example", "Authorization": ""}
            for path in ("/", "/nothing", "/events"):
                statuses = [(await client.get(path, headers=stranger)).status_code for _ in range(5)]
                assert statuses[-1] == 429
            visits = [(await client.get("/", headers={"Authorization": ""})).status_code for _ in range(5)]
            assert visits == [200, 200, 200, 429, 429]
            assert (await client.post("/control/pause")).status_code == 200

    run(main)


def test_a_failing_answer_is_logged_and_costs_one_request(monkeypatch, caplog):
    async def fail(*args):
        raise RuntimeError("boom")

    monkeypatch.setattr(app, "stream", fail)

    async def main():
        async with served() as (_, _, client):
            answer = await client.get("/events")
            assert answer.status_code == 500
            assert "boom" not in answer.text
            assert (await client.get("/")).status_code == 200

    run(main)
    assert "could not be answered" in caplog.text
