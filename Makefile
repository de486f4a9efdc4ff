# One command each; `make` alone prints them. Needs Debian 12, a Swift 6.3 toolchain, gcc and Python 3.
SHELL := /bin/bash
PREFIX ?= /usr/local
RELEASE := .build/release
# Whose programs are installed.
BUILD ?= $(RELEASE)
PROGRAM := $(BUILD)/licet
RELEASED := $(RELEASE)/licet $(RELEASE)/licetd $(RELEASE)/licet-compiler
LIBRARY := .build/library/liblicet.so.1
LIBRARY_SOURCES := tools/build-library include/licet.h include/licet.map \
  $(shell find Sources/PolicyImage Sources/Decision Sources/Attach Sources/LicetC Sources/CLicet -type f)
SOURCES := Package.swift $(shell find Sources -name '*.swift' -o -name '*.h' -o -name '*.modulemap')

.PHONY: help run test test-library clients model soak soak-daemon soak-library systemd build library install uninstall man completions deb bench fuzz lint clean setup

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup:
	@tools/setup

run: setup $(RELEASED) ## licetd on a bus of its own: a dozen real questions, a reload, a broken file, the ways back
	@tools/demo.sh $(RELEASE)

test: setup ## every check; the runner's own summary comes last
	swift build --build-tests
	"$$(swift build --show-bin-path)/licet" test examples
	tools/check-embedded
	tools/check-model
	$(MAKE) --no-print-directory test-library
	tools/test-clients "$$(swift build --show-bin-path)"
	$(MAKE) --no-print-directory systemd
	Tests/Soak/soak.py "$$(swift build --show-bin-path)/licetd" --seconds 20 --seed 1
	LICET_LIBRARY=.build/library swift test --filter LicetCTests
	swift test --skip LicetCTests

test-library: setup library ## liblicet: its ABI, its hosts, hostile peers, sanitizers, and what each binding says of it
	swift build
	tools/build-library --attach-version 1 .build/library-1
	tools/check-abi
	LICET_OLD_LIBRARY=.build/library-1 tools/test-library "$$(swift build --show-bin-path)"
	Tests/Library/hostile/run .build/library "$$(swift build --show-bin-path)"
	tools/test-sanitizers
	for language in c rust python; do bindings/$$language/run-tests "$$PWD/.build/library" "$$(swift build --show-bin-path)" || exit 1; done

model: setup ## the attach protocol's model, over more states
	tools/check-model --deep

clients: setup $(RELEASED) ## every block of docs/clients.md, the one in Rust too
	LICET_SLOW=1 tools/test-clients $(RELEASE)

soak: setup ## the generated decisions, SOAK_DECISIONS (5,000,000) of them, with a new seed
	LICET_DECISIONS=$${SOAK_DECISIONS:-5000000} LICET_SEED=$${LICET_SEED:-$$RANDOM} swift test --filter OracleTests

soak-library: setup library ## kills, forks and threads around liblicet, for longer
	swift build
	LICET_SLOW=1 tools/test-library "$$(swift build --show-bin-path)"

soak-daemon: setup $(RELEASED) ## licetd under load, reloads and faults for SOAK_SECONDS (600)
	Tests/Soak/soak.py $(RELEASE)/licetd --seconds $${SOAK_SECONDS:-600}

systemd: setup $(RELEASED) library ## the units in a real systemd, as root: install, start, reload, kill, starve, activate, uninstall
	tools/test-systemd

build: setup $(RELEASED) ## the programs, in release

# Without Swift's shared libraries: what is installed needs Debian's alone.
$(RELEASED) &: $(SOURCES)
	swift build -c release --static-swift-stdlib --product licet
	swift build -c release --static-swift-stdlib --product licetd
	swift build -c release --static-swift-stdlib --product licet-compiler
	@touch $(RELEASED)

library: $(LIBRARY) ## liblicet.so.1 in .build/library

$(LIBRARY): $(LIBRARY_SOURCES)
	tools/build-library .build/library

man: $(PROGRAM) ## man pages in .build/man
	@mkdir -p .build/man
	@$(PROGRAM) --experimental-dump-help | python3 tools/make-man.py .build/man

completions: $(PROGRAM) ## shell completions in .build/completions
	@mkdir -p .build/completions
	@for shell in bash zsh fish; do $(PROGRAM) --generate-completion-script $$shell | sed '1{/^#!/d}' > .build/completions/licet.$$shell; done

install: $(PROGRAM) library man completions ## programs, library, header, units, bus policy, pages, examples (DESTDIR, PREFIX)
	tools/install-files "$(BUILD)" "$(DESTDIR)" "$(PREFIX)"

uninstall: ## what `make install` put there, with the same DESTDIR and PREFIX; state and policy stay
	tools/install-files --remove "$(DESTDIR)" "$(PREFIX)"

deb: setup $(RELEASED) library ## Debian packages in .build/deb
	tools/make-deb

bench: setup ## the figures of docs/performance.md, beside other engines
	Benchmarks/run

fuzz: setup ## fuzz the parsers for FUZZ_SECONDS (60) each
	tools/fuzz $${FUZZ_SECONDS:-60}

lint: ## style of the sources
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build
