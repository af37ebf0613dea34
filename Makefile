# Needs make and Python 3.11 or newer; everything else is installed into .venv on first use.
# Paths are relative throughout: the clone may lie anywhere, also below a name with spaces.

PYTHON ?= python3
BIN := .venv/bin
CLUSTER := $(BIN)/python deploy/cluster.py
# Tests start hundreds of interpreters: cached bytecode saves a sixth of their CPU time.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
# Most tests wait most of the time. Files that share a cluster stay in one process, which starts it
# once (tests/scheduling.py).
PARALLEL := -n 10 --dist loadfile --no-loadscope-reorder
# Real workers on a busy machine: a test that failed beside others counts if it fails alone, too.
FAILED_AGAIN := --last-failed --last-failed-no-failures none
CONTAINERS := -p pytest_celery.plugin tests/cluster/containers
# The engine: docker, local, or empty for docker if an engine answers and else local.
ENGINE ?=
SECONDS ?= 60
SEED ?= 1

.PHONY: help install demo test chaos bench bench-install test-bench test-cluster screenshots check docs samples up down scale ps logs lock
.DEFAULT_GOAL := help

help:  ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

install:  ## Install everything into .venv (the other targets do so when needed).
	@$(PYTHON) deploy/install.py

demo: install  ## Compare all models on the sum of range(0, 100_000_000).
	@CELERY_BROKER_URL= CELERY_RESULT_BACKEND= $(BIN)/python -m poolrace.producer.processes.die_with_parent $(BIN)/python -m poolrace.producer compare sum --stop 100_000_000 --local all:2 --pool all:2 --repeat 3 --flower --out results.json --report report.html
	@echo
	@echo "raw values: results.json    page: report.html"
	@echo "to keep a cluster running and watch it in Flower: make up; then $(BIN)/producer run sum --pool gevent"

test: install  ## Run all tests that need no Docker: ten at a time, then the timing tests alone.
	@$(PYTEST) --cache-clear $(PARALLEL) -m "not timing" || $(PYTEST) $(FAILED_AGAIN) -m "not timing"
	@$(PYTEST) -m timing

chaos: install  ## Run random jobs under random faults: make chaos SECONDS=600 SEED=7.
	@$(BIN)/python -m tests.faults.chaos --seconds $(SECONDS) --seed $(SEED)

bench: bench-install  ## Compare poolrace with similar libraries, an hour or two: make bench ROWS=1,2 REPEAT=5.
	@$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(QUICK),--quick)

test-bench: bench-install  ## Test the benchmarks: every library is exact and leaves no process.
	@$(PYTEST) -n 2 --dist worksteal tests/benchmarks || $(PYTEST) $(FAILED_AGAIN) tests/benchmarks

bench-install:
	@$(PYTHON) deploy/install.py bench

test-cluster: install  ## Run the tests that need a Docker engine and Chromium.
	@$(CLUSTER) build --engine docker
	@$(PYTEST) tests/cluster --ignore tests/cluster/containers
	@$(PYTEST) -n 4 --dist worksteal $(CONTAINERS) || $(PYTEST) $(FAILED_AGAIN) $(CONTAINERS)

screenshots: install  ## Update the pictures of the documentation (needs Docker and Chromium).
	@$(CLUSTER) build --engine docker
	@SCREENSHOTS=docs/images $(PYTEST) -q -p pytest_celery.plugin tests/cluster/test_flower.py

check: install  ## Check format, lint, types, import contracts, sizes and documentation.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/sizes.py
	@$(PYTEST) -q tests/docs

# Material prints an announcement of MkDocs 2 before every build unless this variable is set.
# Without --quiet, which hides warnings from --strict, too.
docs: install  ## Build the documentation site into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html"

samples: install  ## Update the sample outputs and example reports of the documentation.
	@$(BIN)/python docs/tools/samples.py render

up: install  ## Start a cluster that keeps running: containers, or local processes without Docker.
	@$(CLUSTER) up --engine "$(ENGINE)"

down: install  ## Stop the cluster and delete its data; KEEP_DATA=1 keeps the data.
	@$(CLUSTER) down --engine "$(ENGINE)" $(if $(KEEP_DATA),--keep-data)

scale: install  ## Change the number of worker hosts of a pool: make scale POOL=gevent N=4.
	@$(CLUSTER) scale --engine "$(ENGINE)" "$(POOL)" "$(N)"

ps: install  ## List the containers, with the host names that results use.
	@$(CLUSTER) ps --engine "$(ENGINE)"

logs: install  ## Show the logs of all containers, or of one service: make logs SERVICE=flower.
	@$(CLUSTER) logs --engine "$(ENGINE)" $(SERVICE)

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: install  ## Update the lock files to the newest releases (needs uv).
	@$(LOCK) --upgrade --extra dev --output-file requirements.lock pyproject.toml
	@$(LOCK) --extra numpy -c requirements.lock --output-file deploy/requirements.lock pyproject.toml
	@$(LOCK) --upgrade --extra dev --extra bench -c requirements.lock --output-file benchmarks/requirements.lock pyproject.toml
