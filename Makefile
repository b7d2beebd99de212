# Everything one does with Mooring, the same by hand and in CI. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

NODE_VERSION := 26.10.0
NODE_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
NODE := .tools/node/bin/node
# Clusters, Git servers and operators on this machine are not reached through the proxy that the registries are.
comma := ,
export NO_PROXY := 127.0.0.1,localhost$(addprefix $(comma),$(or $(NO_PROXY),$(no_proxy)))
export no_proxy := $(NO_PROXY)
export PATH := $(CURDIR)/.tools/node/bin:$(CURDIR)/node_modules/.bin:$(CURDIR)/.tools/cluster:$(PATH)

TESTS := 'crds/**/*.test.ts' 'renderers/**/*.test.ts' 'operator/**/*.test.ts' 'cli/**/*.test.ts' 'charts/**/*.test.ts' 'image/*.test.ts' 'examples/**/*.test.ts' 'docs/*.test.ts'

.PHONY: help demo up down test check unit sim e2e bench soak tools wasm cluster helm packages image crds charts reference clean

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

demo: tools wasm ## Show the whole thing on a real Kubernetes, then clean up
	@node e2e/demo/main.ts

up: tools wasm ## The same, and leave it running
	@node e2e/demo/main.ts --up

down: tools ## Stop what `make up` left running
	@node e2e/demo/main.ts --down

test: check unit e2e ## Format, lint, types, import rules, unit tests, end-to-end tests

check: tools ## Format, lint, types and import rules
	@biome check .
	@tsc --noEmit -p tsconfig.json

unit: tools wasm helm ## Tests that need no cluster
	@node --test --test-concurrency=2 $(TESTS)

sim: tools ## Controllers in a simulated world; SEED=7 replays one run
	@node operator/sim/run.ts $(if $(SEED),--seed $(SEED),--seeds 2000)

e2e: tools wasm cluster helm ## Tests on a real Kubernetes
	@node --test --test-concurrency=1 'e2e/**/*.test.ts'

bench: tools wasm cluster ## Figures as JSON lines
	@node bench/main.ts

soak: tools wasm cluster ## A storm of edits and commits, then every object is compared with Git; MINUTES, APPLICATIONS, SEED
	@node e2e/soak/main.ts $(if $(MINUTES),--minutes $(MINUTES)) $(if $(APPLICATIONS),--applications $(APPLICATIONS)) $(if $(SEED),--seed $(SEED))

tools: .tools/installed ## Node and the packages

wasm: tools ## Helm and Kustomize as WASM
	@node renderers/kustomize-wasm/build.ts
	@node renderers/helm-ts-wrapper/build.ts

cluster: tools ## The binaries of the local Kubernetes
	@node e2e/cluster/main.ts build --node real

helm: tools ## The helm program, which charts are judged by
	@node e2e/cluster/main.ts helm >/dev/null

packages: tools wasm ## Archives for npm of what can be used alone, in .mooring/packages
	@node renderers/pack.ts

image: tools wasm ## The container image and its parts, in .mooring/image; ARCH=amd64 for one machine, LOCKED=1 to insist on the lock
	@node image/main.ts $(if $(ARCH),--arch $(ARCH)) $(if $(LOCKED),--locked)

crds: tools ## Write crds/*.yaml from the schemas
	@node crds/emit.ts

charts: tools wasm ## Write what is generated in charts/
	@node charts/emit.ts

reference: tools ## Write the pages of docs/reference that are made from code
	@node docs/reference/emit.ts

clean: ## Remove everything that was built or installed
	@if [ -e .mooring/running.json ]; then node e2e/demo/main.ts --down; fi
	@rm -rf .tools .mooring node_modules renderers/*/dist

# A Node of the machine that is new enough is used as it is.
$(NODE):
	@mkdir -p .tools
	@if command -v node >/dev/null && node -e 'process.exit(+process.versions.node.split(".")[0] >= 24 ? 0 : 1)'; then \
	  mkdir -p .tools/node/bin && ln -sfn "$$(command -v node)" $@; \
	else \
	  echo "installing Node $(NODE_VERSION) into .tools (about 20 s)"; \
	  npm install --prefix .tools/npm --no-save --ignore-scripts --no-audit --no-fund --loglevel=error node-linux-$(NODE_ARCH)@$(NODE_VERSION) >/dev/null; \
	  ln -sfn npm/node_modules/node-linux-$(NODE_ARCH) .tools/node; \
	fi

.tools/installed: package-lock.json | $(NODE)
	@echo "installing packages (about 20 s)"
	@# Not npm ci: it refuses a lock file that lacks the binaries of platforms that a registry does not carry.
	@npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
