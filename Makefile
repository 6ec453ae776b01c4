# The targets for work in a checkout. `make` alone lists them.

SCENARIO ?= happy-path
WORKERS ?= 6
IMAGE ?= redeploy-action:local
BASE_IMAGE ?=
DOCKER_BUILD_FLAGS ?=
PYTEST_FLAGS ?=
COVER ?=
PYTHON ?=
FUZZ_SECONDS ?= 30
QUICK ?=
SEED ?=
WORLD ?=

venv := .venv/bin
workflows := $(wildcard .github/workflows/*.yml examples/*.yml)
version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
revision := $(shell git rev-parse HEAD 2>/dev/null)
named = $(if $(filter file,$(origin SCENARIO)),,$(SCENARIO))

# $(call install,FOLDER,LOCK) makes a virtual environment with the first Python that is new enough.
define install
@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    exec $$python requirements/install.py $(1) $(2); fi; done; \
  echo "Python 3.11 or newer is missing: looked for $(or $(PYTHON),python3 and python3.11 to python3.14)." \
    "On Debian and Ubuntu: apt-get install python3 python3-venv." \
    "Elsewhere: make PYTHON=/path/to/python3 ..." >&2; exit 1
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format docs bench gauntlet fuzz preview screenshots image image-smoke e2e parser release-check \
  lock clean engine

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

setup: ## make .venv, with everything that the project needs
	$(call install,.venv,requirements/develop.txt)

# The demo runs in .venv if that is ready, otherwise in its own virtual environment, which is much quicker to set up, and which
# a failed or interrupted set-up of .venv does not affect.
demo_venv = $(if $(shell cmp -s requirements/develop.txt .venv/lock.txt && echo ready),.venv,.venv-demo)
define set_up_demo
$(call install,$(demo_venv),$(if $(filter .venv,$(demo_venv)),requirements/develop.txt,--lean requirements/demo.txt))
endef

# A scenario that ends red may do so on purpose, so `make demo` fails only if one does not end as it declares.
demo: ## redeploy a new build in an embedded world; SCENARIO=list shows the other endings
	$(set_up_demo)
	@$(demo_venv)/bin/python -m sandbox --demo "$(SCENARIO)"

# Many tests wait for processes and sockets, so more of them run in parallel than there are cores. Compiled files are kept even
# if the environment says not to: pytest rewrites every test file, which each worker would otherwise repeat in each run. In a
# fresh checkout, one process does it for all.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup ## run all tests; COVER=1 also measures what they cover, WORKERS=6, PYTEST_FLAGS=...
	@$(if $(wildcard tests/unit/__pycache__/*-pytest-*.pyc),true,$(venv)/python -m pytest --collect-only -q >/dev/null || true)
	$(venv)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(COVER),--cov --cov-report=term-missing) $(PYTEST_FLAGS)

lint: setup ## check style, types, workflows and the Dockerfile
	$(venv)/ruff check
	$(venv)/ruff format --check
	$(venv)/mypy --strict
	$(venv)/mypy --strict --platform win32 --cache-dir .mypy_cache/win32 redeploy entrypoint.py requirements
	$(venv)/check-jsonschema --builtin-schema vendor.github-actions action.yml slim/action.yml
	$(venv)/check-jsonschema --builtin-schema vendor.github-workflows $(workflows)
	$(venv)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(venv)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml
	$(venv)/check-jsonschema --builtin-schema vendor.compose-spec $(wildcard deploy/docker-compose.*.yml)
	$(venv)/zizmor --offline --quiet --persona=pedantic action.yml slim .github $(wildcard examples/*.yml)
	$(venv)/hadolint Dockerfile sandbox/Dockerfile $(wildcard .ci/stand-ins/*.Dockerfile)

format: setup ## format the code as lint requires
	$(venv)/ruff check --fix-only
	$(venv)/ruff format

docs: setup ## render the pages that are generated from the code
	@$(venv)/python -m tools.docs

bench: setup ## compare speed, memory and crash loops with their bars, and write docs/performance.md; ROLLOUTS=2000, ONLY=...
	@$(venv)/python -m tools.bench $(if $(ROLLOUTS),--rollouts $(ROLLOUTS)) $(if $(ONLY),--only $(ONLY))

gauntlet: setup ## run the action and other gates in worlds of known truth; QUICK=1, or one: SEED=..., WORLD=...
	@$(venv)/python -m tools.gauntlet $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED)) $(if $(WORLD),--world "$(WORLD)")

fuzz: ## fuzz what reads and writes text from outside, guided by coverage; FUZZ_SECONDS=30
	$(call install,.venv-fuzz,--lean requirements/fuzz.txt)
	@.venv-fuzz/bin/python -m tools.fuzz --seconds $(FUZZ_SECONDS)

preview: setup ## render the job summaries of all scenarios as GitHub would; SCENARIO=... for some
	@$(venv)/python -m tools.preview $(named)

screenshots: setup ## take pictures of a dozen of them; SCENARIO=..., THEME=light or dark, WIDTH=wide or narrow
	@$(venv)/python -m tools.preview --screenshots $(if $(THEME),--theme $(THEME)) $(if $(WIDTH),--width $(WIDTH)) $(named)

engine:
	@if ! docker info >/dev/null 2>&1; then \
	  echo "No container engine responds ('docker info' fails), so no image can be built or tried here." >&2; exit 1; fi

image: engine ## build the action's image; BASE_IMAGE=..., DOCKER_BUILD_FLAGS=...
	docker build $(DOCKER_BUILD_FLAGS) $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) \
	  --build-arg VERSION=$(version) $(if $(revision),--build-arg REVISION=$(revision)) --tag $(IMAGE) .

image-smoke: engine ## play a scenario with the built image, run as a runner does; SCENARIO=...
	$(set_up_demo)
	@$(demo_venv)/bin/python -m sandbox --demo "$(SCENARIO)" --image $(IMAGE)

e2e: ## redeploy on a real engine, with the shipped compose and nginx files; E2E_WATCHTOWER_IMAGE=...
	.ci/e2e

parser: ## install GitHub's own parser of workflows, which `make test` then uses; needs Node.js 20 and npm
	npm --prefix tests/github_parser ci --ignore-scripts --no-audit --no-fund

release-check: setup ## rehearse a release without its pushes; VERSION=1.2.3, BASE_IMAGE=..., CHECKS=off
	@$(venv)/python -m tools.release rehearse "$(or $(VERSION),$(version))" "--base-image=$(BASE_IMAGE)" \
	  "--build-flags=$(DOCKER_BUILD_FLAGS)" $(if $(filter off,$(CHECKS)),--no-checks)

# Run inside the folder, so that the locks name their sources as they are found there.
lock: setup ## lock the packages of requirements/*.in, with hashes
	cd requirements && for name in runtime develop demo e2e fuzz; do ../$(venv)/uv pip compile --quiet --universal \
	  --python-version 3.11 --generate-hashes --custom-compile-command "make lock" $(LOCK_FLAGS) \
	  --output-file "$$name.txt" "$$name.in" || exit 1; done

clean: ## remove everything that was made here
	rm -rf .venv .venv-demo .venv-fuzz build tests/github_parser/node_modules .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
