# fuzz.mk: the fuzzers, built into build/fuzz by clang: make -f tests/fuzz/fuzz.mk [PG_CONFIG=…]
#
# tests/fuzz/shim_*.c are programs: each is linked with an archive of all of the shim, of which it takes what it calls, so that a function
# that it defines itself (request_header) stands for the shim's. tests/fuzz/extension_*.c go with all of the extension into one library
# that a server in single-user mode loads (run.sh), since its parsers work on jsonb, numeric and memory contexts.

CLANG ?= clang-14
PG_CONFIG ?= /usr/lib/postgresql/15/bin/pg_config
OUT = build/fuzz
RUNTIME := $(dir $(shell $(CLANG) -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a))
# warnings are for the build and for make lint
COMMON = -O1 -w -g -fno-omit-frame-pointer -DQEHS_VERSION='"fuzz"' -D_GNU_SOURCE -MMD -MP

SHIM_FLAGS = -std=c11 $(COMMON) -fsanitize=fuzzer-no-link,address,undefined -Ishim -Iextension -Ibuild -I$(shell $(PG_CONFIG) --includedir) \
	$(shell pkg-config --cflags pangocairo cairo-pdf icu-i18n libexif)
SHIM_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(sort $(filter-out shim/main.c,$(wildcard shim/*.c shim/*/*.c))))
SHIM_TARGETS := $(patsubst tests/fuzz/%.c,$(OUT)/%,$(wildcard tests/fuzz/shim_*.c))
SHIM_LIBS = $(shell cat shim/LIBS) -lpq -ljansson -lcjose -lz -lzstd -lcurl -lmagic -lcrypto -lxlsxwriter -larchive \
	$(shell pkg-config --libs pangocairo cairo-pdf icu-i18n icu-uc libexif) -lm

# Without AddressSanitizer, with whose library in front Debian's postgres does not start: extension_driver.c puts a guard behind each
# input. Zero added to NULL (an empty table's end) is no fault.
EXTENSION_FLAGS = -std=gnu11 $(COMMON) -fPIC -fsanitize=fuzzer-no-link,undefined \
	-fsanitize-trap=undefined -fno-sanitize=function,pointer-overflow -Iextension -I$(shell $(PG_CONFIG) --includedir-server)
EXTENSION_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard extension/*.c extension/*/*.c tests/fuzz/extension_*.c)))

all: $(SHIM_TARGETS) $(OUT)/qehs_fuzz.so

$(OUT)/%.o: FLAGS = $(SHIM_FLAGS)
$(OUT)/extension/%.o $(OUT)/tests/fuzz/extension_%.o: FLAGS = $(EXTENSION_FLAGS)
$(OUT)/%.o: %.c tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(CLANG) $(FLAGS) -c $< -o $@

$(OUT)/shim.a: $(SHIM_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(SHIM_TARGETS): $(OUT)/%: $(OUT)/tests/fuzz/%.o $(OUT)/shim.a
	$(CLANG) -fsanitize=fuzzer,address,undefined $< $(OUT)/shim.a build/portal.S $(SHIM_LIBS) -o $@

$(OUT)/qehs_fuzz.so: $(EXTENSION_OBJECTS)
	$(CLANG) -shared $^ $(RUNTIME)libclang_rt.fuzzer_no_main-x86_64.a -lstdc++ -lm -lpcre2-8 -lidn2 -lcrypt -lcrypto -o $@

-include $(shell find $(OUT) -name '*.d' 2> /dev/null)
.PHONY: all
