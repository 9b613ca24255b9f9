# Two commands for a newcomer: `make demo` and `make test`. Each installs what it needs into an environment of its own.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types unit safe safe-part oldest chaos chaos-long bench-core bench-credentials bench-resources bench-s3 bench-fleet bench-inventory stubs coverage-page constraints clean help

help: ## list the commands
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## list a whole embedded organisation: no AWS account, no questions
	@$(BIN)/mangrove demo

test: lint types unit safe-part oldest ## run everything: lint, types, the layers, all tests on both ends of boto3, and in safe mode
	@echo "make test: all passed"

lint: $(VENV)/.test ## style, the contract of the layers, and whether the stubs and the coverage page are up to date
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/generate_stubs.py --check
	$(BIN)/python scripts/generate_resource_stubs.py --check
	$(BIN)/python scripts/generate_coverage.py --check

types: $(VENV)/.test ## mypy and pyright, on the package and on what its users write
	$(BIN)/mypy
	$(BIN)/mypy --strict tests/typing
	$(BIN)/pyright --pythonpath $(BIN)/python src tests/typing

unit: $(VENV)/.test ## all tests, with the newest boto3
	$(BIN)/python -m pytest -n 2

safe: $(VENV)/.test ## all tests, with clients made in botocore's own way
	MANGROVE_SAFE_MODE=1 $(BIN)/python -m pytest -n 2

# How clients are made changes nothing in these. Of S3, the engine that is a client of botocore's stands for all.
NOT_OF_CLIENTS := test_parsers test_parsers_laws test_hostile_bodies test_kept test_derive_every_service test_zoo test_demo \
	test_boto3_extensions_names test_boto3_extensions_bugs test_cli_resources test_seed test_embedded_aws \
	test_zoo_resources test_inventory test_cli_ls test_cli_sql test_testing_faults $(filter-out test_s3_boto test_s3_connection,$(notdir $(basename $(wildcard tests/functional/test_s3_*.py)))) \
	$(notdir $(basename $(wildcard tests/functional/test_cli_s3*.py)))
safe-part: $(VENV)/.test ## the tests that make clients, with clients made in botocore's own way
	MANGROVE_SAFE_MODE=1 $(BIN)/python -m pytest -n 2 tests/functional $(NOT_OF_CLIENTS:%=--ignore=tests/functional/%.py)

# Other programs, a browser and type checkers are the same beside any boto3, as is what S3's own engine does with servers.
NOT_OF_BOTO3 := browser unit/test_resource_stubs.py unit/test_report_chromium.py functional/test_s3_interop.py \
	functional/test_cli_s3_end_to_end.py functional/test_nullaws.py functional/test_s3_lean_network.py
oldest: .venv-oldest/.test ## the tests of what boto3 and Python are part of, with the oldest boto3 on the oldest Python that is here
	.venv-oldest/bin/python -m pytest -n 2 $(NOT_OF_BOTO3:%=--ignore=tests/%)

chaos: $(VENV)/.test ## 20,000 operations while a fifth of all requests goes wrong: S3, fleet and credentials, three seeds (about 4 minutes)
	MANGROVE_CHAOS_OPERATIONS=20000 MANGROVE_CHAOS_SEEDS=1,2,3 $(BIN)/python -m pytest -n 2 --show-capture=no tests/chaos

chaos-long: $(VENV)/.test ## 600,000 operations at 5, 20 and 50 % faults, a million small ones, 2,000 objects of parts and one of 6 GiB
	$(BIN)/python tests/chaos/long.py

bench-core: $(VENV)/.test ## measure clients, connections and parsers beside plain boto3 (about 20 minutes)
	$(BIN)/python benchmarks/core.py --json benchmarks/core.json
	$(BIN)/python benchmarks/parsers.py --json benchmarks/parsers.json

bench-credentials: $(VENV)/.test ## count what STS is asked, beside three rivals (installs them into .venv-bench; about 10 minutes)
	$(BIN)/python benchmarks/credentials.py --json benchmarks/credentials.json

bench-resources: $(VENV)/.test ## measure resources beside plain boto3: start, lists with ARNs, from an ARN (about 5 minutes)
	$(BIN)/python benchmarks/resources.py --json benchmarks/resources.json

bench-s3: $(VENV)/.test ## measure S3 beside eight rivals and a C client (installs them into .venv-bench; about an hour)
	$(BIN)/python benchmarks/s3/run.py --json benchmarks/s3.json

bench-fleet: $(VENV)/.test ## measure runs over accounts and regions beside botocove and runacross (installs them into .venv-bench-fleet; about 45 minutes)
	$(BIN)/python benchmarks/fleet/run.py --json benchmarks/fleet.json

bench-inventory: $(VENV)/.test ## measure the inventory beside a loop of boto3 and json, and the report in a browser (about 20 minutes)
	$(BIN)/python benchmarks/inventory/run.py --json benchmarks/inventory.json

stubs: $(VENV)/.test ## write services.pyi and the stubs of resources anew from the installed botocore
	$(BIN)/python scripts/generate_stubs.py
	$(BIN)/python scripts/generate_resource_stubs.py

coverage-page: $(VENV)/.test .venv-oldest/.test ## write docs/coverage.md anew from both ends of the supported boto3
	$(BIN)/python scripts/generate_coverage.py .venv-oldest/bin/python

constraints: ## write the versions that the tests run with anew, from what is newest now
	$(PYTHON) scripts/environment.py --freeze newest
	$(PYTHON) scripts/environment.py --freeze oldest

# -- environments: made when missing, and anew when what they are made from has changed --------------------------------

$(VENV)/.demo: pyproject.toml scripts/environment.py constraints/newest.txt
	@$(PYTHON) scripts/environment.py demo

$(VENV)/.test: pyproject.toml scripts/environment.py constraints/newest.txt
	@$(PYTHON) scripts/environment.py newest
	@$(PYTHON) scripts/chromium.py --install

.venv-oldest/.test: pyproject.toml scripts/environment.py constraints/oldest.txt
	@$(PYTHON) scripts/environment.py oldest

clean: ## remove the environments and what the tools left
	rm -rf .venv .venv-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
