# Everything runs in .venv, made from the lock files; nothing is installed outside this folder.
# PYTHON=python3.12 make demo   uses another interpreter than python3.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --no-deps --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-package opsgraph --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
LICENCES := MIT;BSD;Apache;ISC;PSF;Python Software Foundation;MPL-2.0;Mozilla;PostgreSQL;Unlicense;Zlib
COPYLEFT := GPL;General Public;Affero
WORKERS ?= 2
TESTS ?= tests

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test long bench check lock clean setup \
	check-style check-types check-imports check-schema check-contract check-migrations \
	check-secrets check-licences check-dockerfile check-node

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## demonstration data in its own database, then serve it (PORT=9000)
	$(BIN)/opsgraph demo $(if $(PORT),--port $(PORT))

serve: $(VENV)/.runtime ## the server on 127.0.0.1 (PORT=9000)
	$(BIN)/opsgraph serve $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev ## every test that needs no Node.js (COVERAGE=--cov measures coverage, as .ci/run does)
	$(BIN)/pytest $(COVERAGE) -n $(WORKERS) -m "not node" $(TESTS)

long: $(VENV)/.dev ## the long tests with their full counts
	OPSGRAPH_TEST_SCALE=1 $(BIN)/pytest -m long $(TESTS)

bench: $(VENV)/.dev ## what the speed claims rest on
	@test -d benchmarks || { echo "there are no benchmarks yet"; exit 1; }
	set -e; for script in benchmarks/bench_*.py; do $(BIN)/python "$$script"; done
	$(BIN)/python benchmarks/bench_intake.py --postgresql

check: check-style check-types check-imports check-schema check-contract check-migrations check-secrets check-licences check-dockerfile check-node ## all checks that are not tests of behaviour; `make -k check` reports every failure

check-style: $(VENV)/.dev ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

check-imports: $(VENV)/.dev ## who may import whom
	$(BIN)/lint-imports

check-schema: $(VENV)/.dev ## schema.graphql is what the code says
	$(BIN)/opsgraph schema | diff -u schema.graphql - \
	|| { echo "schema.graphql is behind the code: opsgraph schema > schema.graphql"; exit 1; }

check-contract: $(VENV)/.dev ## schema.graphql keeps what clients rely on
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/contract/check

check-migrations: $(VENV)/.dev ## every migration up and down
	$(BIN)/pytest -q tests/storage/test_migrations.py

check-secrets: $(VENV)/.dev ## no secret in a tracked or new file
	git ls-files -z --cached --others --exclude-standard --deduplicate \
	| xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

# pagerduty is MIT by its repository's LICENSE and says nothing in its metadata; it is for tests alone.
check-licences: $(VENV)/.dev ## every installed package under a licence that suits Apache-2.0
	$(BIN)/pip-licenses --from=mixed --partial-match --ignore-packages opsgraph pagerduty --fail-on="$(COPYLEFT)" > /dev/null
	$(BIN)/pip-licenses --from=mixed --partial-match --ignore-packages opsgraph pagerduty --allow-only="$(LICENCES)" > /dev/null

check-dockerfile: ## hadolint, where it is installed (tests/packaging holds what the image promises)
	@if command -v hadolint; then hadolint Dockerfile; else echo "hadolint is not installed: left out"; fi

check-node: $(VENV)/.dev ## GraphQL-over-HTTP audit; skipped without Node.js
	$(BIN)/pytest -q -rs -m node tests/packaging

setup: $(VENV)/.dev ## the environment with everything for development

lock: $(BIN)/python ## the lock files again from pyproject.toml (UPGRADE=1 for the newest versions)
	$(PIP) install --quiet "uv>=0.8"
	$(COMPILE) --extra postgres --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], "editables", sep="\n")' \
	| $(COMPILE) --constraint requirements-dev.lock --output-file requirements-build.lock -

clean: ## caches, build and coverage output (.venv and databases stay)
	rm -rf build dist htmlcov .make .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find src tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "opsgraph needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps stand inside .venv, so that they go with it; a changed lock file installs again.
$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(INSTALL) -r requirements-build.lock
	$(INSTALL) -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(INSTALL) -r requirements-dev.lock
	@touch $@
