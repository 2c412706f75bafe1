"""The benchmark is a program like others: it runs, and its lines say what was measured and where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks/actors.py"


@pytest.mark.slow
def test_the_benchmark_of_actors_runs_and_prints_json_lines():
    ran = subprocess.run(
        [sys.executable, "-W", "error", BENCHMARK, "--quick"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    ratios = {row["ratio"]: row["value"] for row in rows if "ratio" in row}
    assert {"cast / channel", "call / channel pair", "spawn in order / start_soon"} <= set(ratios)
    assert all(value > 0 for value in ratios.values())
    assert {(row["idle"], row["count"]) for row in rows if "idle" in row} >= {("server", 400)}
    assert all(row["trio"] and row["python"] and row["machine"] for row in rows)
