# The commands of this repository. `make` alone lists them.

SHELL := /bin/bash
BIN := .venv/bin
# Where Python may keep no compiled files, every process that a test starts compiles all of it.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadgroup
# A clone keeps its demo's state to itself; say ARGS="--port 8001" and the like for more.
ARGS ?=
# Node is the machine's own, or that of .venv.
UI := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix kore/ui run --silent

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-quick lint docs bench types lock test-container

help: ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Install what running, testing and documenting need; run nothing
	@requirements/setup.sh all

demo: ## Run the whole system on this machine, with a small LMS
	@requirements/setup.sh run
	@exec $(BIN)/ananke demo --state-dir .state $(ARGS)

test: setup lint ## Check everything: style, types, and all tests
	$(UI) test
	$(PYTEST) $(ARGS)

test-quick: setup ## Run the tests that start neither hub nor browser
	$(UI) test
	$(PYTEST) -m "not slow" $(ARGS)

test-container: setup ## Build the images, boot them and test them (as root)
	tests/container/run $(ARGS)

lint: setup ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(UI) lint
	$(BIN)/python -m tests.support.openapi | $(UI) types -- --check
	requirements/check-addresses.sh

docs: setup ## Render the documentation into doc/html
	$(BIN)/sphinx-build -W --keep-going -q -b html doc/src doc/html

bench: setup ## Measure, and print the figures
	$(BIN)/python -m tests.bench $(ARGS)

types: setup ## Write the panel's types from the API
	$(BIN)/python -m tests.support.openapi | $(UI) types

lock: ## Renew the locks in requirements/ from pyproject.toml
	UV=$(BIN)/uv requirements/lock.sh $(ARGS)
