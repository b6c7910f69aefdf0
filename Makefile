# `make` prints what there is to make. A machine needs Python >= 3.11 and make; all else is set up here, in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --constraint constraints.txt --editable . --editable ./middleware
DECLARED := pyproject.toml middleware/pyproject.toml constraints.txt
# Distributions build their Python for speed, as the image's is. One that was built from source may be an eighth slower.
SYSTEM_PYTHON = $(shell /usr/bin/python3 -c 'import sys, ensurepip; sys.version_info >= (3, 11) and print(sys.executable)' \
	2>/dev/null)
FAST_PYTHON = $(or $(if $(filter file,$(origin PYTHON)),$(SYSTEM_PYTHON)),$(PYTHON))
TEST_NODE_MODULES := $(patsubst %/package.json,%/node_modules/.package-lock.json,\
	$(wildcard tests/*/package.json tests/*/*/package.json))
BENCH_NODE_MODULES := $(patsubst %/package.json,%/node_modules/.package-lock.json,$(wildcard bench/*/package.json))

# Every program would compile hundreds of modules anew each time it starts, and tests start hundreds of programs.
unexport PYTHONDONTWRITEBYTECODE

# Node.js may come from the virtual environment, where the system has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve migrate test check fix requirements translations bench bench-here bench-scale bench-growth flame soak chaos \
	test-needs test-programs bench-needs bench-programs

help:  ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.stamp-demo  ## run the server, a guarded MCP server and print what to paste into MCP clients
	@$(BIN)/python -m demo

serve: $(VENV)/.stamp-demo  ## run the authorization server alone, with the settings of this folder
	@$(BIN)/authserver serve

migrate: $(VENV)/.stamp-demo  ## bring the database of this folder's settings up to date
	@$(BIN)/authserver migrate

test: check test-needs  ## check, then run all tests on SQLite and on PostgreSQL, and print the requirements held
	@status=0; \
	for database in sqlite postgresql; do \
		$(BIN)/python -m pytest -n logical --database=$$database || status=1; \
	done; \
	$(BIN)/python -m tests.requirements || status=1; \
	exit $$status

requirements: $(VENV)/.stamp-dev  ## print which test holds which requirement, from the last run
	@if ls var/requirements/*.json >/dev/null 2>&1; \
	then $(BIN)/python -m tests.requirements; \
	else $(MAKE) --no-print-directory test; fi

check: $(VENV)/.stamp-dev  ## style, types, layers, lengths, links, and what nothing uses
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.file_length
	$(BIN)/python -m tools.dead_links
	$(BIN)/python -m tools.dead_code
	$(BIN)/yamllint --strict deploy
	$(BIN)/shellcheck deploy/*.sh deploy/image/*.sh
	if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint deploy/Dockerfile; fi
	$(BIN)/deptry authserver
	cd middleware && $(CURDIR)/$(BIN)/deptry mcp_token_guard

fix: $(VENV)/.stamp-dev  ## mend what can be mended by machine: format, import order, simple lint
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format --quiet

translations: $(VENV)/.stamp-dev  ## gather the texts of pages, bring the catalogues of languages up to date, compile them
	@$(BIN)/python -m tools.translations

bench:  ## measure the server beside its peers, and the guard's cost per call; ONLY=refresh,guard a part
	@$(MAKE) --no-print-directory PYTHON=$(FAST_PYTHON) VENV=var/bench-env bench-here

bench-here: bench-needs
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

bench-scale: $(VENV)/.stamp-dev  ## measure the console over millions of rows (about ten minutes, 20 GB); SCALE=0.01 for fewer
	@$(BIN)/python -m bench.scale $(if $(SCALE),--scale $(SCALE))

chaos: $(VENV)/.stamp-dev  ## break what can break, under load, into docs/reliability.md (ten minutes); ONLY=failover,half-open a part
	@$(BIN)/python -m tools.system_needs chaos
	@$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY),--page)

bench-growth: bench-needs  ## measure the hot path over 10 million grants, beside an empty database (20 GB); SCALE=0.1 for fewer
	@$(BIN)/python -m bench.growth $(if $(SCALE),--scale $(SCALE))

flame: bench-needs  ## draw in which functions a worker spends its time, into docs/images; CALL=client for another than refresh
	@$(BIN)/python -m bench.flame $(if $(CALL),--call $(CALL))

soak: $(VENV)/.stamp-dev  ## an hour of mixed load: memory, tables and latency are to stay flat; MINUTES=15 for less
	@$(BIN)/python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES))

# ---- what the targets above stand on

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=…")'
	@echo "Setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# Dependency groups need pip 25.1; an environment made by another tool may have no pip at all.
$(VENV)/.stamp-pip: | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(PIP) install 'pip>=25.1'
	@touch $@

$(VENV)/.stamp-demo: $(DECLARED) | $(VENV)/.stamp-pip
	@echo "Installing what the demo needs"
	@$(INSTALL) --group demo
	@touch $@

$(VENV)/.stamp-dev: $(DECLARED) | $(VENV)/.stamp-pip
	@echo "Installing what the tests need"
	@$(INSTALL) --group dev
	@touch $@ $(VENV)/.stamp-demo

$(VENV)/.stamp-bench: $(VENV)/.stamp-dev
	@echo "Installing what the bench needs"
	@$(PIP) install --constraint constraints.txt --group bench
	@touch $@

test-needs: test-programs $(TEST_NODE_MODULES)
bench-needs: bench-programs $(BENCH_NODE_MODULES)

test-programs: $(VENV)/.stamp-dev
	@$(BIN)/python -m tools.system_needs test

bench-programs: $(VENV)/.stamp-bench
	@$(BIN)/python -m tools.system_needs bench

$(TEST_NODE_MODULES): | test-programs
$(BENCH_NODE_MODULES): | bench-programs

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	@echo "Installing the npm packages of $*"
	@cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
