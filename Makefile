# make run    run the console on this machine          (http://127.0.0.1:8000/, PORT=… for another port)
# make test   lint, types, import contracts and the whole test suite
# make chaos  kill, flush and starve a console for 200 rounds and look for what was lost  (ROUNDS=… SEED=…)
# make bench  measure it
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The others in bench/ are sections of the first, and run alone as well.
BENCHES := transfers client pages batches
PIP := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test lint types contracts migrations pytest chaos bench screenshots clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@exec $(BIN)/python manage.py up

# One after the other, also under `make -j`, and pytest last, so that its closing line is the last to be read.
test: $(VENV)/.test
	@.ci/chromium $(BIN)/python
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory contracts
	@$(MAKE) --no-print-directory migrations
	@$(MAKE) --no-print-directory pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/mypy

contracts: $(VENV)/.test
	$(BIN)/lint-imports

migrations: $(VENV)/.test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

pytest: $(VENV)/.test
	$(BIN)/python -m pytest -n auto

chaos: $(VENV)/.test
	$(BIN)/python -m tests.chaos --rounds $(or $(ROUNDS),200) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/.test
	@for name in $(BENCHES); do echo "== bench/$$name.py"; $(BIN)/python bench/$$name.py || exit 1; done

screenshots: $(VENV)/.test
	@.ci/chromium $(BIN)/python
	$(BIN)/python docs/screenshots/take.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps are written last, so that an installation that was interrupted begins again.
$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what the console needs into $(VENV) (once, about a minute) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) (once, about a minute) …"
	@$(PIP) -r requirements-dev.txt
	@touch $(VENV)/.run $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "COS Console needs Python 3.11 or newer; name one as in: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot create $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
