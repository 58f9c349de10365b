# Two commands do everything on a fresh machine: `make app` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Processes that run tests beside each other: many tests wait for a browser or for another process.
WORKERS ?= 2
TORCH_BACKEND ?= auto

.PHONY: app test setup check lock docs screenshots clean

app: $(VENV)/.app-ready  ## open the app in a browser
	$(BIN)/python -m metaiqa_core app --port $(PORT)

test: $(VENV)/.test-ready  ## checks and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

setup: $(VENV)/.test-ready  ## build .venv from the pinned requirements

check: $(VENV)/.test-ready  ## the quick checks that run before each commit
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

lock: $(VENV)/.test-ready  ## pin every version anew
	$(COMPILE) requirements.in -o requirements.txt && $(call WITHOUT_COMPANIONS,requirements.txt)
	$(COMPILE) requirements-dev.in -o requirements-dev.txt && $(call WITHOUT_COMPANIONS,requirements-dev.txt)

COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header
# torch names its companions for a GPU itself, each with its exact version; a build for the processor alone has none.
WITHOUT_COMPANIONS = awk '/^[^ ]/ { kept = !/^(nvidia-|cuda-|triton)/ } kept' $(1) > $(1).new && mv $(1).new $(1)

docs: $(VENV)/.test-ready  ## write what docs/ says of the code: the map of the house, the list of commands
	$(BIN)/python -m docs.house_map
	$(BIN)/python -m docs.commands

screenshots: $(VENV)/.test-ready  ## take the pictures of README.md again
	$(BIN)/python assets/screenshots/take.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# uv is five times faster than pip; where it cannot be had or fails, pip does the same. Compiled at once: where Python may
# not write its bytecode, every start would compile torch again.
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
# torch for this machine: without its 3 GB for a GPU where there is none (`make app TORCH_BACKEND=cpu` leaves them out
# anyway). Such builds have an index of their own; one short try tells whether it can be reached and has these versions, and
# if not, the ordinary build comes instead.
TORCH = $(shell grep -E '^torch(vision)?==' requirements.txt)
FITTING = $(shell UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=10 $(INSTALL) --dry-run --torch-backend $(TORCH_BACKEND) $(TORCH) \
	>/dev/null 2>&1 && echo --torch-backend $(TORCH_BACKEND))

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	-$(BIN)/python -m pip install --quiet uv==0.13.8

$(VENV)/.app-ready: requirements.txt | $(VENV)/bin/python
	$(INSTALL) $(FITTING) -r requirements.txt || $(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.test-ready: requirements-dev.txt $(VENV)/.app-ready
	$(INSTALL) $(FITTING) -r requirements-dev.txt || $(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@
