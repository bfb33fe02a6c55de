# The commands a person needs; each prepares what it stands on, and skips what is already there.
# On Debian or Ubuntu with Python 3.11 or newer, make and git, nothing else has to be prepared.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PORT ?= 8000
# `make test TESTS="tests/web -k proposals"` runs a part.
TESTS ?=
VENV := .venv
BIN := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# uv reads its own settings only: tell it what pip was told.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
# Without a home, pip, uv and npm would keep their caches in the root folder.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/var/home
endif

.PHONY: help run test bench dist lint format clean lock bundle translations env env-dev test-system

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

run: env bundle translations  ## prepare everything and serve on PORT (8000), with the demo on first start
	@$(BIN)/lab db upgrade
	@$(BIN)/lab demo load --if-empty
	@exec $(BIN)/lab serve --port $(PORT) --workers 2 --with-worker --demo

test: env-dev test-system bundle translations  ## run all tests, on both databases and in a real browser
	@exec $(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

bench: env-dev test-system bundle translations  ## measure speed and weight, as ratios, and print one table
	@exec $(BIN)/python -m bench

dist: env bundle translations  ## build a wheel that needs no Node where it is installed
	@$(BIN)/python -m hatchling build -t wheel

lint: env-dev  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: env-dev  ## put imports and layout in order
	@$(BIN)/ruff check --quiet --fix --exit-zero .
	@$(BIN)/ruff format .

clean:  ## remove what was built or installed here; var/ (database, uploads) stays
	rm -rf $(VENV) node_modules static/dist static/dist-* dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find translations -name '*.mo' -delete 2>/dev/null || true
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the interface ---------------------------------------------------------------------------------------

bundle: node_modules/.installed  ## build styles, scripts, icons and fonts into static/dist
	@PATH="$(CURDIR)/$(BIN):$$PATH" node static/build.mjs

translations: env  ## compile the catalogues
	@$(BIN)/lab i18n compile

# A Node of the system serves when it is 20 or newer and has npm; else the one from PyPI is put into .venv.
NODE_IS_THERE := node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null \
	&& npm --version >/dev/null 2>&1

node_modules/.installed: package-lock.json .npmrc | $(VENV)/.made
	@if ! { $(NODE_IS_THERE); } && ! [ -x $(BIN)/node ]; then \
		echo "Fetching Node for the interface build"; $(call install,requirements-node.lock); fi
	@echo "Installing the interface's build tools"
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error --no-progress
	@touch $@

# --- the environment -------------------------------------------------------------------------------------

env: $(VENV)/.run  ## make .venv with the locked packages
env-dev: $(VENV)/.dev

# pip checks the hashes in any case; uv is only faster. `make env UV=` does without it.
UV ?= $(firstword $(shell command -v uv) $(wildcard $(BIN)/uv) $(BIN)/uv)
install = { [ -n "$(UV)" ] && [ -x "$(UV)" ] \
	&& "$(UV)" pip install --quiet --python $(BIN)/python --require-hashes -r $(1); } \
	|| $(BIN)/python -m pip install --quiet --require-hashes -r $(1)

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || tools/system-packages python3 python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tools/system-packages python3-venv
	@$(PYTHON) -m venv $(VENV)
	@if [ -n "$(UV)" ] && ! [ -x "$(UV)" ]; then \
		$(BIN)/python -m pip install --quiet --only-binary :all: --require-hashes -r requirements-uv.lock \
		|| echo "uv cannot be had here: pip installs instead"; fi
	@touch $@

$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml hatch_build.py | $(VENV)/.made
	@echo "Installing the locked packages"
	@$(call install,requirements-build.lock)
	@$(call install,requirements.lock)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing what the tests need"
	@$(call install,requirements-dev.lock)
	@touch $@

test-system:
	@tools/test-system

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	$(if $(UPGRADE),--upgrade) pyproject.toml

lock: $(VENV)/.made  ## write the lock files anew from pyproject.toml (UPGRADE=1 takes the newest versions)
	@$(call install,requirements-uv.lock)
	@$(COMPILE) -o requirements.lock
	@$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	@for group in build uv node; do $(COMPILE:pyproject.toml=) --group $$group -o requirements-$$group.lock; done
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --package-lock-only --loglevel=error
