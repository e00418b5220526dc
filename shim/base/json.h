/*
 * json.h
 *	  A strict scanner of JSON text (RFC 8259): is it well formed, and where do
 *	  the members of the top-level object stand.
 */
#ifndef QEHS_SHIM_JSON_H
#define QEHS_SHIM_JSON_H

#include <stdbool.h>

#include "base/arena.h"

#define JSON_MAX_DEPTH 64
#define JSON_MAX_MEMBERS 64

typedef enum JsonType
{
	JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
} JsonType;

typedef struct JsonMember
{
	const char *name;			/* decoded */
	JsonType	type;
	const char *value;			/* slice of the text, raw */
	size_t		length;
} JsonMember;

typedef struct JsonDocument
{
	JsonType	type;			/* of the whole */
	const char *value;
	size_t		length;
	int			count;			/* members of a top-level object */
	JsonMember	members[JSON_MAX_MEMBERS];
	/* when scanning failed */
	const char *problem;		/* problem code */
	const char *code;			/* errors[].code */
	const char *path;			/* JSON Pointer */
	const char *message;
} JsonDocument;

/*
 * Scan text; false with problem, code, path and message set when it is refused:
 * malformed, not UTF-8, duplicate keys, deeper than JSON_MAX_DEPTH, a NUL or lone
 * surrogate, a number of more than 1000 characters or an exponent beyond 1000.
 * All memory comes from the arena.
 */
extern bool json_scan(const char *text, size_t length, Arena *arena, JsonDocument *document);

/* The value of a JSON string slice, decoded, NUL-terminated; it has passed json_scan. */
extern char *json_decode(const char *slice, size_t length, Arena *arena, size_t *decoded_length);

#endif							/* QEHS_SHIM_JSON_H */
