/*
 * trace.c
 *	  W3C Trace Context: what a request brings, and ids of our own.
 */
#include "exchange/trace.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"

/* The version, room for the two ids, the flags. */
#define TRACEPARENT "00-................................-................-0."

/* Random bytes are fetched by the page: a call costs more than the bytes. */
static void
random_hex(char *text, size_t bytes)
{
	static __thread unsigned char pool[4096];
	static __thread size_t left = 0;
	const unsigned char *random;

	if (left < bytes)
	{
		if (RAND_bytes(pool, sizeof(pool)) != 1)
			abort();
		left = sizeof(pool);
	}
	left -= bytes;
	random = pool + left;
	for (size_t i = 0; i < bytes; i++)
	{
		text[2 * i] = "0123456789abcdef"[random[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	text[2 * bytes] = '\0';
}

/* A valid traceparent: 00-<32 hex>-<16 hex>-<2 hex>, ids not zero (W3C Trace Context section 3.2). */
static void
take_traceparent(Request *request, const char *header)
{
	if (header == NULL || strlen(header) < 55 || !hex_is_lower(header, 2) || strncmp(header, "ff", 2) == 0 || header[2] != '-' ||
		!hex_is_lower(header + 3, 32) || header[35] != '-' || !hex_is_lower(header + 36, 16) || header[52] != '-' ||
		!hex_is_lower(header + 53, 2) || (header[55] != '\0' && (strncmp(header, "00", 2) == 0 || header[55] != '-')) ||
		strspn(header + 3, "0") >= 32 || strspn(header + 36, "0") >= 16)
		return;
	memcpy(request->trace_id, header + 3, TRACE_ID_LENGTH);
	request->trace_id[TRACE_ID_LENGTH] = '\0';
	memcpy(request->parent_id, header + 36, 16);
	request->parent_id[16] = '\0';
	request->sampled = (header[54] & 1) != 0;
}

/* Up to 32 members of key=value in printable ASCII, 512 characters in all (W3C Trace Context section 3.3). */
static bool
is_tracestate(const char *header)
{
	int			members = 0;

	if (header == NULL || *header == '\0' || strlen(header) > 512)
		return false;
	for (const char *c = header; *c; c++)
		if ((*c < 0x20 && *c != '\t') || *c >= 0x7F)
			return false;
	while (*header)
	{
		size_t		length;

		header += strspn(header, " \t");
		length = strcspn(header, ",");
		if (length > 0)
		{
			size_t		key = strspn(header, "abcdefghijklmnopqrstuvwxyz0123456789_-*/@");

			if (key == 0 || key >= length || header[key] != '=' || ++members > 32)
				return false;
		}
		header += length + (header[length] == ',');
	}
	return members > 0;
}

void
trace_new(Request *request)
{
	random_hex(request->trace_id, TRACE_ID_LENGTH / 2);
	random_hex(request->span_id, 8);
	*request->parent_id = '\0';
	request->sampled = false;
	request->traceparent = request->tracestate = NULL;
}

const char *
trace_parent(Request *request)
{
	char	   *text;

	if (request->traceparent)
		return request->traceparent;
	request->traceparent = text = arena_copy(&request->arena, TRACEPARENT, strlen(TRACEPARENT));
	memcpy(text + 3, request->trace_id, TRACE_ID_LENGTH);
	memcpy(text + 36, request->span_id, 16);
	text[54] = request->sampled ? '1' : '0';
	return text;
}

void
trace_take(Request *request)
{
	const char *state = request_header(request, "tracestate");

	trace_new(request);
	take_traceparent(request, request_header(request, "traceparent"));
	/* it belongs to the traceparent (section 4.3) */
	if (*request->parent_id && is_tracestate(state))
		request->tracestate = state;
}
