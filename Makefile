# Everything here works with git, make and Python 3.11 or newer; the rest is installed into .venv.
#
#   make PYTHON=python3.12 test      another interpreter (for a new .venv)

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
PYTEST_ARGS ?=
BENCH_ARGS ?= --page docs/performance.md

.DEFAULT_GOAL := help
.PHONY: help demo test test-deep lint format docs bench clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## measure crater rims on the sample Moon: a table and pictures in demo/
	@$(RUN) -m craterkit demo --out demo

test: $(VENV)/.installed-test ## run all tests and the examples in docstrings
	@$(RUN) -m pytest $(PYTEST_ARGS)

test-deep: $(VENV)/.installed-test ## compare thousands of random maps with a brute force, for minutes
	@$(RUN) -m pytest -m deep -n auto tests/test_random_maps.py $(PYTEST_ARGS)

lint: $(VENV)/.installed-lint ## ruff (rules and format) and mypy --strict
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

format: $(VENV)/.installed-lint ## let ruff fix what it can
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

docs: $(VENV)/.installed-docs ## build the documentation in docs/_build/html
	@$(RUN) -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.installed-peers ## run the benchmarks, their table into docs/performance.md
	@$(RUN) -m benchmarks $(BENCH_ARGS)

clean: ## remove what the other targets made, except .venv
	@rm -rf demo docs/_build docs/notebooks dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	@rm -rf $(VENV)

# Stamps: a file in .venv for each set of packages; installed again once pyproject.toml is newer.

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	    "craterkit needs Python 3.11 or newer, but $(PYTHON) is %d.%d; try make PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) cannot make a virtual environment (on Debian and Ubuntu: install python3-venv)"; \
	    exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	@echo "installing craterkit into $(VENV)"
	@$(PIP) install -qq --editable .
	@touch $@

$(VENV)/.installed-%: $(VENV)/.created pyproject.toml
	@echo "installing craterkit[$*] into $(VENV)"
	@$(PIP) install -qq --editable '.[$*]'
	@touch $@
