/*
 * shim_guard.c
 *	  libFuzzer target of the shim's guard: bytes break their form at the same place
 *	  however they are cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/guard.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *) data;
	Guard		whole = {.state = GUARD_START};
	Guard		parts = {.state = GUARD_START};
	size_t		broken = guard_follow(&whole, bytes, size);
	size_t		step = size > 0 ? 1 + data[0] % 7 : 1;

	for (size_t at = 0; at < size; at += step)
	{
		size_t		length = size - at < step ? size - at : step;
		size_t		found = guard_follow(&parts, bytes + at, length);

		if (found < length)
		{
			if (at + found != broken)
				abort();
			return 0;
		}
	}
	if (broken != size || whole.state != parts.state || whole.remaining != parts.remaining)
		abort();
	return 0;
}
