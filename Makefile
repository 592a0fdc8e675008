# SPDX-License-Identifier: GPL-3.0-or-later
#
# unblend: build, test, install.  GNU make; knobs may be set on the command line.
#
#   make                 build/unblend
#   make demo            the whole way, with a real offline Guix, to a report
#   make check           unit tests, fuzz seeds, and cases (end to end too)
#   make unit seeds      the first two alone: seconds
#   make cases           CASES='tests/cases/a.t ...' for some, WORLD=no for
#                        those that need no offline Guix
#   make matrix          the cases that need two Guixes, of 2020 and of today: some
#                        hundred images of all that guix pack has, rebuilt; and
#                        the demo as an array job of Slurm
#   make crash           runs killed at 100 random moments, and the daemon at 10,
#                        and resumed: minutes
#   make asan            check without the offline Guix, under ASan and UBSan
#   make fuzz            libFuzzer, FUZZ_TIME seconds a target (clang)
#   make lint            layout, layers, libraries, headers, cppcheck,
#                        shellcheck, licence lines, manual page
#   make format          lays the C out as make lint wants it
#   make werror          everything compiled by gcc and by clang with -Werror
#   make bench           unblend against the ways a person would do it by hand
#   make install         DESTDIR=, prefix=
#   make uninstall clean
#
# B= is the build folder.  V=1 prints the commands.  SETUP=no leaves the machine's packages alone;
# otherwise ci/setup brings what ci/packages lists, once.

prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
mandir  ?= $(prefix)/share/man
B       ?= build
CFLAGS  ?= -O2 -g
FUZZ_TIME ?= 30
CASES   ?=
WORLD   ?= yes
SETUP   ?= yes

Q    := $(if $(V),,@)
say   = $(if $(V),@:,@echo "  $(1)")

# One pkg-config name a line; what ci/packages installs for them is there too.
PKGS := \
	jansson \
	libarchive \
	libcrypto \
	libcurl \
	libisal \
	liblzma \
	libsquashfs1 \
	libxml-2.0 \
	libzstd \
	sqlite3 \
	zlib

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum \
	-Wimplicit-fallthrough -Wcast-qual -Wno-overlength-strings
ifdef WERROR
WARN += -Werror
endif
ifdef SANITIZE
SAN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
SAN := -fstack-protector-strong \
	$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-D_FORTIFY_SOURCE=2)
endif


# Asked for only when a recipe needs it: before ci/setup there may be no
# pkg-config.  The first use replaces the question by its answer.
PKG_CONFIG ?= pkg-config
PKG_CFLAGS  = $(eval PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS)))$(PKG_LIBS)
CMOCKA_LIBS = $(eval CMOCKA_LIBS := $(shell $(PKG_CONFIG) --libs cmocka))$(CMOCKA_LIBS)

# CFLAGS, CPPFLAGS and LDFLAGS stay the caller's: nothing here adds to them.
LANG_FLAGS = -std=c11 -D_GNU_SOURCE -Iharness -I$(B)/gen/harness -I$(B)/gen
compile = $(CC) $(LANG_FLAGS) $(WARN) $(SAN) $(PKG_CFLAGS) $(CPPFLAGS) \
	$(CFLAGS) -MMD -MP
link    = $(CC) $(SAN) $(CFLAGS) $(LDFLAGS)

# A file that is there is built: no list to keep.
SRC   := $(sort $(wildcard harness/*.c harness/*/*.c))
TEXT  := $(sort $(wildcard harness/*/*.sql harness/*/*.scm reports/*.css \
	reports/*.js))
UNIT  := $(sort $(wildcard tests/unit/test_*.c))
FUZZ  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
HDR   := $(sort $(wildcard harness/*.h harness/*/*.h tests/*/*.h))
FORMATTED = $(SRC) $(HDR) $(sort $(wildcard tests/*/*.c))
MAN   := $(wildcard harness/cmd/unblend.1)
OBJ   := $(SRC:%.c=$(B)/%.o)
GEN   := $(TEXT:%=$(B)/gen/%.h)
LIB   := $(B)/libunblend.a

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
lint_parts := lint-format lint-layers lint-headers lint-cppcheck lint-texts
.PHONY: all objects check unit cases seeds asan fuzz fuzz-run lint $(lint_parts) \
	format werror bench crash demo matrix world install uninstall clean FORCE
all: $(B)/unblend

$(B)/unblend: $(B)/harness/main.o $(LIB)
	$(call say,LINK $@)
	$(Q)$(link) -o $@ $^ $(PKG_LIBS)

$(LIB): $(filter-out $(B)/harness/main.o,$(OBJ))
	$(call say,AR $@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c $(B)/flags | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(Q)$(compile) -c -o $@ $<

# The flags are a prerequisite, so that changing them rebuilds.
$(B)/flags: FORCE | build/setup/build
	@mkdir -p $(@D)
	@echo '$(compile) $(link) $(PKG_LIBS)' | cmp -s - $@ || \
		echo '$(compile) $(link) $(PKG_LIBS)' >$@

# What must be on the machine: build (for make), run (for a rebuild), test.
build/setup/%: ci/setup ci/packages tests/oracle/package-lock.json
	$(if $(filter no,$(SETUP)),@:,ci/setup $* && mkdir -p $(@D) && touch $@)

# Text assets stay in their own language and become what initialises an array
# of char: a string literal, or past 64 KiB, where compilers grow slow and
# debuggers drown, a list of bytes.  "?" is escaped for C11's trigraphs.
$(B)/gen/%.h: %
	@mkdir -p $(@D)
	@if [ $$(wc -c <$<) -le 65536 ]; then \
		sed -e 's/[\\"?]/\\&/g; s/.*/"&\\n"/' -e '$$a\' $< >$@; \
	else \
		{ echo '{'; od -An -v -tx1 $< | \
			sed "s/ \(..\)/'\\\\x\1',/g"; echo '0}'; } >$@; \
	fi

# Everything there is to compile, for a compiler's opinion alone.
objects: all $(B)/classify $(UNIT:tests/unit/%.c=$(B)/unit/%) \
	$(FUZZ:tests/fuzz/%.c=$(B)/seeds/%)
werror:
	$(MAKE) B=build/gcc CC=gcc WERROR=1 objects
	$(MAKE) B=build/clang CC=clang WERROR=1 objects
werror $(UNIT:%.c=$(B)/%.o): | build/setup/test

check: unit seeds cases

unit: $(UNIT:tests/unit/%.c=$(B)/unit/%.ran)
$(B)/unit/%.ran: $(B)/unit/% FORCE
	$<
$(B)/unit/%: $(B)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(link) -o $@ $^ $(PKG_LIBS) $(CMOCKA_LIBS)

# Without libFuzzer the targets replay their seeds: fuzz findings stay tests.
seeds: $(FUZZ:tests/fuzz/%.c=$(B)/seeds/%.ran)
$(B)/seeds/%.ran: $(B)/seeds/% FORCE
	$< $(wildcard tests/fuzz/seeds/$*/*)
$(B)/seeds/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(link) -o $@ $^ $(PKG_LIBS)

# The offline Guix and the images its author packed; both scripts know what is
# there already.
world: | build/setup/run
	tests/world/make
	tests/world/author build/images
	tests/world/forms build/forms

# What a case needs to hold a live message of Guix against its class.
$(B)/classify: $(B)/tests/cases/classify.o $(LIB)
	$(call say,LINK $@)
	$(Q)$(link) -o $@ $^ $(PKG_LIBS)

ifneq ($(WORLD),no)
cases: world
endif
cases: $(B)/unblend $(B)/classify | build/setup/test
	UNBLEND=$(B)/unblend tests/run $(if $(filter no,$(WORLD)),--no-world) $(CASES)

matrix: $(B)/unblend world | build/setup/test
	UNBLEND=$(B)/unblend tests/run --both-worlds

crash: $(B)/unblend world | build/setup/test
	UNBLEND=$(B)/unblend CRASH_KILLS=100 CRASH_WORLD=20 CRASH_DAEMONS=10 \
		tests/run tests/cases/resume.t tests/cases/crash.t

# A status of its own, so that no test can take a sanitizer's end for ours, and
# reports in files, so that one in a worker process is not lost.
asan: SAN_OPT = exitcode=99:halt_on_error=1:print_stacktrace=1
asan:
	rm -rf build/asan/report
	mkdir -p build/asan/report
	ASAN_OPTIONS=$(SAN_OPT):log_path=$(CURDIR)/build/asan/report/at \
	UBSAN_OPTIONS=$(SAN_OPT):log_path=$(CURDIR)/build/asan/report/at \
		$(MAKE) -k B=build/asan SANITIZE=address,undefined WORLD=no check || \
		{ cat build/asan/report/* 2>/dev/null; exit 1; }
	@! cat build/asan/report/* 2>/dev/null

fuzz: | build/setup/test
	$(MAKE) B=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
		fuzz-run
fuzz-run: $(FUZZ:tests/fuzz/%.c=$(B)/%.ran)
$(B)/fuzz_%.ran: $(B)/fuzz_% FORCE
	@mkdir -p $(B)/found/$*
	@echo "fuzz_$*: $(FUZZ_TIME) s"
	@$< -max_total_time=$(FUZZ_TIME) -timeout=20 -rss_limit_mb=2048 \
		$(addprefix -dict=,$(wildcard tests/fuzz/$*.dict)) \
		-artifact_prefix=$(B)/found/$*- $(B)/found/$* \
		$(wildcard tests/fuzz/seeds/fuzz_$*) >$(B)/fuzz_$*.log 2>&1 || \
		{ tail -n 60 $(B)/fuzz_$*.log; exit 1; }
	@tail -n 1 $(B)/fuzz_$*.log
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(LIB)
	$(call say,LINK $@)
	$(Q)$(link) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

# `make -k lint` says all there is to say.
lint: lint-format lint-layers lint-headers lint-cppcheck lint-texts
$(lint_parts): | build/setup/test
lint-format:
	@echo clang-format --dry-run -Werror
	@clang-format --dry-run -Werror $(FORMATTED)
lint-layers:
	@echo ci/layers, ci/libraries
	@ci/layers $(SRC) $(filter harness/%,$(HDR))
	@ci/libraries $(SRC) $(filter harness/%,$(HDR))
lint-headers: $(GEN) $(B)/flags
	@echo each header by itself
	@for h in $(HDR); do $(CC) $(LANG_FLAGS) $(PKG_CFLAGS) -Wall -Werror \
		-fsyntax-only -x c $$h || exit 1; done
lint-cppcheck: $(GEN)
	cppcheck --quiet -j2 --error-exitcode=1 --enable=warning,portability \
		--inline-suppr --std=c11 $(filter -I%,$(LANG_FLAGS)) harness
lint-texts:
	ci/lint-texts
format: | build/setup/test
	@clang-format -i $(FORMATTED)

bench: all world | build/setup/test
	UNBLEND=$(B)/unblend tests/bench/run

demo: all world
	UNBLEND=$(B)/unblend ci/demo

install: all
	install -D -m 755 $(B)/unblend $(DESTDIR)$(bindir)/unblend
	$(if $(MAN),install -D -m 644 $(MAN) $(DESTDIR)$(mandir)/man1/unblend.1)

uninstall:
	rm -f $(DESTDIR)$(bindir)/unblend $(DESTDIR)$(mandir)/man1/unblend.1

clean:
	rm -rf $(B)

-include $(OBJ:.o=.d) $(UNIT:%.c=$(B)/%.d) $(FUZZ:%.c=$(B)/%.d) \
	$(B)/tests/cases/classify.d
