# Needs Python 3.11 or newer with venv and pip, and the package index. Everything that is made lies in this folder:
# .venv (core, for the demo), .venv-dev (everything, for the tests), .venv-milvus (a server for tests), .venv-mutants
# (cosmic-ray), .demo (the demo's index), .venv-newest, .venv-lowest and .venv-python3.* (other versions than the pinned ones) and .cache.

PYTHON ?= python3
# One more than there are cores: nearly half of the time a test waits, for a process or a server that it started.
PYTEST_ARGS ?= -n 3 --dist loadfile --durations=25
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Caches and temporary files stay inside the clone. A unix socket's path may have 107 bytes, so a deep clone keeps the
# system's own temporary folder.
CACHE := $(CURDIR)/.cache
export UV_CACHE_DIR := $(CACHE)/uv
export PIP_CACHE_DIR := $(CACHE)/pip
export XDG_CACHE_HOME := $(CACHE)
export HF_HOME := $(CACHE)/huggingface
export MPLCONFIGDIR := $(CACHE)/matplotlib
export TRITON_CACHE_DIR := $(CACHE)/triton
export TORCHINDUCTOR_CACHE_DIR := $(CACHE)/inductor
export UV_PYTHON_DOWNLOADS := never
# Half of the time of a command's first run, of each where Python may not write beside its sources (measured: 2.6 s).
export UV_COMPILE_BYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifeq ($(shell [ "$$(printf %s "$(CURDIR)" | wc -c)" -le 60 ] && echo short),short)
export TMPDIR := $(CACHE)/tmp
endif

# A stamp carries the clone's path, since environments hold absolute paths: a clone that was moved installs again.
PLACE := $(shell printf %s "$(CURDIR)" | cksum | cut -d' ' -f1)
UV := .venv/bin/uv
HAS_UV := .venv/.uv-$(PLACE)
HAS_CORE := .venv/.core-$(PLACE)
HAS_ALL := .venv-dev/.all-$(PLACE)
HAS_PEERS := .venv-peers/.peers-$(PLACE)
HAS_PLAID := .venv-plaid/.plaid-$(PLACE)
HAS_MILVUS := .venv-milvus/.milvus-$(PLACE)
HAS_MUTANTS := .venv-mutants/.mutants-$(PLACE)
INSTALL_SELF := --no-deps --no-build-isolation --quiet --editable .

.PHONY: help demo web web-check container-steps test test-slow test-server test-newest test-lowest test-pythons test-pip mutants lint types notebook bench format lock clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 13

$(HAS_UV): requirements/uv.txt
	@mkdir -p .cache/tmp
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'error: pagesight needs Python 3.11 or newer; name one: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo 'error: Python has no venv here; install it (on Debian: apt-get install python3-venv)' >&2; exit 1; }
	@.venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@

$(HAS_CORE): $(HAS_UV) requirements/core.txt pyproject.toml
	@echo 'Installing the core into .venv …' >&2
	@$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r requirements/core.txt
	@$(UV) pip install --python .venv/bin/python $(INSTALL_SELF)
	@touch $@

$(HAS_ALL): $(HAS_UV) requirements/all.txt pyproject.toml
	@echo 'Installing everything, torch too, into .venv-dev …' >&2
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-dev
	@$(UV) pip sync --quiet --python .venv-dev/bin/python --require-hashes requirements/all.txt
	@$(UV) pip install --python .venv-dev/bin/python $(INSTALL_SELF)
	@touch $@

# A Milvus server, and what the benchmark of retrieval compares with; fast-plaid needs a torch of its own.
.venv-%/.peers-$(PLACE) .venv-%/.plaid-$(PLACE) .venv-%/.milvus-$(PLACE) .venv-%/.mutants-$(PLACE): requirements/%.txt $(HAS_UV)
	@echo 'Installing requirements/$*.txt into .venv-$* …' >&2
	@$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-$*
	@$(UV) pip sync --quiet --python .venv-$*/bin/python --require-hashes requirements/$*.txt
	@touch .venv-$*/.$*-$(PLACE)

demo: export PAGESIGHT_INDEX := .demo
demo: $(HAS_CORE) ## index samples/ and answer three questions, without torch; with Gemini if GOOGLE_API_KEY is set
	@mkdir -p .cache/tmp
	@run() { printf '\n$$ pagesight %s' "$$1"; printf ' "%s"' "$${@:2}"; echo; .venv/bin/pagesight "$$@" 2>&1; }; \
	run index samples; \
	run ask 'What mean interest rate do the loans carry?'; \
	run ask 'Which heat pump was the loudest, and how many dB(A) did it reach?'; \
	run ask 'Welche Leistungszahl hat die Tarn 16 bei A2/W35?'; \
	printf '\nIn the browser, with the pages beside the answers: %s\n' \
		"$(UV) pip install --python .venv/bin/python '.[web]' && .venv/bin/pagesight web --index .demo"

test: $(HAS_ALL) ## install everything and run all tests but the slow ones
	@mkdir -p .cache/tmp
	.venv-dev/bin/python -m pytest --basetemp=.cache/pytest -m 'not slow' $(PYTEST_ARGS)

test-slow: $(HAS_ALL) ## run the slow ones: kills, faults, many processes at once, the browser, the docs' commands, the notebook, workers of encoders
	@mkdir -p .cache/tmp
	.venv-dev/bin/python -m pytest --basetemp=.cache/pytest-slow -m slow $(PYTEST_ARGS)

test-server: $(HAS_ALL) $(HAS_MILVUS) ## run the tests of indexes against a Milvus server on loopback, which is started and ended
	@mkdir -p .cache/tmp
	.venv-milvus/bin/python tests/milvus_server.py .venv-dev/bin/python -m pytest --basetemp=.cache/pytest-server -n 3 \
		tests/test_index.py tests/test_metadata.py tests/test_server.py tests/test_server_where.py --milvus '{}'

# What speaks with Gemini's client, LangGraph, LangChain and the MCP SDK, whose versions matter most.
AGENT_TESTS := agent answer budgets chat cli doctor examples failures files gemini_server installation live looking_closer \
	mcp offline refusals same_again state subagent threads tools transport
VERSION_TESTS := $(AGENT_TESTS:%=tests/test_%.py)
RESOLVE := pip compile --quiet --upgrade --group test --group build --extra mcp --extra eval --extra langchain

test-newest: $(HAS_UV) ## run the agent's tests with the newest versions that pyproject allows
	@$(MAKE) tested-with VERSIONS=newest RESOLUTION=highest

test-lowest: $(HAS_UV) ## the same with the oldest
	@$(MAKE) tested-with VERSIONS=lowest RESOLUTION=lowest-direct

# Python 3.11 is what all else runs on; uv brings no other here (UV_PYTHON_DOWNLOADS).
test-pythons: $(HAS_UV) ## the same as test-newest on Python 3.12 and 3.13; where uv does not find one, its packages are only resolved
	@mkdir -p .cache/tmp
	@for version in 3.12 3.13; do \
		if $(UV) python find --quiet $$version >/dev/null 2>&1; then \
			$(MAKE) tested-with VERSIONS=python$$version RESOLUTION=highest ON=$$version; \
		else \
			$(UV) pip compile --quiet --upgrade --all-extras --group test --group build --python-version $$version \
				--python .venv/bin/python pyproject.toml -o .cache/python$$version.txt; \
			echo "Python $$version is not here: its packages were resolved with all extras, nothing was run on it"; \
		fi; \
	done

test-pip: $(HAS_ALL) ## let pip alone resolve the wheel with each extra, installing nothing (some minutes)
	@mkdir -p .cache/tmp
	@rm -rf .cache/wheel && .venv-dev/bin/python -m build --wheel --no-isolation --outdir .cache/wheel . >.cache/wheel.log
	@$(PYTHON) -m venv .cache/bare
	@for extra in colpali eval http langchain mcp postgres remote studio web; do \
		.cache/bare/bin/python -m pip install --quiet --dry-run "$$(echo .cache/wheel/*.whl)[$$extra]"; \
		echo "pip resolves the wheel with the extra $$extra"; \
	done

# Built in .cache, so that no node_modules ever lies in a room.
WEB := agent/servers/web
BUILD_WEB = rm -rf .cache/web/source/src .cache/web/source/public && mkdir -p .cache/web && cp -r $(WEB)/source .cache/web/ && \
	cp agent/answers/claims/german_reasons.json .cache/web/source/src/ && \
	(cd .cache/web/source && npm ci --quiet --no-audit --no-fund --ignore-scripts && npm run --silent build -- --logLevel warn)

web: ## build the page of `pagesight web` anew from agent/servers/web/source (needs node and npm, not for use)
	@$(BUILD_WEB)
	@rm -rf $(WEB)/static && cp -r .cache/web/static $(WEB)/static

web-check: ## build it in .cache and compare with what is committed; without npm say so
	@if command -v npm >/dev/null; then $(BUILD_WEB) && diff -r .cache/web/static $(WEB)/static && echo 'the page is built from its sources'; \
	else echo 'npm is not here: the page was not built anew'; fi

container-steps: ## run the steps of the Containerfile here, without a builder, and ask the service that comes out
	@mkdir -p .cache/tmp
	@$(PYTHON) containers/run_steps.py .cache/container

# Resolved anew each time, without torch.
.PHONY: tested-with
tested-with:
	@mkdir -p .cache/tmp
	@$(UV) venv --quiet --allow-existing --python $(or $(ON),.venv/bin/python) .venv-$(VERSIONS)
	@$(UV) $(RESOLVE) --resolution $(RESOLUTION) --python .venv-$(VERSIONS)/bin/python pyproject.toml \
		-o .cache/$(VERSIONS).txt
	@$(UV) pip sync --quiet --python .venv-$(VERSIONS)/bin/python .cache/$(VERSIONS).txt
	@$(UV) pip install --python .venv-$(VERSIONS)/bin/python $(INSTALL_SELF)
	@grep -E '^(google-genai|lang[a-z-]*|mcp|pydantic|pymilvus|numpy)==' .cache/$(VERSIONS).txt
	.venv-$(VERSIONS)/bin/python -m pytest --basetemp=.cache/pytest-$(VERSIONS) -m 'not slow' $(PYTEST_ARGS) $(VERSION_TESTS)

mutants: $(HAS_ALL) $(HAS_MUTANTS) ## change the code in many small places, one at a time, and count what the tests notice (an hour); EACH=20 of each kind
	@mkdir -p .cache/tmp
	.venv-dev/bin/python tests/mutants.py $(or $(EACH),20)

bench: $(HAS_ALL) $(HAS_PEERS) $(HAS_PLAID) ## measure retrieval beside others, encoders and transports (an hour); REAL=vectors.npz adds real pages, SCALE="3000 30000 100000" larger indexes
	@mkdir -p .cache/tmp
	@.venv-dev/bin/python benchmarks/agent.py
	@.venv-dev/bin/python benchmarks/encoding.py
	@.venv-dev/bin/python benchmarks/retrieval.py --peers .venv-peers/bin/python --plaid .venv-plaid/bin/python $(if $(REAL),--real $(REAL))
	@.venv-dev/bin/python benchmarks/scale.py --pages $(or $(SCALE),3000 10000)

lint: $(HAS_ALL) ## check style and format
	.venv-dev/bin/python -m ruff check .
	.venv-dev/bin/python -m ruff format --check .

types: $(HAS_ALL) ## check types
	.venv-dev/bin/python -m mypy
	MYPYPATH=.links:benchmarks:tests .venv-dev/bin/python -m mypy --follow-imports=silent benchmarks/*.py

notebook: $(HAS_ALL) ## run the notebook without a key and keep its outputs
	@mkdir -p .cache/tmp
	IPYTHONDIR=.cache/ipython GOOGLE_API_KEY= GEMINI_API_KEY= .venv-dev/bin/jupyter execute --inplace notebooks/walkthrough.ipynb

format: $(HAS_ALL) ## correct what can be corrected of style and format
	.venv-dev/bin/python -m ruff check --fix .
	.venv-dev/bin/python -m ruff format .

# The pins hold for Python 3.11 to 3.13 on every platform; all.txt is core.txt and more, in the same versions, and comes
# first, since an extra may hold back what the core needs too (langgraph-api does so with grpcio and protobuf).
COMPILE := pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock'
lock: $(HAS_UV) ## renew the pinned packages in requirements/
	@echo uv | $(UV) $(COMPILE) --only-binary uv -o requirements/uv.txt -
	@$(UV) $(COMPILE) --group build --group dev --all-extras pyproject.toml -o requirements/all.txt
	@$(UV) $(COMPILE) --group build -c requirements/all.txt pyproject.toml -o requirements/core.txt
	@$(UV) $(COMPILE) --group build --extra http -c requirements/all.txt pyproject.toml -o requirements/http.txt
	@printf '%s\n' qdrant-client lancedb maxsim-cpu numpy | $(UV) $(COMPILE) -o requirements/peers.txt -
	@echo milvus==2.3.5 | $(UV) $(COMPILE) --only-binary milvus -o requirements/milvus.txt -
	@echo cosmic-ray | $(UV) $(COMPILE) -o requirements/mutants.txt -
	@printf '%s\n' fast-plaid numpy | $(UV) $(COMPILE) -o requirements/plaid.txt -

clean: ## remove everything that was made
	rm -rf .venv .venv-dev .venv-peers .venv-plaid .venv-milvus .venv-mutants .venv-newest .venv-lowest .venv-python3.* .demo .cache .pytest_cache .ruff_cache .mypy_cache build dist *.egg-info
	find agent tools indexing tests samples -name __pycache__ -type d -prune -exec rm -rf {} +
