PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PEERS := .venv-bench/installed
BENCH ?= data/bench
CHROMIUM := $(shell command -v chromium)
NO_BROWSER := $(if $(CHROMIUM),, and not browser)
PYTEST = $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
ADD := $(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --require-hashes
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --no-strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.PHONY: help run up test test-slow test-all lint format docs pictures fuzz soak chaos overhead spark clients fidelity bench growth lock clean

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null || true

run: $(INSTALLED)  ## publish an edition from seeds/ into warehouse/
	@$(BIN)/broadsheet run

up: $(INSTALLED)  ## publish every hour: a Prefect server, its UI and a worker, until Ctrl-C
	@exec $(BIN)/broadsheet up

test: lint  ## lint, check types, test: three minutes
	@$(if $(CHROMIUM),,echo "make: pages are not tested without Chromium; run: apt-get install chromium")
	@$(PYTEST) -m "not slow$(NO_BROWSER)"

test-slow: $(INSTALLED)  ## test with servers, clusters, stores, kills and random newsrooms: a quarter of an hour
	@$(PYTEST) -m "slow$(NO_BROWSER)"

test-all: test test-slow  ## all tests

lint: $(INSTALLED)  ## lint, check types and the levels of imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache --no-logo >$(VENV)/imports || { cat $(VENV)/imports; exit 1; }

format: $(INSTALLED)  ## fix what can be fixed automatically
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

docs: $(INSTALLED)  ## rewrite docs/tables.md
	@$(BIN)/python -m docs.write_tables

pictures: $(INSTALLED)  ## retake the pictures of docs/, a minute; needs Chromium
	@$(BIN)/python -m docs.write_pictures

fuzz: $(INSTALLED)  ## a hundred thousand random articles a property, every spelling of front matter, and hostile bodies
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto tests/test_properties.py tests/test_fidelity.py \
		tests/test_spellings.py
	@BODY_BYTES=1990000 $(BIN)/python -m pytest tests/test_hostile_bodies.py

soak: $(INSTALLED)  ## an hour of kills, readers and random newsrooms
	@HYPOTHESIS_PROFILE=soak KILLS=200 PUBLISHES=200 $(BIN)/python -m pytest -n auto \
		tests/test_crash.py tests/test_readers.py tests/test_incremental.py

chaos: $(INSTALLED)  ## kill parts of a running schedule, and print how each case ends: a quarter of an hour
	@$(BIN)/python -m benchmarks.chaos

overhead: $(INSTALLED)  ## what a scheduled run costs where nothing is new, beside an empty flow: five minutes
	@$(BIN)/python -m benchmarks.overhead

spark: $(INSTALLED)  ## read editions with Spark while others are published; needs Java 17
	@$(ADD) --requirement tests/requirements/build.lock
	@$(ADD) --no-build-isolation --requirement tests/requirements/spark.lock
	@READERS=pyspark PUBLISHES=50 $(BIN)/python -m pytest tests/test_readers.py

clients: $(INSTALLED)  ## run the recipe for Jupyter, with its kernel
	@$(ADD) --requirement tests/requirements/clients.lock
	@CLIENTS=jupyter $(BIN)/python -m pytest tests/test_clients.py

fidelity: $(INSTALLED)  ## compare our images with an independent renderer's: make fidelity CORPUS=folder
	@$(BIN)/python benchmarks/fidelity.py $(or $(CORPUS),seeds)

bench: $(INSTALLED) $(PEERS)  ## compare with others: make bench ARTICLES=100000 ROUNDS=3 CONTENDERS="floor broadsheet"
	@$(BIN)/python -m benchmarks.bench $(BENCH) --articles $(or $(ARTICLES),10000) --rounds $(or $(ROUNDS),3) \
		--processes $(or $(PROCESSES),2) $(if $(CONTENDERS),--contenders $(CONTENDERS))

growth: $(INSTALLED)  ## time and memory of growing corpora: make growth COUNTS="1000 10000"
	@$(BIN)/python -m benchmarks.growth $(BENCH) $(or $(COUNTS),1000 10000 100000 1000000)

lock: $(INSTALLED)  ## update requirements.lock, and the locks of spark, clients and bench
	$(COMPILE) pyproject.toml --all-extras --output-file requirements.lock
	$(COMPILE) benchmarks/peers/requirements.txt --output-file benchmarks/peers/requirements.lock
	$(foreach name,build spark clients,$(COMPILE) tests/requirements/$(name).txt --constraints requirements.lock \
		--output-file tests/requirements/$(name).lock &&) true

clean:  ## remove what make has made, the warehouse aside
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .hypothesis

# Exact versions with hashes; the lock is complete, so nothing is left to resolve.
$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Broadsheet needs Python 3.11 or newer; name one with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "make: Python cannot make virtual environments here; run: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV), once for this requirements.lock …"
	@$(PYTHON) -m venv $(VENV)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --require-hashes --requirement requirements.lock
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# Others weigh more than all that Broadsheet installs, so they live apart.
$(PEERS): benchmarks/peers/requirements.lock
	@echo "Installing what others need into .venv-bench …"
	@$(PYTHON) -m venv .venv-bench
	@PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-bench/bin/pip install -qq --no-deps --require-hashes --requirement $<
	@touch $@
