# Everything a newcomer or a machine runs. Checking never edits: `make fix` does.

SHELL := /bin/bash
.DEFAULT_GOAL := help
WEB := services/web
RIVALS := loadtest/rivals/node
PAGES := $(WEB)/node_modules/.pages
PAGE_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/scripts -type f 2>/dev/null) \
	$(wildcard $(WEB)/*.json $(WEB)/*.ts $(WEB)/*.js $(WEB)/*.mjs)

.PHONY: help run build pages deny verify fix test fuzz soak shift bench rivals rivals-needs clean

help: ## List the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

run: pages ## Build everything and start a whole Frontdesk on this machine.
	cargo build --release --locked -p frontdesk-node
	target/release/frontdesk dev $(ARGS)

build: pages ## Build the binary with its pages (target/release/frontdesk).
	cargo build --release --locked -p frontdesk-node

pages: $(PAGES) ## Build the web pages that the binary carries.

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

$(PAGES): $(WEB)/node_modules/.installed $(PAGE_SOURCES)
	cd $(WEB) && npm run build
	@touch $@

deny: ## Licences, sources and duplicates of what is depended on; advisories if they can be had.
	tests/deny.sh

verify: pages deny ## Format, lints, dependencies, import edges, tidiness. Edits nothing.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked -q --workspace --test tidy
	cd $(WEB) && npm run check

fix: ## Format and apply what the lints can apply.
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	cargo fmt --all
	cd $(WEB) && npm run fix

test: pages ## Set up and run every test; ends with "N passed, N failed".
	tests/run.sh

fuzz: ## Feed every decoder, guided by coverage: make fuzz EACH=60 TARGETS="token raft" (seconds of each).
	tests/fuzz/run.sh $(or $(EACH),60) $(TARGETS)

soak: ## Thousands of simulated clusters: make soak SEEDS=200 FIRST=1 (seeds of each kind).
	SIM_SEEDS=$(or $(SEEDS),200) SIM_FIRST=$(or $(FIRST),$(shell date +%s)) \
	  cargo test --locked -p frontdesk-tests --test sim

shift: pages ## 2,000 agents begin a shift with 20,000 who wait, and the leader is killed.
	cargo build --release --locked -p frontdesk-node
	cargo run --release --locked -p frontdesk-tests --example shift -- $(ARGS)

bench: pages ## Measure: CPU per message, latency, memory per connection.
	loadtest/bench.sh

rivals: rivals-needs pages $(RIVALS)/node_modules/.installed ## Measure Frontdesk beside Socket.IO and a bare relay.
	cargo build --profile dist --locked -p frontdesk-node -p frontdesk-rivals
	target/dist/frontdesk-rivals $(if $(RESULTS),--results $(RESULTS)) $(ARGS)

rivals-needs:
	@for program in node npm redis-server postgres; do \
	  command -v $$program >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$$program" >/dev/null || \
	  { echo "make rivals needs $$program: install it and run again" >&2; exit 1; }; done

$(RIVALS)/node_modules/.installed: $(RIVALS)/package.json $(RIVALS)/package-lock.json
	cd $(RIVALS) && npm ci --no-audit --no-fund
	@touch $@

clean: ## Remove what was built.
	cargo clean
	rm -rf $(WEB)/dist $(WEB)/node_modules tests/browser/node_modules $(RIVALS)/node_modules
