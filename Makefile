# The commands of this project; CONTRIBUTING.md says when to use which. Everything is installed into .venv.

VENV := .venv/bin
PIN := $(VENV)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make requirements"

# Most of the suite waits for sockets and processes, so there are more workers than cores.
WORKERS = $(shell $(VENV)/python -c "import os; print(min(8, 2 * (os.cpu_count() or 1)))")

.PHONY: help run test chaos lint format bench requirements clean venv venv-dev

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: venv ## Start the bot, installing it first when needed
	@exec $(VENV)/python -m bot

test: venv-dev lint ## Run everything that must pass: lint, then the whole suite, real browser included
	@browser=$$($(VENV)/python tests/support/get_browser.py) \
	  && exec env CLEW_TEST_BROWSER="$$browser" $(VENV)/pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

chaos: venv-dev ## Try to break every promise, for MINUTES=1 with people, faults and kills by SEED=1
	@$(VENV)/python -m tests.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),1) $(ARGS)

lint: venv-dev ## Check format, lint and types
	@$(VENV)/ruff format --check --quiet . || { echo "Some files want formatting; make format does it." >&2; exit 1; }
	@$(VENV)/ruff check --quiet .
	@$(VENV)/mypy --no-error-summary

format: venv-dev ## Format the code, and mend what mends itself
	@$(VENV)/ruff check --fix-only --quiet .
	@$(VENV)/ruff format .

bench: venv-dev ## Run the measurements
	@for file in benchmarks/[a-z]*.py; do \
	  echo "--- $$file" && $(VENV)/python -m "benchmarks.$$(basename "$$file" .py)" || exit 1; done

requirements: venv-dev ## Pin the dependencies of pyproject.toml; ARGS=--upgrade takes the newest
	@$(PIN) --group build --output-file requirements.txt $(ARGS)
	@$(PIN) --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt $(ARGS)

clean: ## Remove all that was made; the database stays
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

venv:
	@deploy/venv.sh requirements.txt

venv-dev:
	@deploy/venv.sh requirements-dev.txt
