# Everything runs in .venv, which the first target that needs it makes: python3 (3.11 or newer) and make are all that is given.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup report test check bench export clean docs reference lock

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/'

setup: .venv/.ready  ## Install everything into .venv

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

test: setup  ## Run the tests
	$(BIN)/pytest
