# Everything happens inside this folder: Python packages go to .venv, what the demo makes to demo-output.

PYTHON ?= python3
SHELL := /bin/bash
# Whatever the locale, text is UTF-8.
export PYTHONUTF8 := 1
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test test-slicer lint clean

help:
	@echo "make demo    train and try a classifier on made-up images, a few minutes; look into demo-output"
	@echo "make test    lint, types and all tests"
	@echo "SLICER=/path/to/Slicer make test-slicer    the Slicer module's own tests, in a real 3D Slicer"
	@echo "make lint    lint and types only"
	@echo "make clean   delete what make made: .venv, demo-output, caches"
	@echo "PYTHON=python3.12 make …   use another Python than python3 (3.10 or newer)"

demo: .venv/installed
	@rm -rf demo-output
	@$(BIN)/segclassify demo --output demo-output

test: lint
	@echo "Tests …"
	@$(BIN)/python -m pytest -n 2 --dist loadfile Testing/lib
	@echo "Tests of the Slicer module, in a stand-in of Slicer …"
	@$(BIN)/python -m pytest -n 2 --dist loadfile Testing/standin_tests Testing/module

# Slicer has to have what SegClassify needs: open the module once and let it install that.
test-slicer:
	@test -x "$(SLICER)" || { echo "Say where Slicer is: SLICER=/path/to/Slicer make test-slicer" >&2; exit 2; }
	"$(SLICER)" --testing --no-splash --ignore-slicerrc --additional-module-paths "$(CURDIR)/SegClassify" --python-code "import slicer.testing; slicer.testing.runUnitTest(['$(CURDIR)/SegClassify'], 'SegClassify.SegClassifyTest')"

lint: .venv/installed-dev
	@echo "Lint …"
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@echo "Types …"
	@$(BIN)/python -m mypy

clean:
	rm -rf .venv demo-output build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find SegClassifyLib SegClassify Testing -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.version_info >= (3, 10) or sys.exit(f"SegClassify needs Python 3.10 or newer, and $(PYTHON) is {v}: make PYTHON=/path/to/a/newer/python")'
	@$(PYTHON) -m venv .venv || { echo "$(PYTHON) could not make .venv: on Debian and Ubuntu install python3-venv first." >&2; exit 1; }

# Of pip's many lines the names of what it fetches are shown, so that a slow download does not look like a stop.
define install
	@echo "Installing SegClassify into .venv; the first time this fetches PyTorch, which is large …"
	@$(PIP) install -q 'pip>=23'
	@set -o pipefail; $(PIP) install --progress-bar off -c constraints.txt -e '$(1)' | sed -n 's/^Collecting \([^ ]*\).*/  \1/p'
endef

.venv/installed: pyproject.toml constraints.txt | $(BIN)/pip
	$(call install,.)
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | $(BIN)/pip
	$(call install,.[dev])
	@touch .venv/installed $@
