# The commands of this project. Each prepares what it needs: a clone, Python 3.11+ and make are enough.

PYTHON ?= $(shell .ci/find-python 3.11 3.12 3.13)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
EXTRAS := $(VENV)/.extras

.PHONY: demo test check check-slow chaos format bench bench-quick images clean

demo: $(READY)            ## sample the eight schools, kill a chain, prove the replay
	@$(BIN)/exmc demo

test: $(READY)            ## every test but the slow ones
	$(BIN)/pytest -n 2 -m "not slow"

check: $(EXTRAS)          ## what CI runs: format, lint, types, all tests, the quick ones on 3.13 too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test
	$(BIN)/pytest -n 2 -m slow
	.ci/on-newest-python

check-slow: $(EXTRAS)     ## the slow tests alone; what they measured goes to docs/correctness.md
	EXMC_REPORT=docs/correctness.md $(BIN)/pytest -n 2 -m slow

chaos: $(READY)           ## 200 kills of the process of a stored run, 500 random schedules of faults; half an hour
	EXMC_KILLS=200 EXMC_SCHEDULES=500 $(BIN)/pytest -s tests/chaos

format: $(READY)          ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv-bench/.ready ## side by side with the peers, in an environment of their own; hours, on a calm machine
	.venv-bench/bin/python benchmarks/sampling.py
	.venv-bench/bin/python benchmarks/sampling.py --whole --draws 1000 --out .runs/whole.jsonl
	.venv-bench/bin/python benchmarks/eight_schools.py
	.venv-bench/bin/python benchmarks/log_density.py
	.venv-bench/bin/python benchmarks/actors.py
	.venv-bench/bin/python benchmarks/overhead.py
	.venv-bench/bin/python benchmarks/many_runs.py
	.venv-bench/bin/python benchmarks/folding.py
	.venv-bench/bin/python benchmarks/kernel.py

bench-quick: .venv-bench/.ready ## see that the comparison of samplers runs: two problems, one seed
	.venv-bench/bin/python benchmarks/sampling.py --quick

images: $(EXTRAS)         ## make the pictures in the docs again, from real runs
	$(BIN)/python docs/images/make.py
	$(BIN)/python docs/images/dashboard.py
	$(BIN)/python docs/images/plots.py

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found: install it, or run 'make $(MAKECMDGOALS) PYTHON=/path/to/python3'." >&2; exit 1; }
	@echo "Preparing $(VENV) with $(PYTHON) (about a minute, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

$(EXTRAS): $(READY)       # libraries whose models can be sampled, and a browser: without them, their tests are skipped
	@echo "Installing NumPyro, PyMC and Playwright into $(VENV) (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[numpyro,pymc,dashboard]" --group browser
	@.ci/chromium
	@touch $@

.venv-bench/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable . numpyro blackjax pykka "nutpie[pymc]"
	@touch $@

clean:
	rm -rf $(VENV) .venv-bench .venv-newest .pytest_cache .mypy_cache .ruff_cache .hypothesis
