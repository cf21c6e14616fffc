# Each target makes what it needs: a virtual environment in .venv, with the exact versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-all lint types bench clean

demo: .venv/demo  ## fit the sample data
	$(BIN)/distfit fit sample_data/zip_10000.csv --family zip --restarts 10

test: .venv/dev  ## the quick tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: .venv/dev  ## the quick and the slow tests
	$(BIN)/python -m pytest -n 2

lint: .venv/dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

bench: .venv/dev  ## every figure of docs/performance.md
	$(INSTALL) -e '.[dev,bench]'
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e .
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[dev]'
	touch $@ .venv/demo
