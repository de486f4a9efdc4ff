# One command each; `make` alone prints them. Needs Debian 12, a Swift 6.3 toolchain, gcc and Python 3.
SHELL := /bin/bash
PREFIX ?= /usr/local
BUILD := .build/release
PROGRAM := $(BUILD)/licet
PROGRAMS := $(PROGRAM) $(BUILD)/licetd $(BUILD)/licet-compiler
SOURCES := Package.swift $(shell find Sources -name '*.swift' -o -name '*.h' -o -name '*.modulemap')

.PHONY: help run test clients soak soak-daemon build install man completions bench fuzz lint clean setup

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup:
	@tools/setup

run: setup $(PROGRAMS) ## licetd on a bus of its own: a dozen real questions, a reload, a broken file, the ways back
	@tools/demo.sh $(BUILD)

test: setup ## every check; the runner's own summary comes last
	swift build --build-tests
	"$$(swift build --show-bin-path)/licet" test examples
	tools/check-embedded
	tools/test-clients "$$(swift build --show-bin-path)"
	Tests/Soak/soak.py "$$(swift build --show-bin-path)/licetd" --seconds 20 --seed 1
	swift test

clients: setup $(PROGRAMS) ## every block of docs/clients.md, the one in Rust too
	LICET_SLOW=1 tools/test-clients $(BUILD)

soak: setup ## the generated decisions, SOAK_DECISIONS (5,000,000) of them, with a new seed
	LICET_DECISIONS=$${SOAK_DECISIONS:-5000000} LICET_SEED=$${LICET_SEED:-$$RANDOM} swift test --filter OracleTests

soak-daemon: setup $(PROGRAMS) ## licetd under load, reloads and faults for SOAK_SECONDS (600)
	Tests/Soak/soak.py $(BUILD)/licetd --seconds $${SOAK_SECONDS:-600}

build: setup $(PROGRAMS) ## the programs, in release

$(PROGRAMS) &: $(SOURCES)
	swift build -c release --product licet
	swift build -c release --product licetd
	swift build -c release --product licet-compiler
	@touch $(PROGRAMS)

man: $(PROGRAM) ## man pages in .build/man
	@mkdir -p .build/man
	@$(PROGRAM) --experimental-dump-help | python3 tools/make-man.py .build/man

completions: $(PROGRAM) ## shell completions in .build/completions
	@mkdir -p .build/completions
	@for shell in bash zsh fish; do $(PROGRAM) --generate-completion-script $$shell > .build/completions/licet.$$shell; done

install: build man completions ## program, man pages, completions and examples (DESTDIR, PREFIX)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/licet
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 .build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -D -m 644 .build/completions/licet.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/licet
	install -D -m 644 .build/completions/licet.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_licet
	install -D -m 644 .build/completions/licet.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/licet.fish
	install -d $(DESTDIR)$(PREFIX)/share/doc/licet
	cp -r examples $(DESTDIR)$(PREFIX)/share/doc/licet/

bench: setup ## the figures of docs/performance.md, beside other engines
	Benchmarks/run

fuzz: setup ## fuzz the parsers for FUZZ_SECONDS (60) each
	tools/fuzz $${FUZZ_SECONDS:-60}

lint: ## style of the sources
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build
