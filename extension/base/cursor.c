/*
 * cursor.c
 *	  Sealing and opening cursors.
 *
 * A cursor is base64url (RFC 4648 section 5) of a version byte, the first 16
 * bytes of an HMAC-SHA-256 (RFC 2104), and the position.  The HMAC covers
 * version, tenant, endpoint, binding and position, each with its length in
 * front, under the secrets of secret.h.
 */
#include "base/compat.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/seal.h"
#include "base/secret.h"
#include "common/hmac.h"
#include "common/sha2.h"

#define CURSOR_VERSION 1
#define MAC_BYTES 16
#define MAX_CURSOR_TEXT 2048

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Feed a part with its length in front, so that no two lists of parts are alike. */
static bool
feed(pg_hmac_ctx *hmac, const void *data, uint32 length)
{
	return pg_hmac_update(hmac, (const uint8 *) &length, sizeof(length)) >= 0 &&
		pg_hmac_update(hmac, data, length) >= 0;
}

static void
compute_mac(const uint8 *secret, int32 tenant_id, const char *endpoint, const char *binding,
			const char *position, int length, uint8 *mac)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint8		version = CURSOR_VERSION;
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);

	if (hmac == NULL || pg_hmac_init(hmac, secret, QEHS_SECRET_BYTES) < 0 ||
		!feed(hmac, &version, 1) || !feed(hmac, &tenant_id, sizeof(tenant_id)) ||
		!feed(hmac, endpoint, strlen(endpoint)) || !feed(hmac, binding, strlen(binding)) ||
		!feed(hmac, position, length) || pg_hmac_final(hmac, digest, sizeof(digest)) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a cursor's HMAC")));
	pg_hmac_free(hmac);
	memcpy(mac, digest, MAC_BYTES);
}

static char *
encode(const uint8 *bytes, int length)
{
	char	   *text = palloc((length + 2) / 3 * 4 + 1);
	char	   *at = text;
	uint32		bits = 0;
	int			count = 0;

	for (int i = 0; i < length; i++)
	{
		bits = bits << 8 | bytes[i];
		for (count += 8; count >= 6; count -= 6)
			*at++ = base64url[(bits >> (count - 6)) & 63];
	}
	if (count > 0)
		*at++ = base64url[(bits << (6 - count)) & 63];
	*at = '\0';
	return text;
}

/* Decode strictly: no padding, no other character, unused bits zero.  -1 when it is none. */
static int
decode(const char *text, uint8 *bytes)
{
	uint32		bits = 0;
	int			count = 0;
	int			length = 0;

	for (; *text; text++)
	{
		const char *found = strchr(base64url, *text);

		if (found == NULL)
			return -1;
		bits = bits << 6 | (uint32) (found - base64url);
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			bytes[length++] = (uint8) (bits >> count);
		}
	}
	if (count >= 6 || (bits & ((1u << count) - 1)) != 0)
		return -1;
	return length;
}

char *
cursor_seal(int32 tenant_id, const char *endpoint, const char *binding,
			const char *position, int length)
{
	uint8	   *bytes = palloc(1 + MAC_BYTES + length);

	secret_count();
	bytes[0] = CURSOR_VERSION;
	compute_mac(secret_value(0), tenant_id, endpoint, binding, position, length, bytes + 1);
	memcpy(bytes + 1 + MAC_BYTES, position, length);
	return encode(bytes, 1 + MAC_BYTES + length);
}

char *
cursor_open_as(const char *name, int32 tenant_id, const char *endpoint, const char *binding, const char *cursor, int *length)
{
	int			text_length = strlen(cursor);
	uint8	   *bytes = palloc(text_length + 1);
	int			byte_length = text_length <= MAX_CURSOR_TEXT ? decode(cursor, bytes) : -1;
	char	   *position = (char *) bytes + 1 + MAC_BYTES;

	if (byte_length >= 1 + MAC_BYTES && bytes[0] == CURSOR_VERSION)
	{
		int			count = secret_count();

		*length = byte_length - 1 - MAC_BYTES;
		for (int i = 0; i < count; i++)
		{
			uint8		mac[MAC_BYTES];

			compute_mac(secret_value(i), tenant_id, endpoint, binding, position, *length, mac);
			if (seal_same_bytes(mac, bytes + 1, MAC_BYTES))
				return position;
		}
	}
	problem_raise_at(PROBLEM_INVALID_CURSOR, psprintf("?%s", name), "invalid",
					 "is not a cursor of this list with this filter and sort");
}

char *
cursor_open(int32 tenant_id, const char *endpoint, const char *binding, const char *cursor, int *length)
{
	return cursor_open_as("cursor", tenant_id, endpoint, binding, cursor, length);
}

void
cursor_open_id(int32 tenant_id, const char *endpoint, const char *binding, const char *cursor, pg_uuid_t *id)
{
	char	   *position;
	int			length;

	if (cursor == NULL)
		return;
	position = cursor_open(tenant_id, endpoint, binding, cursor, &length);
	if (length != sizeof(*id))
		problem_raise_at(PROBLEM_INVALID_CURSOR, "?cursor", "invalid", "is not a cursor of this list");
	memcpy(id, position, sizeof(*id));
}
