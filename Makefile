# SPDX-License-Identifier: GPL-2.0-or-later
# virt-parts: run-parts for libvirt. `make help` says what there is.

VERSION = 0.1.0
PREFIX = /usr
DESTDIR =
BUILD = build
HOOKS_DIR = /etc/libvirt/hooks

CFLAGS = -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
# a flag, where this compiler has it for this machine
accepted = $(shell $(CC) -Werror -U_FORTIFY_SOURCE $(1) -O2 -S -o /dev/null -x c -include features.h /dev/null \
	2>/dev/null && echo $(1))
HARDEN_CFLAGS := -U_FORTIFY_SOURCE $(or $(call accepted,-D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2) \
	-fstack-protector-strong $(call accepted,-fstack-clash-protection) \
	$(or $(call accepted,-fcf-protection),$(call accepted,-mbranch-protection=standard))
HARDEN_LDFLAGS = -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,-z,text
# programs that are run at every event, and link nothing but libc
STATIC = -static-pie -pthread

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIE -pthread -MMD -MP \
	-DVP_PREFIX='"$(PREFIX)"' $(VERSION_CFLAGS) $(WARNINGS) $(HARDEN_CFLAGS) \
	-Isrc/lib -Isrc/tree -Isrc/directives $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread $(HARDEN_LDFLAGS) -Wl,--as-needed $(LDFLAGS)
XML_CFLAGS = $(shell pkg-config --cflags libxml-2.0)
XML_LIBS = $(shell pkg-config --libs libxml-2.0)
ISO_LIBS = $(shell pkg-config --libs libisofs-1)
VIRT_LIBS = $(shell pkg-config --libs libvirt)

# one part, one file in src/parts; what only it needs lies in a folder of its own
PARTS = virt-parts ramdisk preload archive post-rm-rf
SHARED = lib tree directives
SHARED_OBJECTS = $(foreach d,$(SHARED),$(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(d)/*.c)))
objects = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))

LIBRARY = $(BUILD)/libvirt-parts.a
PROGRAMS = $(BUILD)/virt-parts $(BUILD)/virt-parts-hook $(BUILD)/virt-parts-get $(addprefix $(BUILD)/parts/,$(PARTS))

libexecdir = $(PREFIX)/libexec/virt-parts
vendordir = $(PREFIX)/lib/virt-parts
MANUALS = $(wildcard src/man/*.[1-9])
docdir = $(PREFIX)/share/doc/virt-parts

all: $(PROGRAMS) $(BUILD)/virt-parts.pc

help:
	@echo 'all            the programs, in $(BUILD)/'
	@echo 'install        DESTDIR= PREFIX=/usr; the hooks that libvirt calls are for install.sh to link'
	@echo 'uninstall      what install made; configuration, own parts, records and logs stay'
	@echo 'check          the tests, in minutes; check-full: with all counts, in hours, and their table'
	@echo 'check-asan     the tests with AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'check-valgrind the tests of the dispatcher and of the shipped parts, under memcheck'
	@echo 'fuzz           the readers, a minute each'
	@echo 'demo           a container and a virtual machine live through all directives'
	@echo 'bench          how fast, against others; lint: format and static checks'
	@echo 'dist           a tar archive of what is committed'

$(LIBRARY): $(SHARED_OBJECTS)
	$(AR) rcs $@.new $^ && mv $@.new $@

$(BUILD)/virt-parts-hook: $(call objects,dispatch) $(LIBRARY)
	$(CC) $(STATIC) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/virt-parts-get: $(BUILD)/cli/virt-parts-get.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS)

# the admin's command plans and finishes runs as the dispatcher does: by its objects
$(BUILD)/virt-parts: $(call objects,cli/virt-parts) $(BUILD)/cli/schema.o \
		$(filter-out %/main.o,$(call objects,dispatch)) $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) $(VIRT_LIBS)

# it knows the events of libvirt by the dispatcher's table
$(BUILD)/parts/virt-parts: $(BUILD)/parts/virt-parts.o $(BUILD)/dispatch/ops.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS)

$(BUILD)/parts/preload: $(BUILD)/parts/preload.o $(call objects,iso) $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ISO_LIBS)

$(BUILD)/parts/ramdisk: $(BUILD)/parts/ramdisk.o $(call objects,ramdisk) $(LIBRARY)
	$(CC) $(STATIC) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/parts/archive: $(BUILD)/parts/archive.o $(call objects,archive) $(LIBRARY)
	$(CC) $(STATIC) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/parts/post-rm-rf: $(BUILD)/parts/post-rm-rf.o $(LIBRARY)
	$(CC) $(STATIC) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/lib/xml.o: CPPFLAGS += $(XML_CFLAGS)
$(BUILD)/cli/virt-parts/%.o: CPPFLAGS += -Isrc $(XML_CFLAGS)
$(BUILD)/parts/virt-parts.o: CPPFLAGS += -Isrc
$(BUILD)/parts/ramdisk.o: CPPFLAGS += -Isrc/ramdisk
$(BUILD)/parts/preload.o: CPPFLAGS += -Isrc/iso
$(BUILD)/parts/archive.o: CPPFLAGS += -Isrc/archive

# the prefix is compiled in: another one is another build, and so are other flags (:= for those of all objects)
BUILT_WITH := $(PREFIX) $(CC) $(HARDEN_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(HARDEN_LDFLAGS) $(LDFLAGS) $(STATIC)
# and the version into these, which alone are given it
VERSIONED = $(addprefix $(BUILD)/,dispatch/main.o cli/virt-parts/main.o cli/virt-parts/doctor-versions.o)
$(VERSIONED): VERSION_CFLAGS = -DVP_VERSION='"$(VERSION)"'
$(VERSIONED) $(BUILD)/virt-parts.pc: $(BUILD)/version

$(BUILD)/prefix: built_with = $(BUILT_WITH)
$(BUILD)/version: built_with = $(VERSION)
$(BUILD)/prefix $(BUILD)/version: FORCE
	@mkdir -p $(BUILD)
	@echo '$(built_with)' | cmp -s - $@ || echo '$(built_with)' >$@

$(BUILD)/%.o: src/%.c $(BUILD)/prefix
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# the schema as a string of C
$(BUILD)/cli/schema.c: src/cli/virt-parts.rng
	@mkdir -p $(@D)
	{ echo 'const char schema_text[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@

$(BUILD)/cli/schema.o: $(BUILD)/cli/schema.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/virt-parts.pc: src/lib/virt-parts.pc.in $(BUILD)/prefix
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' $< >$@

# tools that tests use: built from the same objects
TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
tools: $(TOOLS)

$(BUILD)/tools/iso-build: $(filter-out $(BUILD)/iso/preload-%.o,$(call objects,iso))
$(BUILD)/tools/iso-build: CPPFLAGS += -Isrc/iso
$(BUILD)/tools/iso-build: TOOL_LIBS = $(ISO_LIBS)
$(BUILD)/tools/%: tests/tools/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) $(filter %.a,$^) $(TOOL_LIBS)

# libvirt may call a program at any moment of an upgrade: each is whole, the old or the new one
put = for file in $(1); do \
		install -m 755 "$$file" "$(2)/.$${file\#\#*/}.new" && \
		mv -f "$(2)/.$${file\#\#*/}.new" "$(2)/$${file\#\#*/}" || exit 1; \
	done

# CONF,DEFAULT: a parts.conf that was not edited follows its default; a default that has changed lies beside one that was.
# It is never away, or empty, which would allow nothing.
put_conf = sed 's,^vendor = /usr/,vendor = $(PREFIX)/,' hooks/parts.conf >$(2).new && \
	if cmp -s $(1) $(2).new; then :; \
	elif ! test -e $(1) -o -L $(1) || cmp -s $(1) $(2); then install -m 644 $(2).new $(1).tmp && mv -f $(1).tmp $(1); \
	elif ! cmp -s $(1) $(2).new && ! cmp -s $(2) $(2).new; then install -m 644 $(2).new $(1).new; fi && \
	mv -f $(2).new $(2)

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(libexecdir)
	$(call put,$(BUILD)/virt-parts-hook,$(DESTDIR)$(PREFIX)/sbin)
	$(call put,$(BUILD)/virt-parts $(BUILD)/virt-parts-get,$(DESTDIR)$(PREFIX)/bin)
	$(call put,$(addprefix $(BUILD)/parts/,$(PARTS)),$(DESTDIR)$(libexecdir))
	for link in parts.d/*/*; do \
		install -d "$(DESTDIR)$(vendordir)/$$(dirname "$$link")" && \
		ln -sfn "$(libexecdir)/$$(basename "$$(readlink "$$link")")" \
			"$(DESTDIR)$(vendordir)/$$link" || exit 1; \
	done
	for page in $(MANUALS); do \
		install -D -m 644 $$page \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	install -D -m 644 src/cli/virt-parts.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/virt-parts
	install -D -m 644 src/cli/virt-parts.rng $(DESTDIR)$(PREFIX)/share/virt-parts/virt-parts.rng
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/pkgconfig
	install -m 644 $(LIBRARY) $(DESTDIR)$(vendordir)/
	install -m 644 src/lib/virt-parts.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(BUILD)/virt-parts.pc $(DESTDIR)$(PREFIX)/share/pkgconfig/
	install -d $(DESTDIR)$(HOOKS_DIR)/parts.d $(DESTDIR)/etc/logrotate.d
	install -m 644 hooks/parts.d/README $(DESTDIR)$(HOOKS_DIR)/parts.d/
	$(call put_conf,$(DESTDIR)$(HOOKS_DIR)/parts.conf,$(DESTDIR)$(PREFIX)/share/virt-parts/parts.conf)
	install -m 644 hooks/virt-parts.logrotate $(DESTDIR)/etc/logrotate.d/virt-parts

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/sbin/virt-parts-hook"
	rm -f "$(DESTDIR)$(PREFIX)/bin/virt-parts" "$(DESTDIR)$(PREFIX)/bin/virt-parts-get"
	rm -rf "$(DESTDIR)$(libexecdir)" "$(DESTDIR)$(vendordir)"
	rm -f $(foreach p,$(MANUALS),"$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p))")
	rm -f "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/virt-parts"
	rm -f "$(DESTDIR)$(PREFIX)/share/virt-parts/virt-parts.rng" "$(DESTDIR)$(PREFIX)/share/virt-parts/parts.conf"
	rm -f "$(DESTDIR)$(PREFIX)/include/virt-parts.h" "$(DESTDIR)$(PREFIX)/share/pkgconfig/virt-parts.pc"
	rm -f "$(DESTDIR)$(HOOKS_DIR)/parts.d/README" "$(DESTDIR)/etc/logrotate.d/virt-parts"

check: all tools
	tests/run-tests check

check-full: all tools
	tests/run-tests check-full; status=$$?; tests/attack-table build/proofs && exit $$status

# builds of their own, below $(BUILD)
check-asan:
	tests/checkers/asan

check-valgrind:
	tests/checkers/valgrind

fuzz: all
	tests/fuzz/run

demo: all
	tests/demo

bench: all tools
	tests/bench/run
	VIRT_PARTS_FULL=1 tests/sandbox -- bats -f '^many containers' tests/lives-many.bats

lint:
	tests/lint

dist:
	@mkdir -p $(BUILD)
	git archive --prefix=virt-parts-$(VERSION)/ -o $(BUILD)/virt-parts-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

FORCE:
.DELETE_ON_ERROR:
.PHONY: all help tools install uninstall check check-full check-asan check-valgrind fuzz demo bench lint dist clean FORCE
