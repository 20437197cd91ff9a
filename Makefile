# Tasks of Lienket. `make` alone lists them. The environment lives in .venv; nothing else on the machine changes,
# except that `make test` may install Debian's Chromium and mod_auth_openidc where they are missing and may be.

# Compiled modules are kept, whatever the environment says: without them every command starts in twice the time.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development

# Choices: make demo PORT=9000 NETWORK_PORT=9100 · make demo TLS=1 · make setup PYTHON=python3.12 ·
# make test ARGS="tests/keys -k rotation" · make rush LINKS=200000
PORT ?= 8000
NETWORK_PORT ?= 8100
LINKS ?= 20000
ARGS ?=
PYTHON ?= python3.13 python3.12 python3.11 python3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev demo demo-reset test check format bench bench-lists bench-events bench-pages rush lock clean

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(RUNTIME) ## make .venv with what the program needs, and .venv/bin/idp

setup-dev: $(DEVELOPMENT) ## the same, with what tests and checks need

demo: setup ## start the provider and the sample social network; Ctrl-C stops both
	@$(VENV)/bin/idp demo --port $(PORT) --network-port $(NETWORK_PORT) $(if $(TLS),--tls)

demo-reset: ## forget the demo's people, links and keys
	@rm -rf .demo && echo "The demo's data is gone; \`make demo\` starts afresh."

test: setup-dev ## run the whole suite (PostgreSQL and a browser included)
	@CHROMIUM="$$(sh tests/support/find_chromium.sh)" && export CHROMIUM && \
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" sh tests/interop/install.sh && \
	CONFORMANCE_MATRIX=.artifacts/conformance.md $(VENV)/bin/python -m pytest -n 4 --dist worksteal $(ARGS)

check: setup-dev ## format, lint, strict types, import contracts
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: setup-dev ## write the code the way `make check` wants it
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

bench: setup-dev ## CPU and SQL statements per operation, on SQLite and on PostgreSQL
	@$(VENV)/bin/python -m tests.bench $(ARGS)

bench-lists: setup-dev ## status lists of ten million links: time, memory, size
	@$(VENV)/bin/python -m tests.bench.status_lists $(ARGS)

bench-events: setup-dev ## how soon platforms are told of a thousand suspensions a second
	@$(VENV)/bin/python -m tests.bench.events $(ARGS)

bench-pages: setup-dev ## how soon pages stand on an old phone with a bad connection, and what they weigh
	@CHROMIUM="$$(sh tests/support/find_chromium.sh)" && export CHROMIUM && \
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m tests.bench.pages $(ARGS)

rush: setup-dev ## links made in a rush, told to three platforms and compared: LINKS=200000 for more
	@$(VENV)/bin/python -m tests.rush --links $(LINKS) $(ARGS)

lock: setup ## resolve pyproject.toml again into the lock files
	$(VENV)/bin/python -m pip install --quiet uv
	echo 'setuptools>=77' | $(RESOLVE) pyproject.toml - -o requirements.lock
	echo 'setuptools>=77' | $(RESOLVE) pyproject.toml - -o requirements-dev.lock --extra dev -c requirements.lock
	printf '%s\n' cffi cmake ninja scikit-build-core setuptools-scm \
		| $(RESOLVE) - -o requirements-image.lock -c requirements.lock

RESOLVE := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

clean: ## remove the environment and everything that was generated; keeps the demo's data
	rm -rf $(VENV) build lienket.egg-info .artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache tests/interop/node/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every package is pinned by hash and comes as a wheel: no compiler is needed, and nothing else can slip in.
define install
	@echo "Installing $(1) into $(VENV) …"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: --requirement $(1) \
	&& $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-index --no-deps --no-build-isolation --editable . \
	|| { echo "Installing $(1) failed, for the reason above. Is the package index reachable?" \
		"Run the same command again, or \`make clean\` first." >&2; exit 1; }
endef

$(RUNTIME): requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@touch $@

$(DEVELOPMENT): requirements-dev.lock requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $(RUNTIME) $@

# The first Python of the list that is new enough and can make an environment.
$(VENV)/bin/python:
	@test -w . || { echo "The folder $(CURDIR) cannot be written to; make it writable or copy it elsewhere." >&2; exit 1; }
	@for python in $(PYTHON); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		found=$$python; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$("$$python" --version) …"; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found cannot make virtual environments; on Debian and Ubuntu, install python3-venv." >&2; \
	else \
		echo "Python 3.11 or newer is needed, and none of these is: $(PYTHON)." \
			"Install one, or name it: make setup PYTHON=/path/to/python3." >&2; \
	fi; exit 1
