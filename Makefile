# make demo     a small sample library, scanned and searched
# make check    formatting, types and the fast tests: under three minutes on two cores
# make test     what the tests need, then all tests
# make coverage the same, with the lines that no test runs
# make soak     the series of kills and generated examples, ten times as long (SEEDS=100: longer still)
# make lint     formatting and types alone
# make bench    the benchmarks (BENCHMARK_OPTIONS=--quick only shows that they run)
# make docs     the tables in docs/ and config/default.toml, generated from the code
# make clean    remove what the targets made
# All use a virtual environment of their own; VENV= puts it elsewhere.

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN = $(VENV)/bin
BENCHMARK_OPTIONS ?=
# More than one at a time falsifies what they measure; `xargs` starts no other after one that ends with 255.
BENCHMARK_JOBS ?= 1
SEEDS ?= 30
# Rules, parsers, decoders and SQL. What starts whole runs, processes or models is left to `make test`.
FAST_TESTS = tests/test_architecture.py tests/test_readme.py tests/contract tests/unit/cli tests/unit/config \
	tests/unit/domain tests/unit/geo tests/unit/library/search tests/unit/media tests/unit/query tests/unit/stages \
	tests/unit/store tests/unit/vectors

.PHONY: help demo check test coverage soak lint bench docs clean system-packages

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

demo: $(VENV)/.base
	@tests/demo.sh $(BIN)

# The test command; .ci/run runs this target.
test: $(VENV)/.dev system-packages
	$(BIN)/python -m pytest -n 2

# Measuring makes the tests take half as long again.
coverage: $(VENV)/.dev system-packages
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered

check: lint
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not shared" $(FAST_TESTS)

soak: $(VENV)/.dev system-packages
	SOAK_SEEDS=$(SEEDS) $(BIN)/python -m pytest -n 2 tests/fault tests/property tests/unit/domain/sidecars

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev system-packages
	@printf '%s\n' benchmarks/bench_*.py | xargs -P $(BENCHMARK_JOBS) -I {} sh -c \
		'echo "== {} $(BENCHMARK_OPTIONS)"; $(BIN)/python {} $(BENCHMARK_OPTIONS) || exit 255'

docs: $(VENV)/.dev
	$(BIN)/python -m tests.reference

clean:
	rm -rf .venv .demo build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find photoindex tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "photoindex needs Python 3.11 or newer: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@touch $@ $(VENV)/.base

# Programs that some tests and benchmarks compare with: installed where that needs no question, else named.
system-packages:
	@missing=""; \
	for pair in exiftool:libimage-exiftool-perl strace:strace vipsthumbnail:libvips-tools chromium:chromium fzf:fzf zsh:zsh fish:fish; do \
		command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "apt-get install$$missing"; \
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; } \
			>/dev/null || echo "could not be installed:$$missing; the tests that need them will be skipped"; \
	else \
		echo "not installed:$$missing; the tests that need them will be skipped (sudo apt-get install$$missing)"; \
	fi
