"""The example of a web service, on a real server: it answers, streams, cancels, and outlives its clients."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from socket import socket

import httpx
import pytest

SERVICE = Path(__file__).parents[1] / "examples" / "06_service.py"


@pytest.fixture(scope="module")
def client():
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(SERVICE), "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in server.stderr:
            if "running on" in line:
                break
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0) as client:
            yield client
    finally:
        server.terminate()
        _, told = server.communicate(timeout=60)
        assert "Traceback" not in told, told


def begin(client, **body):
    answer = client.post("/runs", content=json.dumps({"y": [4.1, 3.7, 4.4, 3.9]} | body))
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/runs/{answer.json()['id']}"
    return answer.headers["location"]


def test_a_run_is_begun_watched_to_its_end_and_summarised(client):
    place = begin(client)
    with client.stream("GET", f"{place}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in events.iter_lines() if line]
    assert lines[-2:] == ["event: end", "data: {}"]
    last = json.loads(re.fullmatch("data: (.*)", lines[-3])[1])
    assert 0 < last["draws"] <= 8000
    found = client.get(place).json()
    assert found["status"] == "finished"
    assert abs(found["mean"] - 4.0) < 0.1
    assert abs(last["mean"] - found["mean"]) < 0.1


def test_a_run_outlives_who_watches_it_and_ends_when_it_is_deleted(client):
    place = begin(client, draws=100_000_000)
    for _ in range(3):
        with client.stream("GET", f"{place}/events") as events:
            next(events.iter_lines())
    before = client.get(place).json()
    assert before["status"] == "running"
    while client.get(place).json()["draws"] <= before["draws"]:
        pass
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_run_that_is_deleted_twice_while_it_is_watched_and_asked_for_ends_once(client):
    place = begin(client, draws=100_000_000)

    def asked(method):
        return httpx.request(method, f"{client.base_url}{place}", timeout=60.0).status_code

    with client.stream("GET", f"{place}/events") as events, ThreadPoolExecutor(4) as threads:
        lines = events.iter_lines()
        next(lines)
        answers = list(threads.map(asked, ["DELETE", "DELETE", *["GET"] * 10]))
        assert [line for line in lines if line][-2:] == ["event: end", "data: {}"]
    assert sorted(answers[:2]) == [204, 404]
    assert set(answers[2:]) <= {200, 404}


def test_what_cannot_be_sampled_is_refused_or_told(client):
    assert client.post("/runs", content="no json").status_code == 422
    assert client.post("/runs", content='{"x": 1}').status_code == 422
    assert client.post("/runs", content='{"y": [1.0], "draws": Infinity}').status_code == 422
    wrong = client.post("/runs", content='{"y": [1.0, "two"]}')
    assert wrong.status_code == 422
    assert "send JSON such as" in wrong.text
    place = begin(client, draws=-3)
    found = client.get(place).json()
    assert found["status"] == "failed"
    assert "draws must be an integer" in found["reason"]
    assert client.get("/runs/999").status_code == 404
    assert client.get(f"{place}/events").status_code == 409
