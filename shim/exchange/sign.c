/*
 * sign.c
 *	  One statement, unless the store is the embedded one.
 */
#include "exchange/sign.h"

#include <stdio.h>
#include <string.h>

#define SIGN "SELECT qehs.storage_sign($1::jsonb, $2, $3, $4, NULL, NULL, $5::int8, $6)"

const char *
sign_sha256(const StorageFacts *facts, Arena *arena)
{
	char	   *text = arena_alloc(arena, 2 * STORAGE_SHA256_BYTES + 1);

	for (int i = 0; i < STORAGE_SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", facts->sha256[i]);
	return text;
}

bool
sign_url(Session *session, const char *method, const StorageName *name, const StorageFacts *facts, Arena *arena, const char **url)
{
	char		size[24];
	const char *arguments[] = {storage_description(arena), method, name->tenant, name->id, NULL, NULL};
	const char *value = NULL;

	*url = NULL;
	if (storage_is_local())
		return true;
	if (facts)
	{
		snprintf(size, sizeof(size), "%lld", (long long) facts->size);
		arguments[4] = size;
		arguments[5] = sign_sha256(facts, arena);
	}
	if (!session_value(session, SIGN, 6, arguments, &value, NULL))
		return false;
	*url = value ? arena_copy(arena, value, strlen(value)) : NULL;
	return true;
}
