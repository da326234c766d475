# Every habit of this project. Each target does its own set-up on a machine with Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

COMPILED := build/compiled
SOURCES := $(wildcard schemas/*.py routing/*.py routing/*/*.py)

.PHONY: help demo test check images compiled bench docs chaos lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Hue and Cry needs Python 3.11 or later, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) from requirements.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## real police records through real Kafka into receiving databases (ARGS="--json" and the like)
	@$(BIN)/huecry demo $(ARGS)

test: $(READY) ## everything that needs no Docker, on the real embedded broker
	$(BIN)/python -m pytest -m "not long" $(ARGS)

check: $(READY) ## lint, format, types, layers, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.docs --check

images: $(READY) ## build the image and test it in containers; pulls what it needs (a Docker engine with Compose)
	HUECRY_TEST_PULL=yes $(BIN)/python -m pytest -m docker $(ARGS)

compiled: $(COMPILED)/.ready ## the hot path of routing as machine code, into build/compiled (docs/compiling.md)

$(COMPILED)/.ready: $(READY) setup.py $(SOURCES)
	@rm -rf $(COMPILED) build/compiling
	@echo "compiling into $(COMPILED): a minute or two ..."
	@HUECRY_COMPILE=yes $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
	  --no-build-isolation --target $(COMPILED) .
	@touch $@

MEASURED := PYTHONPATH=$(COMPILED):. $(BIN)/python -P -m

bench: $(READY) ## measure the router against a raw transactional copy, simulating, tracing and retracting; writes build/{bench,simulate,trace,retraction}.json
	@$(MAKE) --no-print-directory compiled || echo "NOT COMPILED: what follows is measured as plain Python" >&2
	$(MEASURED) tests.bench.router $(ARGS)
	$(MEASURED) tests.bench.simulate $(filter --quick,$(ARGS))
	$(MEASURED) tests.bench.trace $(filter --quick,$(ARGS))
	$(MEASURED) tests.bench.retraction $(filter --quick,$(ARGS))

docs: $(READY) ## write the generated reference pages
	$(BIN)/python -m deploy.docs

chaos: $(READY) ## the chaos and soak runs at full length
	$(BIN)/python -m pytest -m long --timeout=3600 -o faulthandler_timeout=3660 $(ARGS)

UV_LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
  --no-annotate --quiet

lock: ## resolve pyproject.toml anew into requirements.lock, and from it what the image installs (needs uv)
	$(UV_LOCK) --upgrade --extra dev pyproject.toml --output-file requirements.lock
	echo setuptools | $(UV_LOCK) --upgrade --extra postgres --constraint requirements.lock pyproject.toml - \
	  --output-file requirements-image.lock

clean: ## remove what the targets above made
	rm -rf $(VENV) build *.egg-info
