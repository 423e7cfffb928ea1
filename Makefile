# Everything is set up on first use; nothing is installed outside .venv and node_modules.
# A machine needs Python 3.11 or newer, git and make. Another Python: make PYTHON=python3.13 run

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: help run check quick test chaos mutants bench options coverage format lock wire words clean for-run for-dev

help:
	@echo "make run       host a room on this machine and enter it"
	@echo "make quick     the tests one runs all day (under a minute)"
	@echo "make check     format, lint, types, imports, generated files"
	@echo "make test      all tests"
	@echo "make chaos     kill the relay, then clients, under load; then misuse it: KILLS=200 SEED=1"
	@echo "make mutants   remove each check of the MLS engine in turn: does a test notice?"
	@echo "make bench     what one delivery costs a relay, and a conversation its members"
	@echo "make options   write the references of options and of JSON lines"
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
	@$(BIN)/tertulia host

check: for-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py check
	$(BIN)/python -m tools.wire check
	$(BIN)/python -m tools.options check
	$(BIN)/python -m tools.json_lines check
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
	$(BIN)/python -m tools.client_chaos --kills $(or $(KILLS),200) --seed $(or $(SEED),1)
	$(BIN)/pytest tests/chaos/test_disasters.py
	$(BIN)/python -m tools.abuse --seconds $(or $(SECONDS),12) --seed $(or $(SEED),1)

mutants: for-dev
	$(BIN)/python -m tools.mls_mutants mls codec crypto

bench: for-dev
	$(BIN)/python -m bench.relay --pin --rounds 1 --seconds 3
	$(BIN)/python -m bench.conversation --rounds 3 --lines 50 --texts 200 --sizes 10

options: for-dev
	$(BIN)/python -m tools.options update
	$(BIN)/python -m tools.json_lines update

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
