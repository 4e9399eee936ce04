# Everything runs in .venv, which the first target that needs it makes: python3 (3.11 or newer) and make are all that is given.
PYTHON ?= python3
BIN := .venv/bin
POLICYLAKE := $(BIN)/policylake

# One's own export: make report INPUT=exports LAKE=mine OUT=mine-report
# INPUT is one path, spaces and all, or several with spaces between them. Recipes read these from their environment.
INPUT ?= samples/organization
LAKE ?= lake
OUT ?= out
# A folder of its own: the report replaces the whole of OUT.
# Each export gets a folder of its day in EXPORT.
EXPORT ?= export
export INPUT LAKE OUT EXPORT
# How long the longer proofs run.
FORMULAS ?= 20000
DECISIONS ?= 100000
# How many exports stay.
KEEP ?= 30

.DEFAULT_GOAL := help
.PHONY: help setup setup-cluster report test check bench export clean docs reference lock smt mutations agreement screenshots

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' | awk -F'|' '{ printf "  %-20s%s\n", $$1, $$2 }'
	@echo
	@echo "  INPUT, LAKE and OUT name other folders: make report INPUT=exports LAKE=mine OUT=mine-report"

setup: .venv/.ready  ## Install everything into .venv

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: give a newer one, make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "python's module venv is missing: install it, on Debian as python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# Ray and a made-up S3: some 100 MB that only the tests of clusters and object stores need.
setup-cluster: setup  ## Install what the tests of Ray and of object stores need too
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-cluster.lock

# Exit code 3 says that some inputs were rejected and the rest was built: the sample holds one malformed file.
report: setup  ## Build INPUT (the sample organization) into LAKE and write its report to OUT
	@if [ -e "$$INPUT" ]; then set -- "$$INPUT"; else set -- $$INPUT; fi && \
	$(POLICYLAKE) build "$$@" --lake "$$LAKE" || test $$? -eq 3
	$(POLICYLAKE) report --lake "$$LAKE" --out "$$OUT"
	@echo "The report: $$OUT/index.html"

export: setup  ## Run the nightly job on INPUT: build LAKE, run the controls, publish all formats and the report in EXPORT
	@if [ -e "$$INPUT" ]; then set -- "$$INPUT"; else set -- $$INPUT; fi && \
	$(POLICYLAKE) export "$$@" --lake "$$LAKE" --to "$$EXPORT" --keep $(KEEP) || test $$? -eq 3
	@echo "The export: $$EXPORT/latest, what changed: $$EXPORT/latest/summary.md"

# A file's tests stay in one process: they share what they build.
test: setup  ## Run the tests, in as many processes as there are processors
	$(BIN)/pytest --numprocesses logical --dist loadfile

check: setup  ## Lint, type check, look after the layers
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql

smt: setup  ## Hold FORMULAS (20000) generated formulas against the SMT solver z3
	POLICYLAKE_SMT_FORMULAS=$(FORMULAS) $(BIN)/pytest tests/test_solver_smt.py

mutations: setup  ## Break one rule at a time, show which test notices, write docs/mutation-run.md
	$(BIN)/python scripts/mutation_run.py

agreement: setup  ## Hold the lake's answers against DECISIONS (100000) decisions of the concrete evaluator
	$(BIN)/python scripts/agreement_run.py --decisions $(DECISIONS)

bench: setup  ## Measure a build of 200 accounts x 300 principals against the floor
	$(BIN)/python bench/run.py

screenshots: setup  ## Take pictures of the main pages of the sample's report into docs/, with the installed Chromium
	$(BIN)/python scripts/screenshots.py --out docs

docs: setup  ## Write the generated pages of docs/
	$(BIN)/python scripts/build_docs.py

reference: setup  ## Build the packaged service reference from data/service-reference
	$(BIN)/python scripts/build_reference.py

# uv is used from a folder of its own and is no dependency. uv.lock holds host names and stays out of the repository.
lock:  ## Write requirements.lock, -runtime.lock and -cluster.lock anew, with hashes
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(PYTHON) -m venv "$$folder" && "$$folder"/bin/pip install --quiet --disable-pip-version-check uv && \
	"$$folder"/bin/uv lock --upgrade && \
	"$$folder"/bin/uv export --format requirements-txt --no-emit-project --group dev --no-header --no-annotate \
		--output-file requirements.lock --quiet && \
	"$$folder"/bin/uv export --format requirements-txt --no-emit-project --no-default-groups --no-header --no-annotate \
		--output-file requirements-runtime.lock --quiet && \
	"$$folder"/bin/uv export --format requirements-txt --no-emit-project --only-group cluster --no-header --no-annotate \
		--output-file requirements-cluster.lock --quiet

clean:  ## Remove what the targets made, .venv included
	rm -rf .venv lake out export dist build .bench .agreement .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
