# Needs make and Python 3.11 or newer; everything else is installed into .venv on first use.
# Paths are relative throughout: the clone may lie anywhere, also below a name with spaces.

PYTHON ?= python3
BIN := .venv/bin
# The kernel ends these commands when make is killed. make starts a command itself if the line has
# no shell syntax outside of single quotes; a shell in between would outlive make.
WITH_MAKE := $(PYTHON) -I -S producer/processes/die_with_parent.py
# Without the packages of the system's Python: to load them takes a tenth of a second, in which
# Ctrl-C prints a traceback.
INSTALL := $(WITH_MAKE) $(PYTHON) -I -S deploy/install.py
CLUSTER := $(BIN)/python deploy/cluster.py
# Tests start hundreds of interpreters: cached bytecode saves a sixth of their CPU time.
PYTEST := $(WITH_MAKE) env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
# Most tests wait most of the time. Files that share a cluster stay in one process, which starts it
# once (tests/scheduling.py).
PARALLEL := -n 7 --dist loadfile --no-loadscope-reorder
# Real workers on a busy machine, and times on one whose cores others share unseen: a test that
# failed counts if it fails once more, alone.
FAILED_AGAIN := --last-failed --last-failed-no-failures none
CLUSTER_TESTS := tests/cluster --ignore tests/cluster/containers
CONTAINERS := -p pytest_celery.plugin tests/cluster/containers
# Name of the image that the tests of containers start.
TEST_IMAGE := POOLRACE_IMAGE=$${POOLRACE_IMAGE:-poolrace-test}
# The engine: docker, local, or empty for docker if an engine answers and else local.
ENGINE ?=
SECONDS ?= 60
SEED ?= 1

.PHONY: help install demo test chaos bench bench-race bench-install test-bench test-cluster screenshots check docs samples up down scale ps logs join lock
.DEFAULT_GOAL := help

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s%s\n", $$1, $$2}' Makefile

install:  ## Install everything into .venv (the other targets do so when needed).
	@$(INSTALL)

demo: install  ## Compare all models on the sum of range(0, 100_000_000).
	@$(WITH_MAKE) $(BIN)/python -m poolrace demo

test: install  ## Run all tests that need no Docker: seven at a time, then the timing tests alone.
	@$(WITH_MAKE) sh -c '$(PYTEST) --cache-clear $(PARALLEL) -m "not timing" || $(PYTEST) $(FAILED_AGAIN) -m "not timing"'
	@$(WITH_MAKE) sh -c '$(PYTEST) -m timing || $(PYTEST) $(FAILED_AGAIN) -m timing'

chaos: install  ## Run random jobs under random faults: make chaos SECONDS=600 SEED=7.
	@$(WITH_MAKE) $(BIN)/python -m tests.faults.chaos --seconds $(SECONDS) --seed $(SEED)

bench: bench-install  ## Compare poolrace with similar libraries, under 30 minutes: make bench ROWS=1,2 REPEAT=5.
	@$(WITH_MAKE) $(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(QUICK),--quick)

bench-race: install  ## Measure how much speed recommendations of races miss: make bench-race APPS=sleeping,http REPEAT=5 BUSY=1.
	@$(WITH_MAKE) $(BIN)/python -m benchmarks.race $(if $(APPS),--apps $(APPS)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(ORACLE_S),--oracle-s $(ORACLE_S)) $(if $(BUSY),--busy) $(if $(QUICK),--quick)

test-bench: bench-install  ## Test the benchmarks: every library is exact and leaves no process.
	@$(PYTEST) -n 2 --dist worksteal tests/benchmarks || $(PYTEST) $(FAILED_AGAIN) tests/benchmarks

bench-install:
	@$(INSTALL) bench

test-cluster: install  ## Run the tests that need a Docker engine and Chromium.
	@$(TEST_IMAGE) $(CLUSTER) build --engine docker
	@$(PYTEST) $(CLUSTER_TESTS) || $(PYTEST) $(FAILED_AGAIN) $(CLUSTER_TESTS)
	@$(PYTEST) -n 4 --dist worksteal $(CONTAINERS) || $(PYTEST) $(FAILED_AGAIN) $(CONTAINERS)

screenshots: install  ## Update the pictures of reports (needs Chromium); FLOWER=1: of Flower (and Docker).
	@$(if $(FLOWER),,PYTHONPATH=. $(BIN)/python docs/tools/screenshots.py take)
	@$(if $(FLOWER),$(TEST_IMAGE) $(CLUSTER) build --engine docker)
	@$(if $(FLOWER),SCREENSHOTS=docs/images $(PYTEST) -q -p pytest_celery.plugin tests/cluster/test_flower.py)
	@$(if $(FLOWER),$(BIN)/python docs/tools/screenshots.py keep)

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

join: install  ## Write join.yml, which starts workers on a further machine: make join POOLS="prefork gevent".
	@$(CLUSTER) join --engine "$(ENGINE)" $(POOLS)

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: install  ## Update the lock files to the newest releases (needs uv).
	@$(LOCK) --upgrade --extra dev --output-file requirements.lock pyproject.toml
	@$(LOCK) --extra numpy -c requirements.lock --output-file deploy/requirements.lock pyproject.toml
	@$(LOCK) --upgrade --extra dev --extra bench -c requirements.lock --output-file benchmarks/requirements.lock pyproject.toml
