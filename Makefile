# The commands of the project; `make help` lists them.

PORT ?= 3000
REPORT_PORT ?= 3001
run dev: export REPORT_PORT := $(REPORT_PORT)
ifneq (,$(or $(word 2,$(CURDIR)),$(word 2,$(ELECTION_DATA))))
$(error A blank in the path of the project or of ELECTION_DATA ($(ELECTION_DATA)) cannot be served: choose one without)
endif
# Also where it is named behind `make run`: Dagster takes no relative folder.
override ELECTION_DATA := $(abspath $(or $(ELECTION_DATA),data))
export ELECTION_DATA
export DAGSTER_HOME := $(ELECTION_DATA)/dagster
export PYTHONWARNINGS ?= ignore
# Where this is set, every process compiles anew all that it imports: a third of what the tests cost.
export PYTHONDONTWRITEBYTECODE :=
# Sail writes a line a session otherwise.
export RUST_LOG ?= error
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/python -m uv pip install --quiet --no-deps --require-hashes --python $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev instance run dev test check services-test bench lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/.run ## installs what the main job needs into .venv
setup-dev: .venv/.dev ## installs what the tests and checks need, too

.venv/.uv: requirements-setup.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=.")'
	@echo "setting up .venv: about 130 locked packages, 1.2 GB"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt
	@touch $@

.venv/.run: .venv/.uv requirements.txt
	@$(UV) -r requirements.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@$(UV) -r requirements-dev.txt
	@touch $@

instance: # Dagster reads dagster.yaml from an absolute DAGSTER_HOME alone
	@mkdir -p $(DAGSTER_HOME)
	@ln -sf $(CURDIR)/dagster.yaml $(DAGSTER_HOME)/dagster.yaml

run: .venv/.run instance ## the main job for all candidates; ends with the path of the report
	@$(BIN)/python -m election_assets.run

dev: .venv/.run instance ## Dagster's UI with its schedules and the embedded services, until Ctrl-C
	@echo "Dagster's UI: http://127.0.0.1:$(PORT)"
	@echo "The report: http://127.0.0.1:$(REPORT_PORT)"
	@$(BIN)/python -m resources.services during $(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port $(PORT)

test: .venv/.dev ## all tests that need no outside server
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not integration and not e2e"

check: .venv/.dev ## lint, format, types, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy election_assets nifi resources scraper_api
	$(BIN)/dg check defs

services-test: .venv/.dev ## lays out real Kafka, NiFi, PostgreSQL and Chromium where missing, then all tests that need them
	@sh tests/provision.sh
	@$(BIN)/python -m tests.servers.provision
	@$(BIN)/python -m pytest -q tests/integration tests/e2e -m "integration or e2e"

bench: .venv/.dev ## the benchmarks, as a table and JSON
	@$(BIN)/python -m benchmarks

lock: .venv/.uv ## writes the locked requirements anew from pyproject.toml
	$(BIN)/python -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.txt
	$(BIN)/python -m uv pip compile pyproject.toml --extra postgresql --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-postgresql.txt
	$(BIN)/python -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.txt

clean: ## removes .venv and caches; the data stay
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
