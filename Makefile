# OpenSIT. `make help` lists the targets. Needs python3 (3.11+, with venv), make and git; the rest is set up in .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SIT := $(VENV)/bin/sit
STAMP := $(VENV)/.set-up
TARGET ?= sim:micropython
PLAN ?= examples/plans/face-30-points.toml
WORKERS ?= 2

.DEFAULT_GOAL := help

##@ Use
help: ## List the targets
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything that is needed, versions and hashes pinned
$(STAMP): requirements.lock requirements-micropython.lock pyproject.toml tools/setup.py
	$(PYTHON) tools/setup.py $(VENV)
	@touch $@

run: $(STAMP) ## Run a 30-point treatment on the simulated injector
	$(PY) tools/pick_target.py $(TARGET) --then $(SIT) treat $(PLAN) --yes --target

##@ Prove
test: $(STAMP) ## Run the tests (under five minutes on two cores)
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup --ignore tests/emu --junitxml build/junit.xml $(ARGS)

test-emu: $(STAMP) ## Run the deployed firmware on an emulated RP2040 (SIT_UF2=path of a UF2; takes some minutes)
	$(PY) -m pytest tests/emu -n $(WORKERS) --dist loadfile -o timeout=1200 --junitxml build/junit-emu.xml $(ARGS)

check: lint type gen-check ## Everything that reads the code without running it

lint: $(STAMP) ## Style, and who may import whom
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --config .importlinter --no-cache

type: $(STAMP) ## Types: the firmware once with each board's stubs, then host, sim and tools
	$(PY) tools/type_check.py

gen: $(STAMP) ## Make the generated files anew
	$(PY) tools/gen.py

gen-check: $(STAMP) ## Fail if a generated file differs from its source
	$(PY) tools/gen.py --check

bite: $(STAMP) ## Remove each safety control in turn and show that its tests go red
	$(PY) tools/bite.py $(ARGS)

campaign: $(STAMP) ## Faults x moments x units on the whole stack, F1 then F2; goes on where it was stopped
	$(PY) tools/campaign.py --workers $(WORKERS) $(ARGS)
	$(PY) tools/campaign.py --workers $(WORKERS) --target sim:micropython --runs 200
	$(PY) tools/campaign.py --workers $(WORKERS) --faults f2

fuzz: $(STAMP) ## A million hostile frames on sim:, a hundred thousand on sim:micropython, and a stranger's
	$(PY) tools/fuzz.py --workers $(WORKERS) $(ARGS)

soak: $(STAMP) ## A day of target time on sim:, an hour on sim:micropython, the heap over 1000 shots
	$(PY) tools/soak.py $(ARGS)
	$(PY) tools/heap_shots.py

mutate: $(STAMP) ## Mutation testing of control, guard, limits and ledger: 300 mutants, at most 40 minutes
	$(PY) tools/mutate.py $(ARGS)

bless: $(STAMP) ## Take today's traces and the tick's vectors as the golden ones, showing the difference
	$(PY) tools/bless.py

bench: $(STAMP) ## Speeds, as ratios taken in one run (SIT_UF2=path for the chip's cycles)
	$(PY) tools/bench.py $(ARGS)

bench-metering: $(STAMP) ## Errors of the dose beside a constant rate, a fixed dwell and a hand, with plots in build/
	$(PY) tools/bench_metering.py $(ARGS)

clean: ## Remove what was built; .venv stays
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup run test test-emu check lint type gen gen-check bite campaign fuzz soak mutate bless bench bench-metering clean
