# Everything a checkout needs, from a bare Python 3.11 or newer. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PIP_TOOLS := pip-tools==7.6.2
LOCK_BIN := build/lock/bin
SEEDS ?= 500
MESSAGES ?= 100000
SEED ?= 1

# A lock names packages and hashes, never a place to get them from: that is the reader's own pip's business.
COMPILE := $(LOCK_BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.DEFAULT_GOAL := help
.PHONY: help test lint format generate demo bench chaos soak fuzz lock wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.venv/.ok: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python has no venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

test: lint ## every wall, then every test; many wait for a process, so there are more at a time than cores
	@$(BIN)/python -m pytest -q --numprocesses $$(( $$(nproc 2>/dev/null || echo 2) * 3 / 2 )) --dist worksteal

lint: .venv/.ok ## ruff, mypy, import-linter, buf
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "not formatted: run make format"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code || { echo "not formatted: run make format"; exit 1; }

format: .venv/.ok ## put code and protos into shape
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet
	@$(BIN)/buf format --write

generate: .venv/.ok ## protos/ -> generated/
	@$(BIN)/python -m scripts.generate

demo: .venv/.ok ## sixty agents and four mishaps on a simulated AWS, one minute
	@$(BIN)/ecs-scheduler demo

bench: .venv/.ok ## measure the hot paths against their baselines
	@$(BIN)/python -m benchmarks

chaos: .venv/.ok ## look for a seed that breaks the service: make chaos SEEDS=5000
	@$(BIN)/ecs-scheduler chaos --seeds 1..$(SEEDS) --jobs $$(nproc 2>/dev/null || echo 2)

soak: .venv/.ok ## a group of fixed size for thirty days of virtual time
	@$(BIN)/python -m pytest -q -m soak tests/lab

fuzz: .venv/.ok ## send every RPC bad input: make fuzz MESSAGES=100000
	@GRPC_VERBOSITY=NONE $(BIN)/python -m scripts.fuzz --messages $(MESSAGES) --seed $(SEED)

wheel: .venv/.ok ## the distribution, into dist/
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: ## resolve pyproject.toml again; keeps what is locked unless it must move
	@$(PYTHON) -m venv build/lock
	@$(LOCK_BIN)/python -m pip install --quiet $(PIP_TOOLS)
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@$(COMPILE) --extra simulated-aws --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml
	@$(COMPILE) --only-build-deps --build-deps-for wheel --constraint requirements-dev.lock \
		--output-file requirements-build.lock pyproject.toml

clean: ## remove the environment, caches and build results
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find scheduler scripts tests generated -type d -name __pycache__ -prune -exec rm -rf {} +
