# A fresh clone needs Python 3.11 and, once, the network: `make demo` and `make test` do the rest.

PYTHON ?= python3
# Workers share the machine's processors; each imports torch, so a large machine gets no more than four.
PYTEST_FLAGS ?= --numprocesses logical --maxprocesses 4 --dist loadfile

BIN := .venv/bin
INSTALLED := .venv/.installed

# The real benchmark tables, where they lie beside the checkout. The installed tool looks at nothing but the variable.
CATALOG_DATA ?= $(abspath $(wildcard ../shared/data))
ifneq ($(strip $(CATALOG_DATA)),)
export CATALOG_DATA
endif

.PHONY: demo shell test lint docs bench-proxies

demo: $(INSTALLED)
	$(BIN)/catalog demo
	@echo "make shell opens a shell in which catalog is on the path; the README's first hour goes on there."

# A shell with what is installed on its path, and with the demo's catalog as the one that commands open.
shell: $(INSTALLED)
	@echo "catalog and python are those of $(BIN), and commands open $${CATALOG_DB:-demo/catalog.duckdb}; exit leaves this shell."
	@PATH="$(abspath $(BIN)):$$PATH" VIRTUAL_ENV="$(abspath .venv)" CATALOG_DB="$${CATALOG_DB:-demo/catalog.duckdb}" \
		"$${SHELL:-/bin/sh}"

# One thread a worker: the workers already use the processors.
test: export OMP_NUM_THREADS ?= 1
test: $(INSTALLED)
	$(BIN)/pytest $(PYTEST_FLAGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# All 13 proxies by shared passes against one at a time, in the same run.
bench-proxies: export OMP_NUM_THREADS ?= 1
bench-proxies: $(INSTALLED)
	$(BIN)/python benchmarks/proxies.py cost

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
