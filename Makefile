# Two commands do everything: `make demo` and `make test`.
# They need Python 3.11 to 3.13, make and git; all else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINS := constraints.txt
# pip's own progress is noise here; errors still show
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-long check audit format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | \
	  awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/installed ## Everything on phantoms: prepare, train, evaluate, visualize (minutes)
	$(BIN)/lungcli demo

test: $(VENV)/installed-dev ## The whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/installed-dev ## The tests that `make test` leaves out: minutes each
	$(BIN)/python -m pytest -m long

test-fast: $(VENV)/installed-dev ## The tests that take milliseconds
	$(BIN)/python -m pytest -m "not slow and not data and not long"

check: $(VENV)/installed-dev ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Not part of check: it needs the network. What cannot be looked up is an error.
audit: $(VENV)/installed-dev ## Known holes in the pinned packages (needs the network)
	@$(PIP) install --constraint $(PINS) 'pip-audit>=2.9'
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement $(PINS)

format: $(VENV)/installed-dev ## Mend what can be mended automatically
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: lungcli needs Python 3.11 to 3.13; name one: make PYTHON=python3.12"; exit 1; }
	@echo "making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml $(PINS)
	@echo "installing lungcli (TensorFlow is large: minutes on a slow line) ..."
	@$(PIP) install --constraint $(PINS) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "installing the tools for tests and checks ..."
	@$(PIP) install --constraint $(PINS) --editable '.[test,check]'
	@touch $@
