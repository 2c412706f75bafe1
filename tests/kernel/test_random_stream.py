"""The streams of random numbers pass some of dieharder's tests, and bad ones do not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "random_stream.py"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(shutil.which("dieharder") is None, reason="dieharder is not installed")
def test_dieharder_passes_the_streams_and_catches_bad_ones():
    """Fifteen p-values that must be over one in a million: a right generator fails once in 60,000 seeds."""
    ran = subprocess.run(
        [sys.executable, BENCHMARK, "--quick"], capture_output=True, text=True, timeout=1200, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("fail, as they must") == 2
