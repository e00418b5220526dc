/*
 * shim_json.c
 *	  libFuzzer target of the shim's JSON scanner.
 */
#include <stdint.h>

#include "base/json.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena		arena = {0};
	JsonDocument document;
	size_t		length;

	if (json_scan((const char *) data, size, &arena, &document))
		for (int i = 0; i < document.count; i++)
			if (document.members[i].type == JSON_STRING)
				json_decode(document.members[i].value, document.members[i].length, &arena, &length);
	arena_free(&arena);
	return 0;
}
