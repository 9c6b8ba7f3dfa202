# Titian: every command a person needs. `make` alone lists them.
PY      ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
SERVE   ?= 1
SEED    ?= 7
PORT    ?= 8000
ONLY    ?=
SAMPLE  ?= 0
VERIFIER ?= var/titian-verify.pyz

.DEFAULT_GOAL := help
.PHONY: help install demo test coverage mutants check lint types contracts bench verifier docs lock windows clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Titian needs Python 3.11 or later; this is $$($(PY) --version). Try: make $(MAKECMDGOALS) PY=python3.12"; exit 1; }
	@$(PY) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "installing into $(VENV) (once; needs a package index)…"
	@$(PY) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(VENV)/.installed ## make .venv with titian, titian-connector, titian-verify

demo: $(VENV)/.installed ## see it: eight agencies publish, workers reconcile, the desk answers (SERVE=0 stops after the summary; PORT=, SEED=)
	@$(BIN)/python -m demo --seed $(SEED) --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve,)

test: $(VENV)/.installed ## prove it: the whole suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile -q

coverage: $(VENV)/.installed ## prove that the tests reach every branch of keys/ and gateway/trust
	@$(BIN)/python -m pytest tests/keys tests/trust tests/vectors -n 2 --dist loadfile -q \
	  --cov=keys --cov=gateway.trust --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

$(VENV)/.mutants: requirements-mutants.lock $(VENV)/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutants.lock
	@touch $@

mutants: $(VENV)/.mutants ## put small faults into keys/, scoring and clustering one by one: do the tests find them? (ONLY=frame,… SAMPLE=60 SEED=; 85 % or it fails)
	@$(BIN)/python -m bench.mutants --sample $(SAMPLE) --seed $(SEED) $(if $(ONLY),--only $(ONLY),)

lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.installed
	@$(BIN)/mypy

contracts: $(VENV)/.installed
	@$(BIN)/lint-imports

check: lint types contracts test ## what CI runs: lint, format, types, import contracts, tests

bench: $(VENV)/.installed ## measure every figure the README claims (ONLY=name,… RUNS=3)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY),) $(if $(RUNS),--runs $(RUNS),)

verifier: ## make titian-verify one file for another machine (VERIFIER=; it needs Python, cryptography, rfc8785, zstandard)
	@mkdir -p $(dir $(VERIFIER))
	@tmp=$$(mktemp -d) && mkdir $$tmp/keys && cp keys/*.py $$tmp/keys && rm $$tmp/keys/httpsig.py \
	  && $(PY) -m zipapp $$tmp -m keys.verify:main -p '/usr/bin/env python3' -o $(VERIFIER); made=$$?; rm -rf $$tmp; exit $$made
	@echo $(VERIFIER)

windows: $(VENV)/.installed ## assemble the connector's folder for Windows under var/windows (PYTHON_ZIP= of Python's embeddable package)
	@$(BIN)/python -m shipping.windows $(if $(PYTHON_ZIP),--python $(PYTHON_ZIP),)

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-header --quiet --python-version 3.11 \
	  --extra test --extra bench --extra build pyproject.toml -o requirements.lock
	@uv pip compile --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-header --quiet --python-version 3.11 \
	  --extra gateway --extra build pyproject.toml -o requirements-gateway.lock
	@uv pip compile --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-header --quiet --python-version 3.11 \
	  --constraint requirements.lock --extra mutation pyproject.toml -o requirements-mutants.lock

clean: ## remove what demo, tests and bench left in var/
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m demo --clean; fi
	@rm -rf var
