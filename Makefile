# Two commands do everything on a fresh machine: `make app` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: app test setup check lock screenshots clean

app: $(VENV)/.app-ready  ## open the app in a browser
	$(BIN)/streamlit run app.py --server.address localhost --server.port $(PORT) --server.headless false

test: $(VENV)/.test-ready  ## checks and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

setup: $(VENV)/.test-ready  ## build .venv from the pinned requirements

check: $(VENV)/.test-ready  ## the quick checks that run before each commit
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

lock: $(VENV)/.test-ready  ## pin every version anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header requirements-dev.in -o requirements-dev.txt

screenshots: $(VENV)/.test-ready  ## take the pictures of README.md again
	$(BIN)/python assets/screenshots/take.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# uv is five times faster than pip; where it cannot be had or fails, pip does the same. Compiled at once: where Python may
# not write its bytecode, every start would compile torch again.
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	-$(BIN)/python -m pip install --quiet uv==0.13.8

$(VENV)/.app-ready: requirements.txt | $(VENV)/bin/python
	$(INSTALL) requirements.txt || $(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.test-ready: requirements-dev.txt $(VENV)/.app-ready
	$(INSTALL) requirements-dev.txt || $(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@
