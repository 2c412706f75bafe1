import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_typed_usage_is_clean_under_mypy_strict():
    usage = Path(__file__).with_name("typed_usage.py")
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unreachable", str(usage)]
    found = subprocess.run(
        [*command, "--config-file="], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert found.returncode == 0, found.stdout + found.stderr
