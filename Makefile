# `make check` is what every commit passes; `.ci/run` adds the built wheel and the clean environment.
PYTHON ?= .venv/bin/python
.PHONY: check lint types arrows test locks

check: lint types arrows test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy
	$(PYTHON) -m basedpyright

arrows:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as run; run()"

test:
	$(PYTHON) -m pytest -n auto --maxprocesses 4 --dist worksteal

# Names and hashes only: no registry's address, no path of a machine.
locks:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    --output-file requirements/run.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    --extra onnxruntime --extra heic --group dev --constraint requirements/run.lock \
	    --output-file requirements/dev.lock pyproject.toml
