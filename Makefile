# qehs: a PostgreSQL extension and its HTTP shim. `make help` lists the targets.
#
# Targets that run scripts need no PostgreSQL headers and stand first; they call make again for the build, which is
# PGXS. The version stands in qehs.control and nowhere else.

RELEASE := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" qehs.control)
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
export RUN_DIR ?= .run
export PORT ?= 8080
export PG_CONFIG

SCRIPT_GOALS := help deps check interop fuzz soak sanitize valgrind installcheck run start stop bench bench-scim lint
ifneq ($(filter $(SCRIPT_GOALS),$(MAKECMDGOALS)),)

MAKE_ALL = $(MAKE) --no-print-directory -s all install
BUILD = tests/tools/deps.sh && $(MAKE_ALL)
C_FILES := $(wildcard extension/*.[ch] extension/*/*.[ch] shim/*.[ch] shim/*/*.[ch])

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

deps: ## install what is missing to build and test (Debian, as root)
	@tests/tools/deps.sh tests

check: ## run all tests on a throw-away cluster
	@tests/tools/deps.sh tests && $(MAKE_ALL)
	@node -e 'const m = require("./META.json"), v = "$(RELEASE)"; if (m.version !== v || m.provides.qehs.version !== v || !m.provides.qehs.file.includes(v)) { console.error("META.json is not of version " + v); process.exit(1) }'
	@tests/tools/check.sh

interop: ## test with what is big to install: PostgreSQL 17, 18 and libmicrohttpd 1.0 in Debian folders, generated clients (as root)
	@tests/tools/deps.sh interop && $(MAKE_ALL)
	@QEHS_STAGES=interop tests/tools/check.sh

soak: ## campaigns of hours with seeds of their own, for SOAK_SECONDS (14400)
	@tests/tools/deps.sh tests && $(MAKE_ALL)
	@QEHS_STAGES=soak tests/tools/check.sh

fuzz: ## run the fuzzers, each FUZZ_SECONDS (600; FUZZ_TARGETS="name…" for some of them)
	@tests/tools/deps.sh tests && $(MAKE_ALL)
	@tests/fuzz/run.sh $(or $(FUZZ_SECONDS),600) $(FUZZ_TARGETS)

sanitize: ## run the HTTP and fault tests on a shim with ASan and UBSan
	@$(BUILD)
	@mkdir -p build && $(MAKE) --no-print-directory -s SHIM=build/qehs-shim-sanitized build/qehs-shim-sanitized \
		SHIM_CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
	@QEHS_SHIM_BIN=$(CURDIR)/build/qehs-shim-sanitized QEHS_STAGES=http tests/tools/check.sh

valgrind: ## run the SQL tests on a server under valgrind (SQL_TESTS="name…" for some of them)
	@$(BUILD)
	@tests/tools/valgrind.sh

installcheck: ## run the SQL tests on the server that PGHOST, PGPORT and so on name
	@tests/tools/sql_tests.sh

run: ## start a demo in the foreground: cluster, tenant acme, sample data, shim (RUN_DIR, PORT, EMPTY=1)
	@$(BUILD)
	@tests/tools/demo.sh run

start: ## the same in the background
	@$(BUILD)
	@tests/tools/demo.sh start

stop: ## stop what make start started
	@tests/tools/demo.sh stop

bench: ## measure, as ratios against a peer in one run
	@$(BUILD)
	@tests/bench/run.sh

bench-scim: ## measure SCIM: 100,000 users, a group of 50,000 (SCIM_USERS)
	@$(BUILD)
	@tests/bench/scim.sh

lint: ## the rules of the sources, clang-tidy and cppcheck
	@tests/tools/lint.sh $(filter %.c,$(C_FILES)) $(wildcard tests/fuzz/*.c)

.PHONY: $(SCRIPT_GOALS)

else

MODULE_big = qehs
EXTENSION = qehs
SOURCES := $(sort $(wildcard extension/*.c extension/*/*.c))
HEADER_FILES := $(wildcard extension/*.h extension/*/*.h)
OBJS = $(SOURCES:.c=.o)
SQL_PARTS := $(sort $(wildcard sql/[0-9][0-9]_*.sql))
CATALOGUE := $(sort $(wildcard sql/modules/*.json))
EXTENSION_SCRIPT := sql/qehs--$(RELEASE).sql
DATA_built = $(EXTENSION_SCRIPT)
PG_CPPFLAGS = -I$(CURDIR)/extension -DQEHS_VERSION='"$(RELEASE)"'
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-declaration-after-statement
SHLIB_LINK = -lpcre2-8 -lidn2 -lcrypt -lcrypto
SHIM_SOURCES := $(sort $(wildcard shim/*.c shim/*/*.c))
ifneq ($(wildcard shim/main.c),)
EXTRA_CLEAN = qehs-shim build
all: qehs-shim
endif


# Bitcode for JIT inlining is optional; without Debian's clang it is left out.
ifeq ($(wildcard /usr/bin/clang-14 /usr/lib/llvm-14/bin/clang),)
with_llvm = no
endif
with_llvm ?= no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(HEADER_FILES)

# Parts in the order of their numbers; the shipped module definitions before the grants.
$(EXTENSION_SCRIPT): $(SQL_PARTS) $(CATALOGUE) qehs.control
	@{ cat $(filter-out sql/90_%,$(SQL_PARTS)); \
	for module in $(CATALOGUE); do \
		printf "INSERT INTO qehs.module_catalogue (key, definition) VALUES ('%s', \$$definition\$$" "$$(basename $$module .json)"; \
		cat $$module; printf "\$$definition\$$);\n"; \
	done; cat $(filter sql/90_%,$(SQL_PARTS)); } > $@

# The developer portal, packed for the shim to hold.
PORTAL_FILES := $(wildcard shim/portal/*.html shim/portal/*.css shim/portal/*.js shim/portal/*.svg)
build/portal.S: shim/portal/embed.sh shim/portal/package-lock.json $(PORTAL_FILES)
	@shim/portal/embed.sh build

SHIM_CFLAGS ?= -O2 -g
SHIM_LIBS = $(shell cat shim/LIBS 2>/dev/null || echo -lmicrohttpd) -lpq -ljansson -lcjose -lz -lzstd -lcurl -lmagic -lcrypto -lxlsxwriter -larchive \
	$(shell pkg-config --libs pangocairo cairo-pdf icu-i18n icu-uc libexif) -lm
SHIM_CPPFLAGS := $(shell pkg-config --cflags pangocairo cairo-pdf icu-i18n libexif)
SHIM = qehs-shim
SHIM_OBJECTS = $(SHIM_SOURCES:%.c=build/$(notdir $(SHIM)).o/%.o)
build/$(notdir $(SHIM)).o/%.o: %.c qehs.control Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(SHIM_CFLAGS) -Wall -Wextra -Werror -MMD -MP -DQEHS_VERSION='"$(RELEASE)"' -Ishim -Iextension -Ibuild $(SHIM_CPPFLAGS) \
		-I$(shell $(PG_CONFIG) --includedir) -c -o $@ $<
# portal.c includes what embed.sh makes
build/$(notdir $(SHIM)).o/shim/portal/portal.o: build/portal.S
$(SHIM): $(SHIM_OBJECTS) build/portal.S shim/LIBS
	@[ "$$(nm "$$($(CC) -print-file-name=libmicrohttpd.a)" 2> /dev/null | grep -wE 'U (recv|epoll_ctl|epoll_wait)' | sort -u | wc -l)" = 3 ] || { \
		echo "qehs-shim needs a static libmicrohttpd that reads with recv() and waits with epoll: see shim/http/intake.c, interest.c" >&2; exit 1; }
	$(CC) $(SHIM_CFLAGS) -o $@ $(SHIM_OBJECTS) build/portal.S $(SHIM_LIBS)
-include $(SHIM_OBJECTS:.o=.d)

all: ## build the extension and the shim
install: ## install the extension for the server of PG_CONFIG
clean: ## remove what was built

endif
