# Waypost: every target is one line of help in `make`. Nothing but Python 3.11+ is needed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Many images set it. Then each of the hundreds of processes of a run compiles all of its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up test faults check bench clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Create the environment and fetch Kafka (quick the second time)
	@PYTHON=$(PYTHON) deploy/setup.sh

demo: setup ## Start everything, route real leads and show where each goes (ARGS=--exit ends by itself)
	@$(BIN)/waypost demo $(ARGS)

up: setup ## Start the embedded stack and all services (ARGS="--brokers 3" for a cluster)
	@$(BIN)/waypost up $(ARGS)

# No broker of the suite lives long enough to earn back what the second compiler costs: a fifth of a fault test.
test faults: export JAVA_TOOL_OPTIONS := -XX:TieredStopAtLevel=1

test: setup ## Run the whole suite on a real Kafka, PostgreSQL and Chromium
	@deploy/install_chromium.sh
	@deploy/install_faketime.sh
	@$(BIN)/pytest -m "not faults" -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

faults: setup ## Run the long fault schedule (kill -9, outages, poison, rebalances)
	@deploy/install_faketime.sh
	@$(BIN)/pytest -m faults -n 2 --dist load $(ARGS)

check: setup ## Lint, types, import contracts, generated documents, lock
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/waypost contracts check
	@deploy/lock.sh --check

bench: setup ## Measure Waypost beside its peers; writes benchmarks/RESULTS.md
	@deploy/install_postgis.sh || echo "bench: goes on without the PostGIS peer"
	@$(BIN)/python -m benchmarks.run $(ARGS)

clean: ## Remove the environment and all local data (the embedded stack must be stopped)
	@rm -rf .venv .waypost artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
