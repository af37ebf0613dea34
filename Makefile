# Needs make and Python 3.11 or newer; everything else is installed into .venv on first use.
# Paths are relative throughout: the clone may lie anywhere, also below a name with spaces.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install demo test check up down lock
.DEFAULT_GOAL := help

help:  ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

install:  ## Create .venv with everything (the other targets do it when needed).
	@$(PYTHON) deploy/install.py

demo: install  ## Compare all models on the sum of range(0, 100_000_000).
	@$(BIN)/python -m producer.cluster.tether $(BIN)/python -m producer compare sum --stop 100_000_000 --local all:2 --pool all:2 --repeat 3 --flower --out results.json --report report.html
	@echo
	@echo "raw values: results.json    page: report.html"
	@echo "to keep a cluster running and watch it in Flower: make up; then $(BIN)/producer run sum --pool gevent"

test: install  ## Run all tests that need no Docker.
	@$(BIN)/python -m pytest

check: install  ## Format, lint, types, import contracts.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

up: install  ## Start a cluster that stays, and print what to type next.
	@$(BIN)/producer up

down: install  ## Stop that cluster.
	@$(BIN)/producer down

lock: install  ## Renew requirements.lock with the newest releases (needs uv).
	@uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --output-file requirements.lock pyproject.toml
