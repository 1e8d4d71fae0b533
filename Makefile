# `make check` is what every commit passes; `.ci/run` adds the built wheel and the clean environment.
PYTHON ?= .venv/bin/python
.PHONY: check lint types arrows test calibration locks advisories outdated

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

# What SFace's scores mean: minutes, the test faces beside the repository, and the same bytes from the same code.
calibration:
	$(dir $(PYTHON))recognizance evaluate calibrate ../shared/faces/lfw.csv --decision benchmarks/lfw-decision.csv \
	    --description "Labeled Faces in the Wild, 5,151 grey crops" --out src/recognizance/faces/tables/sface-2021dec.json

# Whether anybody has published an advisory about what runs. It asks a database elsewhere, so no check depends on it; what
# couldn't be asked about fails. AUDIT says more to pip-audit, such as which database.
advisories:
	$(PYTHON) -m pip_audit --strict --disable-pip --require-hashes --progress-spinner off \
	    --requirement requirements/run.lock $(AUDIT)

# What is there in a newer version than is installed here, from the package index that pip is set up with.
outdated:
	$(PYTHON) -m pip list --outdated --disable-pip-version-check $(INDEX)

# Names and hashes only: no registry's address, no path of a machine.
locks:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    --output-file requirements/run.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    --extra onnxruntime --extra heic --group dev --constraint requirements/run.lock \
	    --output-file requirements/dev.lock pyproject.toml
