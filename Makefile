# SPDX-License-Identifier: GPL-2.0-or-later
# demo and test do all the set-up themselves: system packages that are missing (.ci/setup), and a virtual environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A plain path file instead of an import hook: the hook would cost each run some milliseconds.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --config-settings editable_mode=compat --editable
PYTEST = $(BIN)/pytest -n auto

.PHONY: help demo test check lint golden bench kunit-e2e bot-chaos clean

help:
	@echo "make demo    find the base of a series that ships here, in a git tree made for it"
	@echo "make test    run the tests"
	@echo "make check   linters, types, layers and tests: what must be green before a commit"
	@echo "make golden  write the expected output of the commands anew; read the diff"
	@echo "make bench   measure; some of it on a repository of yours: make bench REPO=/path/to/git"
	@echo "make kunit-e2e  kunit-build on a real kernel (some minutes); KERNEL=/path/to/linux, or Debian's linux-source"
	@echo "make bot-chaos  kill bots 200 times on SQLite and 200 times on Postgres (a quarter of an hour)"
	@echo "make clean   remove what the above made"

demo: $(VENV)/.stamp-run
	@$(BIN)/python series/demo.py

test: $(VENV)/.stamp-dev
	@$(PYTEST)

check: lint
	@$(PYTEST)

lint: $(VENV)/.stamp-dev
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "hint: run '$(BIN)/ruff format'" >&2; false; }
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports

golden: $(VENV)/.stamp-dev
	@$(PYTEST) tests/cli tests/unit/util/test_config.py --refresh-golden
	@git --no-pager diff --stat -- tests/cli docs/man

bench: $(VENV)/.stamp-dev
	@$(BIN)/python -m benchmarks $(REPO)

kunit-e2e: $(VENV)/.stamp-dev
	@$(BIN)/python -m tests.e2e.kunit_e2e $(if $(KERNEL),--kernel $(KERNEL)) $(if $(ROUNDS),--rounds $(ROUNDS))

bot-chaos: $(VENV)/.stamp-dev
	@$(BIN)/python -m tests.e2e.bot_chaos --database sqlite
	@$(BIN)/python -m tests.e2e.bot_chaos --database postgres

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.stamp-run: pyproject.toml .ci/setup
	@.ci/setup demo
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "setup: installing the Python packages into $(VENV)" >&2
	@$(PIP_INSTALL) .
	@$(BIN)/python -m compileall -q seriestool
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run
	@.ci/setup test
	@$(PIP_INSTALL) '.[dev]'
	@touch $@
