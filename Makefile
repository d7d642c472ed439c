# Needs GNU make and Python 3.11 or newer. Everything is installed into .venv, by constraints.txt.
#   make test PYTHON=python3.12     another interpreter
#   make test ARGS="-k watch"       arguments for pytest, or for `maestro-ts demo`

PYTHON ?= python3
VENV := .venv
ORACLES := .venv-oracles
PEERS := .venv-peers
BIN := $(VENV)/bin
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
PIP_INSTALL = $(1)/bin/python -m pip install --quiet -c constraints.txt

# For the pip inside pip, which fetches build back ends. The second is its name since pip 25.3.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The matrix products here are small: a second thread gains little, and loses eightfold on a busy machine.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-all lint types contracts docs oracles peers bench growth dist release-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO) ## train and test on real smart-watch data, write runs/demo/report.html
	$(BIN)/maestro-ts demo --overwrite $(ARGS)

test: $(DEV) ## the tests, without the slow ones
	$(BIN)/python -m pytest -n 2 $(ARGS)

test-all: $(DEV) ## all tests; a real archive that is not there is a failure (MAESTRO_TS_DATA)
	MAESTRO_TS_REQUIRE_DATA=1 $(BIN)/python -m pytest -n 2 -m "" $(ARGS)

lint: $(DEV) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV) ## mypy, strict
	$(BIN)/mypy

contracts: $(DEV) ## who may import whom
	$(BIN)/lint-imports

docs: $(DEV) ## the site into build/site, a warning is a failure; open build/site/index.html
	$(BIN)/python -m sphinx -W --keep-going -q -c docs -d build/site-cache . build/site

oracles: ## golden tables anew, from other people's packages in an environment of their own
	@$(call CHECK_PYTHON)
	$(PYTHON) -m venv $(ORACLES)
	echo '*' > $(ORACLES)/.gitignore
	$(call PIP_INSTALL,$(ORACLES)) tslearn==0.10.0 pyts==0.14.1
	$(ORACLES)/bin/python tests/golden/make_sax_tables.py

peers: export PIP_CONSTRAINT := constraints-peers.txt
peers: export PIP_BUILD_CONSTRAINT := constraints-peers.txt
peers: ## PyPOTS, in an environment of its own, for the model pypots
	@$(call CHECK_PYTHON)
	$(PYTHON) -m venv $(PEERS)
	echo '*' > $(PEERS)/.gitignore
	$(PEERS)/bin/python -m pip install --quiet -c constraints-peers.txt pypots torch

bench: $(DEV) ## speed against the published formulation, idle machine; RIVALS: a Python with pyts and aeon
	OMP_NUM_THREADS=2 $(BIN)/python benchmarks/speed.py --threads 2 --out docs/results/speed.json
	OMP_NUM_THREADS=2 $(BIN)/python benchmarks/roofline.py --threads 2 --out docs/results/roofline.json
	$(BIN)/python benchmarks/symbols.py $(if $(RIVALS),--rivals $(RIVALS)) --out docs/results/symbols.json

growth: $(DEV) ## time and memory against size, idle machine: docs/growth.svg; ARGS=--again forgets what is there
	$(BIN)/python benchmarks/growth.py --threads 2 $(ARGS)
	$(BIN)/python benchmarks/growth_figure.py

dist: $(DEV) ## wheel and source archive into dist/, their content checked
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	@set -e; list=$$(mktemp -d); trap 'rm -rf "$$list"' EXIT; \
	(cd src && find maestro_ts -type f ! -name '*.py[co]') | sort > "$$list/src"; \
	$(BIN)/python -c 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\n")' \
	  dist/*.whl > "$$list/whl"; \
	tar -tzf dist/*.tar.gz > "$$list/sdist"; \
	echo "the wheel holds src/maestro_ts and nothing else:"; \
	grep -v '\.dist-info/' "$$list/whl" | sort | diff "$$list/src" -; \
	for name in py.typed recipes/default.yaml recipes/paper.yaml recipes/tiny.yaml report/page.html.j2; do \
	  grep -qx "maestro_ts/$$name" "$$list/whl" || { echo "missing: $$name"; exit 1; }; \
	done; \
	echo "neither holds data or caches:"; \
	if grep -E '\.(npy|zip|gz|parquet|pkl|mat|edf|h5)$$|__pycache__|_cache/|/runs/|/\.venv' \
	  "$$list/whl" "$$list/sdist"; then exit 1; fi; \
	ls -l dist

release-check: dist ## dist, then install the wheel into a bare environment elsewhere, run the demo
	@set -e; bare=$$(mktemp -d); trap 'rm -rf "$$bare"' EXIT INT TERM; set -x; \
	$(PYTHON) -m venv "$$bare/venv"; \
	$(call PIP_INSTALL,"$$bare/venv") "$$(ls dist/*.whl)[demo]"; \
	cd "$$bare"; venv/bin/maestro-ts doctor; \
	venv/bin/maestro-ts demo $(ARGS); test -s runs/demo/report.html

clean: ## what tests and builds leave behind; not the environments, not runs/
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

define CHECK_PYTHON
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "maestro-ts needs Python 3.11 or newer; '$(PYTHON)' is not." >&2; \
  echo "Name one that is:  make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
endef

$(BIN)/pip:
	@$(call CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)

$(DEMO): pyproject.toml constraints.txt | $(BIN)/pip
	$(call PIP_INSTALL,$(VENV)) -e ".[demo]"
	touch $@

# dev includes demo.
$(DEV): pyproject.toml constraints.txt | $(BIN)/pip
	$(call PIP_INSTALL,$(VENV)) -e ".[dev]"
	touch $(DEMO) $@
