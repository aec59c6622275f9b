# `make demo` sets up and runs the demo company; `make test` sets up and runs all tests. Both can be run again.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
ARGS ?=
TESTS ?=
# Processes that run tests side by side, one more than cores, since tests wait for real servers half of their time; 0 runs
# all in one, as a debugger wants it.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# What the tests run for real; each is Debian's own package.
TEST_PACKAGES := prometheus prometheus-alertmanager prometheus-blackbox-exporter postgresql chromium docker-compose openssl fonts-dejavu-core maven default-jdk-headless nginx-light prometheus-nginx-exporter victoria-metrics

.DEFAULT_GOAL := help
.PHONY: help demo test soak lint bench generate

help: ## show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(VENV)/runtime.done ## install, then run the demo company and its meter (ARGS=--once polls once and ends)
	$(BIN)/platform-meter demo $(ARGS)

test: $(VENV)/dev.done $(VENV)/packages.done lint ## install, then run every check and every test (TESTS=tests/x for some, WORKERS=0 in one process)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

soak: $(VENV)/dev.done $(VENV)/packages.done ## what hangs on a clock, on a machine with nothing else to do: a stop of a real Prometheus
	PATH="$(CURDIR)/$(BIN):$$PATH" PLATFORM_METER_SOAK=1 $(BIN)/python -m pytest -n 0 tests/real/test_stops.py

lint: $(VENV)/dev.done ## formatting, ruff, mypy strict, the dependency rule
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.done ## measure against peers and floors; the tables are in bench/README.md
	$(BIN)/python -m bench

generate: $(VENV)/dev.done ## rewrite generated rules, tests, dashboards and documentation
	$(BIN)/platform-meter generate
	$(BIN)/python -m platform_meter.cli.reference

$(VENV)/bin/python:
	@echo "== making the virtual environment"
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || ($(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-venv python3-pip)
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.done: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "== installing platform-meter"
	@[ -e $(VENV)/dev.done ] || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "== installing platform-meter with its test tools"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/runtime.done

$(VENV)/packages.done: Makefile | $(VENV)/bin/python
	@echo "== installing the real servers that the tests use"
	@missing=$$(dpkg-query -W -f '$${Status} $${Package}\n' $(TEST_PACKAGES) 2>/dev/null | awk '/ok installed/ {print $$4}' | sort > $(VENV)/have; \
	  printf '%s\n' $(TEST_PACKAGES) | sort | comm -23 - $(VENV)/have); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; fi
	@touch $@
