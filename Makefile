PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PEERS := .venv-bench/installed
BENCH ?= data/bench
CHROMIUM := $(shell command -v chromium)
NO_BROWSER := $(if $(CHROMIUM),, and not browser)
NPM := $(shell command -v npm)
NO_AZURE := $(if $(NPM),, and not azure)
AZURITE := $(VENV)/azurite/installed
PYTEST_ARGS = -n auto --dist loadfile --no-loadscope-reorder
PYTEST = $(BIN)/python -m pytest $(PYTEST_ARGS)
ADD := $(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --require-hashes
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --no-strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.PHONY: help run up test test-slow test-all lint format coverage docs pictures fuzz soak chaos overhead spark clients fidelity \
	bench growth transfers lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null || true

run: $(INSTALLED)  ## publish seeds/ into warehouse/
	@$(BIN)/broadsheet run

up: $(INSTALLED)  ## start a Prefect server and a worker that publish every hour, until Ctrl-C
	@exec $(BIN)/broadsheet up

test: lint  ## lint, then run the fast tests: 3 minutes
	@$(if $(CHROMIUM),,echo "make: skipping tests of HTML pages, which need Chromium; run: apt-get install chromium")
	@$(PYTEST) -m "not slow$(NO_BROWSER)"

test-slow: $(INSTALLED) $(if $(NPM),$(AZURITE))  ## run the tests with servers, clusters, stores, kills and random changes: 15 minutes
	@$(if $(NPM),,echo "make: skipping tests of az:// URLs, which need npm; run: apt-get install npm")
	@$(PYTEST) -m "slow$(NO_BROWSER)$(NO_AZURE)"

test-all: test test-slow  ## run all tests

lint: $(INSTALLED)  ## check style, types and import layers
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache --no-logo >$(VENV)/imports || { cat $(VENV)/imports; exit 1; }

format: $(INSTALLED)  ## format the code and apply automatic fixes
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

# Failures are ignored: tests of time limits and of unprivileged users may fail under measurement.
coverage: $(INSTALLED)  ## list the lines and branches that the fast tests do not run: 5 minutes
	@$(BIN)/coverage erase
	@-$(BIN)/coverage run -m pytest $(PYTEST_ARGS) -m "not slow$(NO_BROWSER)"
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

docs: $(INSTALLED)  ## regenerate docs/tables.md
	@$(BIN)/python -m docs.write_tables

pictures: $(INSTALLED)  ## regenerate the pictures in docs/: 1 minute; needs Chromium and the Noto fonts with CJK
	@$(BIN)/python -m docs.write_pictures

fuzz: $(INSTALLED)  ## test 100,000 random articles per property, all spellings of front matter, and hostile bodies
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto tests/test_properties.py tests/test_fidelity.py \
		tests/test_spellings.py
	@BODY_BYTES=1990000 $(BIN)/python -m pytest tests/test_hostile_bodies.py

soak: $(INSTALLED)  ## run the tests with kills, readers and random changes for an hour
	@HYPOTHESIS_PROFILE=soak KILLS=200 PUBLISHES=200 $(BIN)/python -m pytest -n auto \
		tests/test_crash.py tests/test_readers.py tests/test_incremental.py

chaos: $(INSTALLED)  ## kill processes during scheduled runs, and measure the recovery: 15 minutes
	@$(BIN)/python -m benchmarks.chaos

overhead: $(INSTALLED)  ## compare a scheduled run without changes with an empty flow: 5 minutes
	@$(BIN)/python -m benchmarks.overhead

spark: $(INSTALLED)  ## test that Spark reads editions while others are published; needs Java 17
	@$(ADD) --requirement tests/requirements/build.lock
	@$(ADD) --no-build-isolation --requirement tests/requirements/spark.lock
	@READERS=pyspark PUBLISHES=50 $(BIN)/python -m pytest tests/test_readers.py

clients: $(INSTALLED)  ## test the Jupyter recipe; installs its kernel
	@$(ADD) --requirement tests/requirements/clients.lock
	@CLIENTS=jupyter $(BIN)/python -m pytest tests/test_clients.py

fidelity: $(INSTALLED)  ## compare parsed images with an independent renderer: make fidelity CORPUS=folder
	@$(BIN)/python benchmarks/fidelity.py $(or $(CORPUS),seeds)

bench: $(INSTALLED) $(PEERS)  ## compare with other tools: make bench ARTICLES=100000 ROUNDS=3 CONTENDERS="floor broadsheet"
	@$(BIN)/python -m benchmarks.bench $(BENCH) --articles $(or $(ARTICLES),10000) --rounds $(or $(ROUNDS),3) \
		--processes $(or $(PROCESSES),2) $(if $(CONTENDERS),--contenders $(CONTENDERS))

growth: $(INSTALLED)  ## measure time and memory of growing corpora: make growth COUNTS="1000 10000"
	@$(BIN)/python -m benchmarks.growth $(BENCH) $(or $(COUNTS),1000 10000 100000 1000000)

transfers: $(INSTALLED)  ## count requests to an object store and their bytes: make transfers COUNTS="2000 10000 20000"
	@$(BIN)/python -m benchmarks.transfers $(COUNTS)

lock: $(INSTALLED)  ## update requirements.lock and the locks of spark, clients, extensions, azurite and bench
	$(COMPILE) pyproject.toml --all-extras --output-file requirements.lock
	$(COMPILE) benchmarks/peers/requirements.txt --output-file benchmarks/peers/requirements.lock
	$(COMPILE) tests/requirements/extensions.txt --output-file tests/requirements/extensions.lock
	npm install --prefix tests/requirements/azurite --package-lock-only --silent --omit-lockfile-registry-resolved
	$(foreach name,build spark clients,$(COMPILE) tests/requirements/$(name).txt --constraints requirements.lock \
		--output-file tests/requirements/$(name).lock &&) true

clean:  ## remove environments and caches, but not the warehouse
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*

# The lock is complete and has hashes, so pip resolves no dependencies.
$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Broadsheet needs Python 3.11 or newer. Select one with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "make: Python cannot create virtual environments here; run: apt-get install python3-venv"; exit 1; }
	@echo "Installing requirements.lock into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --require-hashes --requirement requirements.lock
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(AZURITE): $(INSTALLED) tests/requirements/azurite/package-lock.json
	@echo "Installing azurite into $(VENV)/azurite …"
	@mkdir -p $(@D)
	@cp tests/requirements/azurite/package*.json $(@D)
	@npm ci --prefix $(@D) --silent --no-fund --no-audit --omit=optional
	@touch $@

# The other tools are larger than everything that Broadsheet installs, so they have a separate environment.
$(PEERS): benchmarks/peers/requirements.lock
	@echo "Installing the other tools into .venv-bench …"
	@$(PYTHON) -m venv .venv-bench
	@PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-bench/bin/pip install -qq --no-deps --require-hashes --requirement $<
	@touch $@
