# mvapply: see README.md for the two commands, CONTRIBUTING.md for the rest.
VERSION  := $(shell cat VERSION)
BUILD    ?= build
PREFIX   ?= /usr/local
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2
# libcurl is loaded when it is needed (container_engine/libcurl.h): its headers alone are for the build.
# libseccomp makes a filter (scripts/seccomp.c), which is part of the binary.
PACKAGES := yaml-0.1 libmnl jansson libcurl libseccomp
LINKED   := yaml-0.1 libmnl jansson
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

override CPPFLAGS += -I. -I$(BUILD) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"'
PACKAGE_FLAGS     := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
override CFLAGS   += -std=c17 -pthread -MMD -MP $(WARNINGS) $(PACKAGE_FLAGS)
LDLIBS            := $(shell pkg-config --libs $(LINKED) 2>/dev/null) -pthread -ldl

# A short line for each file that is made; `make V=1` shows the commands, `make -s` nothing.
SILENT := $(findstring s,$(firstword -$(MAKEFLAGS)))
quiet   = $(if $(V),,@$(if $(SILENT),,echo '  $(1)  $@' &&)) 

# Every folder below these is part of the program. The tests link all of it but main().
FOLDERS := lib kernel schema container_engine dhcp reconcile convert cmd
PROGRAM := $(sort $(shell find $(FOLDERS) -name '*.c'))
LIBRARY := $(patsubst %.c,$(BUILD)/%.o,$(filter-out cmd/main.c,$(PROGRAM)))
COMMAND := $(BUILD)/cmd/main.o
# A program each; what does not begin with test_ is shared by them.
HELPERS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
SOURCES := $(PROGRAM) $(sort $(shell find $(FOLDERS) -name '*.h')) \
           $(wildcard tests/unit/*.[ch] tests/bench/*.[ch] scripts/*.[ch])
# What makes things go wrong for the tests: preloaded into mvapply, or tracing it.
FAULTS  := $(BUILD)/tests/faults/shim.so $(BUILD)/tests/faults/killer
SOURCES += $(wildcard tests/faults/*.[ch] tests/builds/*.[ch] dist/static/*.[ch])
# The model of the kernel as a program, beside which a real one is put; and the table of hints.
MODEL   := $(BUILD)/tests/model/operations $(BUILD)/tests/model/hints
SOURCES += $(wildcard tests/model/*.[ch])
# A target each for what somebody else writes; replay.c runs one on its corpus, libFuzzer on more.
FUZZ    := $(patsubst %.c,$(BUILD)/%,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))
SOURCES += $(wildcard tests/fuzz/*.[ch])
# The library as test_growth has it, which counts the basic blocks that are entered.
COUNTED := $(patsubst %.c,$(BUILD)/counted/%.o,$(filter lib/% kernel/% reconcile/% convert/% cmd/watch/%,$(PROGRAM)))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
OBJECTS := $(LIBRARY) $(COMMAND) $(HELPERS) $(UNIT:=.o) $(MODEL:=.o) $(FUZZ:=.o) $(BUILD)/tests/fuzz/replay.o \
           $(COUNTED)

all: $(BUILD)/mvapply

$(BUILD)/mvapply: $(COMMAND) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libmvapply.a: $(LIBRARY)
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The filter for the sanitizers' build is another one: the compiler's flags decide. RUN starts programs of a machine that is
# compiled for: RUN=qemu-s390x-static CC=s390x-linux-gnu-gcc.
$(BUILD)/seccomp: scripts/seccomp.c | packages
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lseccomp

$(BUILD)/seccomp_filter.inc: $(BUILD)/seccomp
	$(RUN) $< mvapply > $@

$(BUILD)/seccomp_dhcp.inc: $(BUILD)/seccomp
	$(RUN) $< dhcp > $@

$(BUILD)/cmd/version.o $(BUILD)/cmd/watch/report.o: VERSION
$(BUILD)/cmd/sandbox.o: $(BUILD)/seccomp_filter.inc
$(BUILD)/dhcp/broker_sandbox.o: $(BUILD)/seccomp_dhcp.inc

# libmnl's loops over attributes cast const away, where clang says so.
$(BUILD)/tests/unit/%.o $(BENCHES): override CFLAGS += -Wno-cast-qual

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(HELPERS) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# Planning is pure: its test links all of reconcile/plan/ without libmnl, libyaml and jansson.
$(BUILD)/tests/unit/test_plan_pure: $(BUILD)/tests/unit/test_plan_pure.o \
		$(patsubst %.c,$(BUILD)/%.o,$(filter reconcile/plan/%,$(PROGRAM))) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(MODEL): %: %.o $(HELPERS) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(BUILD)/counted/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize-coverage=trace-pc -c -o $@ $<

$(BUILD)/tests/unit/test_growth: $(BUILD)/tests/unit/test_growth.o $(COUNTED) $(HELPERS) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka


# libFuzzer has a main() of its own.
FUZZ_MAIN ?= $(BUILD)/tests/fuzz/replay.o
$(BUILD)/tests/fuzz/netlink: LDFLAGS += -Wl,--wrap=recvmmsg,--wrap=sendto
$(BUILD)/tests/fuzz/snapshot: LDFLAGS += -Wl,--wrap=recvmmsg,--wrap=sendto
$(BUILD)/tests/fuzz/monitor: LDFLAGS += -Wl,--wrap=recvmsg
$(BUILD)/tests/fuzz/engine: LDFLAGS += -Wl,--wrap=engine_http_begin,--wrap=engine_http_user,--wrap=engine_http_wait
$(BUILD)/tests/fuzz/events: LDFLAGS += -Wl,--wrap=engine_handle_new
$(BUILD)/tests/fuzz/inotify: LDFLAGS += -Wl,--wrap=read
$(FUZZ): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_MAIN) $(BUILD)/libmvapply.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(FUZZ_LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# pkg-config has been asked above, when nothing may have been installed yet: say so in one sentence
# here instead of in pages of compiler output.
packages:
	@pkg-config --exists $(PACKAGES) 2>/dev/null && command -v $(CC) >/dev/null || { echo >&2 \
	"make: mvapply needs a C compiler, pkg-config, libyaml, libmnl, jansson, libcurl and libseccomp: run 'make deps', which installs what is missing, then 'make' again."; \
	exit 1; }

deps:
	@scripts/deps build

# These begin by installing, and only then let make look at the packages.
demo:
	@scripts/deps build demo
	@$(MAKE) --no-print-directory all
	@scripts/demo

check:
	@scripts/deps build test $(if $(SLOW),kernels)
	@scripts/check

# The parts of `make check`, each for itself.
programs: $(BUILD)/mvapply $(UNIT) $(FUZZ) $(FAULTS) $(MODEL) $(BENCHES)

unit: $(UNIT) $(FUZZ)
	@scripts/unit $(UNIT) $(FUZZ)

unit-programs:
	@printf '%s\n' $(UNIT) $(FUZZ)

kernel: $(BUILD)/mvapply $(FAULTS) $(MODEL)
	@tests/kernel/run.py --binary $(BUILD)/mvapply $(ARGS)

uml: $(BUILD)/mvapply $(FAULTS) $(MODEL)
	@tests/uml/run --binary $(BUILD)/mvapply $(ARGS)

# Debian's kernels in QEMU: tests/kernels/README.md. KERNELS="5.10 7.2" runs some, SHORT=1 a few minutes' worth.
kernels:
	@scripts/deps build test kernels
	@$(MAKE) --no-print-directory $(BUILD)/mvapply $(FAULTS) $(MODEL) $(BENCHES)
	@RECORD=1 KERNELS="$(KERNELS)" tests/kernels/run $(ARGS)

# Clean roots of Debian: tests/builds/run. BUILDS="trixie sid" makes some of them.
builds:
	@scripts/deps kernels
	@tests/builds/run $(BUILDS)

# The package and its services under a real systemd, in QEMU.
systemd: deb
	@scripts/deps build test kernels
	@tests/systemd/run

# What is generated from the tables of keys and commands, and the blocks of the Chinese pages; tests/schema and
# tests/docs compare them.
docs: schema
	scripts/reference $(BUILD)/mvapply
	scripts/animation $(BUILD)/mvapply
	scripts/chinese

schema: $(BUILD)/mvapply
	$(BUILD)/mvapply schema > examples/mvapply.schema.json

# The whole of what `make check` does in short against faults: an hour of a service with a thousand
# attachments and a hundred faults a second (SOAK_SECONDS, SOAK_LINKS), a kill before each system
# call, each message refused for each reason, a million random plans, thousands of random sequences of
# what the model of the kernel does, too.
soak: programs
	@SOAK=1 scripts/unit $(filter %/test_plan_shortest,$(UNIT))
	@SOAK=1 SOAK_SECONDS=$(or $(SOAK_SECONDS),3600) SOAK_LINKS=$(or $(SOAK_LINKS),1000) tests/kernel/run.py \
		--binary $(BUILD)/mvapply --seconds 3600 --jobs 1 --only soak: --only killed: --only refusals: \
		--only broken: --only weapons: --only "two at once" --only model: $(ARGS)

# Ten thousand random events, in both builds; WATCH_SEED says which.
soak-watch: $(BUILD)/mvapply
	@$(MAKE) --no-print-directory asan TARGET=all
	@WATCH_EVENTS=10000 tests/kernel/run.py --only "watch random" --seconds 900 --binary $(BUILD)/mvapply
	@WATCH_EVENTS=10000 tests/kernel/run.py --only "watch random" --seconds 900 --binary build/asan/mvapply

# What is compared is told in tests/bench/README.md. ARGS='--rounds 3 1 10' is a short run.
bench:
	@scripts/deps build test bench
	@$(MAKE) --no-print-directory $(BUILD)/mvapply $(BENCHES)
	@tests/bench/bench.py --binary $(BUILD)/mvapply --docker 10 100 --plans 1000 10000 100000 \
		--json $(BUILD)/bench.json $(ARGS)
	@rm -f $(BUILD)/bench-attach.json
	@tests/bench/attach.py --binary $(BUILD)/mvapply --json $(BUILD)/bench-attach.json
	@tests/bench/plot.py $(BUILD)/bench.json $(BUILD)/bench-attach.json --to $(BUILD)/bench

# What needs VLANs, under user-mode Linux: a VLAN that goes with all that hangs on it, a hundred of
# them, and one for each attachment, as CNI's plugin has it.
UML_BENCHES := "1 --rounds 3 --works apply unlink -- 100 1000" "100 1000 --rounds 3 --works apply" \
	"10 10 --rounds 3 --works apply"
bench-uml: $(BUILD)/mvapply $(BENCHES)
	@for each in $(or $(ARGS),$(UML_BENCHES)); do \
		tests/uml/boot $(BUILD)/bench/uml tests/bench/bench.py --binary $(BUILD)/mvapply \
			--json $(BUILD)/bench/uml/$${each%% *}-vlans.json --vlans $$each; \
		cat $(BUILD)/bench/uml/output; \
		tests/bench/plot.py $(BUILD)/bench/uml/$${each%% *}-vlans.json \
			--to $(BUILD)/bench/uml/$${each%% *}-vlans; done

bench-watch: $(BUILD)/mvapply $(BUILD)/tests/bench/react
	@tests/bench/watch.py --binary $(BUILD)/mvapply --react $(BUILD)/tests/bench/react \
		--json $(BUILD)/bench-service.json $(ARGS)
	@tests/bench/plot.py $(BUILD)/bench-service.json --to $(BUILD)/bench

$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libmvapply.a | packages
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libmvapply.a $(LDLIBS)

# Without the sanitizers: these are not what is watched.
$(BUILD)/tests/faults/%: tests/faults/%.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CPPFLAGS) $(filter-out $(SANITIZE),$(CFLAGS)) -o $@ $<

$(BUILD)/tests/faults/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(CPPFLAGS) $(filter-out $(SANITIZE),$(CFLAGS)) -Wno-pedantic -fPIC -shared -o $@ $< -ldl

asan:
	@$(MAKE) --no-print-directory BUILD=build/asan CFLAGS="-O1 -g $(SANITIZE)" $(or $(TARGET),programs)

# The manual's pages; without scdoc there are none, and all else can be installed.
MANUAL := $(if $(shell command -v scdoc),$(BUILD)/man/mvapply.8 $(BUILD)/man/mvapply.yaml.5)
man: $(MANUAL)

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

# Prints how much of schema/, container_engine/, kernel/ and reconcile/ the tests run; fails where it is too little.
coverage:
	@scripts/deps build test dev
	@scripts/coverage

# FUZZ_SECONDS for each target; what makes one fail is kept in build/fuzz/found.
fuzz:
	@scripts/deps build test
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC=clang FUZZ_MAIN= FUZZ_LINK=-fsanitize=fuzzer \
		CFLAGS="-O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)" fuzz-programs
	@scripts/fuzz build/fuzz/tests/fuzz

fuzz-programs: $(FUZZ)

# Podman and CRI-O read the hooks in these two folders alone.
HOOKSDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/share,/etc)/containers/oci/hooks.d
# Container runtimes look for CNI plugins in one folder: upstream's is /opt/cni/bin, Debian's packages use
# /usr/lib/cni, Fedora's /usr/libexec/cni.
CNIDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/cni,/opt/cni/bin)
install: $(BUILD)/mvapply man
	install -D -m 755 $< $(DESTDIR)$(PREFIX)/bin/mvapply
	ln -sf mvapply $(DESTDIR)$(PREFIX)/bin/mvapply-runtime
	install -d $(DESTDIR)$(CNIDIR)
	ln -sf $(PREFIX)/bin/mvapply $(DESTDIR)$(CNIDIR)/mvapply
	install -d $(DESTDIR)$(PREFIX)/lib/netavark
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' dist/netavark/mvapply > $(DESTDIR)$(PREFIX)/lib/netavark/mvapply
	chmod 755 $(DESTDIR)$(PREFIX)/lib/netavark/mvapply
	install -d $(DESTDIR)$(HOOKSDIR)
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' dist/oci/50-mvapply.json > $(DESTDIR)$(HOOKSDIR)/50-mvapply.json
	chmod 644 $(DESTDIR)$(HOOKSDIR)/50-mvapply.json
	install -D -m 644 dist/completion/mvapply.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mvapply
	install -D -m 644 dist/completion/_mvapply $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mvapply
	for page in $(MANUAL); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	$(if $(MANUAL),ln -sf mvapply.8 $(DESTDIR)$(PREFIX)/share/man/man8/mvapply-runtime.8)
	install -D -m 644 examples/mvapply.schema.json $(DESTDIR)$(PREFIX)/share/mvapply/mvapply.schema.json
	install -D -m 644 dist/completion/mvapply.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mvapply.fish

# The service: its unit, the drop-ins (not enabled), and an example of a configuration (not in use).
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system
install-service:
	install -d $(DESTDIR)$(UNITDIR)
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,; /^#   cp mvapply.service/d' examples/systemd/mvapply.service \
		> $(DESTDIR)$(UNITDIR)/mvapply.service
	sed 's,/usr/local/bin/,$(PREFIX)/bin/,' examples/systemd/mvapply-docker.service \
		> $(DESTDIR)$(UNITDIR)/mvapply-docker.service
	sed '/^#   cp mvapply-docker/d' examples/systemd/mvapply-docker.socket \
		> $(DESTDIR)$(UNITDIR)/mvapply-docker.socket
	chmod 644 $(DESTDIR)$(UNITDIR)/mvapply.service $(DESTDIR)$(UNITDIR)/mvapply-docker.*
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/mvapply/systemd examples/systemd/mvapply-*.conf
	install -D -m 644 -t $(DESTDIR)/etc/mvapply dist/example.yaml.disabled

# One file without libraries, with musl: build/static/mvapply.
.PHONY: static
static:
	@scripts/deps build static
	@scripts/static

# A package for Debian, in build/deb, checked by lintian.
deb:
	@scripts/deps build deb
	@scripts/deb

# A package for distributions with RPM, in build/rpm.
rpm:
	@scripts/deps build rpm
	@scripts/rpm

# A container image of the static program alone, by ENGINE=docker or podman: see dist/container/Dockerfile.
ENGINE ?= docker
image: static
	$(ENGINE) build -f dist/container/Dockerfile -t mvapply:$(VERSION) -t mvapply build/static

# All that a release consists of, in build/release. The same sources give the same bytes.
release:
	@scripts/deps build deb rpm static
	@scripts/release

# What `make install` and `make install-service` installed, but not what is in /etc/mvapply.
uninstall:
	rm -f $(DESTDIR)$(UNITDIR)/mvapply.service $(DESTDIR)$(UNITDIR)/mvapply-docker.service \
		$(DESTDIR)$(UNITDIR)/mvapply-docker.socket $(DESTDIR)$(PREFIX)/share/mvapply/systemd/mvapply-*.conf \
		$(DESTDIR)$(PREFIX)/bin/mvapply $(DESTDIR)$(PREFIX)/bin/mvapply-runtime \
		$(DESTDIR)$(CNIDIR)/mvapply $(DESTDIR)$(PREFIX)/lib/netavark/mvapply $(DESTDIR)$(HOOKSDIR)/50-mvapply.json \
		$(DESTDIR)$(PREFIX)/share/man/man8/mvapply.8 $(DESTDIR)$(PREFIX)/share/man/man8/mvapply-runtime.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/mvapply.yaml.5 \
		$(DESTDIR)$(PREFIX)/share/mvapply/mvapply.schema.json \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/mvapply \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mvapply \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mvapply.fish

format:
	clang-format -i $(SOURCES)

lint:
	@scripts/deps build test lint
	@$(MAKE) --no-print-directory compile_commands.json
	@scripts/lint $(CPPFLAGS) -- $(SOURCES)

# What clangd and clang-tidy read: one entry a source, with the very flags of the build.
compile_commands.json: $(filter %.c,$(SOURCES)) $(BUILD)/seccomp_filter.inc $(BUILD)/seccomp_dhcp.inc Makefile
	@scripts/compile-commands $(CC) $(CPPFLAGS) $(CFLAGS) -- $(filter %.c,$(SOURCES)) > $@

clean:
	rm -rf build compile_commands.json

.DEFAULT_GOAL := all
.PHONY: all soak packages deps demo check programs unit builds unit-programs coverage fuzz fuzz-programs kernel uml systemd docs schema man deb rpm image release soak-watch bench bench-uml bench-watch asan install install-service uninstall format lint clean
.PRECIOUS: $(OBJECTS)
.DELETE_ON_ERROR:
-include $(OBJECTS:.o=.d)
