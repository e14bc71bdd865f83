# `make demo` trains and scores on the embedded data set, `make test` runs all tests, `make lint`
# checks style, imports and types, `make check` is lint and the fast tests, and `make docs` builds the
# documentation site in build/site.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Flags of tests go here: make test PYTEST_FLAGS="-k projector".
PYTEST_FLAGS ?=

.PHONY: demo test lint check docs install

demo: install
	$(BIN)/python -m ptn_semi.reconstruct --color --output_dir=runs/first ptn_semi/examples/chair.png
	@echo "a first mesh, of the model that comes with the package: runs/first/chair.glb, chair.png"
	@echo "now a model is trained here, for some minutes"
	$(BIN)/python -m ptn_semi.train --flagfile=ptn_semi/configs/quickstart.flags --workdir=runs/quickstart
	$(BIN)/python -m ptn_semi.evaluate --workdir=runs/quickstart --split=test --evaluated_views=6
	$(BIN)/python -m ptn_semi.reconstruct --model=runs/quickstart --output_dir=runs/quickstart/images ptn_semi/examples/chair.png
	@echo
	@echo "model and scores:     runs/quickstart (eval_test.json)"
	@echo "test reconstructions: runs/quickstart/eval_test.png"
	@echo "an image as a mesh:   runs/quickstart/images/chair.glb, its picture chair.png"
	@echo "a page to try it on:  $(BIN)/python -m ptn_semi.demo --model=runs/quickstart"
	@echo "curves and shapes:    $(BIN)/tensorboard --logdir=runs/quickstart/tensorboard"

test: install
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

check: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(PYTEST_FLAGS)

docs: $(VENV)/installed_docs
	$(BIN)/python -m tools.site_pages
	$(BIN)/zensical build --clean --strict
	@echo "the site: build/site/index.html; to read it with search: $(BIN)/zensical serve"

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c "import venv, ensurepip" 2> /dev/null || { echo "error: $(PYTHON) with venv is \
	missing: apt-get install python3.11 python3.11-venv, or give another as PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[all,test]'
	touch $@

$(VENV)/installed_docs: $(VENV)/installed
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@
