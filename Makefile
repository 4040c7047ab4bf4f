# Attention for semantic segmentation, built from scratch. `make help` lists what there is to do.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help environment book book-teacher pdf serve test unit chapters browser lint derive requirements lab experiments check hooks links release clean

help:  ## Say what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

environment:
	@tools/environment.sh

book: environment  ## Execute the chapters and build the HTML book
	@echo "Building the book: every chapter is executed, then rendered (minutes at first, seconds when nothing changed)."
	@$(PY) tools/book.py build

book-teacher: environment  ## Build the edition with the assignments' solutions
	@echo "Building the teacher's edition."
	@$(PY) tools/book.py build --teacher

pdf: environment  ## Print the built book into one PDF (needs Chromium)
	@echo "Printing the built book: every page becomes paper, twice; that takes minutes."
	@$(PY) tools/pdf.py

serve: environment  ## Show the built book on http://127.0.0.1:8000
	@$(PY) tools/book.py serve

test: unit chapters  ## Run the unit tests and every chapter

unit: environment
	@echo "Running the unit tests, two at a time."
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 -m "not browser"

chapters: environment
	@echo "Running every chapter, and the answers to its exercises, from top to bottom, two at a time."
	@OMP_NUM_THREADS=1 $(PY) tools/book.py chapters

browser: environment  ## Open every page of the built book in headless Chromium
	@echo "Opening every page of the built book in headless Chromium."
	@SEGTUT_REQUIRE_BROWSER=1 $(PY) -m pytest -m browser tests/book

lint: environment  ## Check style, spelling, stripped notebooks and derived links
	@echo "Checking style, spelling, stripped notebooks and derived links."
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m codespell_lib
	@$(PY) -m nbstripout --verify $$(find notebooks assignments -name "*.ipynb" -not -path "*/.ipynb_checkpoints/*")
	@$(PY) tools/derive.py --check
	@$(PY) tools/assignments.py --check
	@$(PY) tools/diagrams.py --check

check: lint  ## Check what a change touches: style, the tests of what changed, the changed chapters
	@$(PY) tools/check.py --since "$(SINCE)"

hooks: environment  ## Check style before every commit, too
	@$(PY) -m pre_commit install

derive: environment  ## Write what follows from other files: links, badges, bootstrap cells, the students' assignments, diagrams
	@$(PY) tools/derive.py
	@$(PY) tools/assignments.py
	@$(PY) tools/diagrams.py

lab: environment  ## Open the chapters in JupyterLab
	@$(PY) -m jupyter lab --notebook-dir=notebooks

DATA ?= data/camvid
experiments: environment  ## Run the book's experiments on a GPU, with CamVid in DATA (data/camvid), and keep their cards
	@$(PY) -m segtut.cli experiment all --data "$(DATA)" --cards segtut/runs

requirements: environment  ## Resolve requirements.txt anew (for maintainers)
	@$(PY) -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--no-annotate --no-header --no-emit-index-url --quiet --output-file requirements.txt
	@echo 'd2l==1.0.3' >> requirements.txt
	@LC_ALL=C sort -o requirements.txt requirements.txt

links: book  ## Follow the links that lead out of the book (needs network)
	@echo "Following the links that lead out of the book; this needs network."
	@$(PY) tools/links.py

release: environment  ## Build wheel, book archive and PDF into _build/release; TAG=vX.Y.Z must fit (for maintainers)
	@$(PY) tools/release.py check --tag "$(TAG)"
	@$(MAKE) book pdf
	@$(PY) tools/release.py build --tag "$(TAG)"

clean:  ## Remove the built book, caches and the environment
	@echo "Removing .venv, _build and caches; data and runs stay."
	@rm -rf .venv _build build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
