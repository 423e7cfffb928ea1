# Everything is set up on first use; nothing is installed outside .venv and node_modules.
# A machine needs Python 3.11 or newer, git and make. Another Python: make PYTHON=python3.13 run

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: help run check quick test chaos bench options coverage format lock wire words clean for-run for-dev

help:
	@echo "make run       start a chat on this machine"
	@echo "make quick     the tests one runs all day (under a minute)"
	@echo "make check     format, lint, types, imports, generated files"
	@echo "make test      all tests"
	@echo "make chaos     kill the relay 200 times under load: KILLS=200 SEED=1"
	@echo "make bench     what one delivery costs a relay"
	@echo "make options   write the reference of a relay's options"
	@echo "make coverage  all tests, with a report of what they miss"
	@echo "make format    put the code into its form"
	@echo "make wire      write what is generated from the frames: pages, vectors, TypeScript"
	@echo "make words     gather the sentences that need translation, build the catalogues"
	@echo "make lock      choose the versions of dependencies anew"
	@echo "make clean     remove what the above made"

for-run:
	@$(PYTHON) tools/bootstrap.py run

for-dev:
	@$(PYTHON) tools/bootstrap.py dev

run: for-run
	@$(BIN)/tertulia classic

check: for-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py check
	$(BIN)/python -m tools.wire check
	$(BIN)/python -m tools.options check
	$(BIN)/python tools/committed_files.py
	$(BIN)/python -m tools.mls_negative_vectors check
	$(BIN)/python -m tools.mls_validation check

quick: for-dev
	$(BIN)/pytest -n auto -m "not slow"

test: for-dev
	$(BIN)/pytest -n auto

coverage: for-dev
	$(BIN)/pytest -n auto --cov --cov-report=term

chaos: for-dev
	$(BIN)/python -m tools.chaos --kills $(or $(KILLS),200) --seed $(or $(SEED),1)
	$(BIN)/pytest tests/chaos/test_disasters.py

bench: for-dev
	$(BIN)/python -m bench.relay_fan_out

options: for-dev
	$(BIN)/python -m tools.options update

format: for-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

wire: for-dev
	$(BIN)/python -m tools.wire update

words: for-dev
	$(BIN)/python tools/words.py update

lock:
	$(PYTHON) tools/lock.py

clean:
	$(PYTHON) tools/bootstrap.py clean
