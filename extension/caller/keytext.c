/*
 * keytext.c
 *	  Making and reading the text of API keys.
 *
 * A key is its scheme, seven base32 digits of the tenant's number, 52 of 256
 * random bits, and seven of a checksum: the CRC-32C (RFC 3720 appendix B.4) of
 * all that stands before.  So a typing error is refused without a look-up, the
 * look-up starts with the tenant, and a scanner can tell a key from chance.
 */
#include "base/compat.h"

#include "caller/keytext.h"
#include "port/pg_crc32c.h"

static const char base32[] = "0123456789abcdefghjkmnpqrstvwxyz";

static const struct
{
	const char *name;
	const char *scheme;
}			kinds[KEY_KIND_COUNT] = {
	[KEY_LIVE] = {"live", "qehs_live_sk_"},
	[KEY_TEST] = {"test", "qehs_test_sk_"},
	[KEY_SERVICE] = {"service", "sa_"},
	[KEY_SCIM] = {"scim", "scim_"},
};

static void
write_base32(char *target, uint64 value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value >>= 5)
		target[i] = base32[value & 31];
}

/* The checksum of the first length bytes as digits. */
static void
write_checksum(const char *key, int length, char *digits)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, key, length);
	FIN_CRC32C(crc);
	write_base32(digits, crc, QEHS_KEY_CHECK);
}

KeyText
keytext_make(KeyKind kind, int32 tenant_id, char *buffer)
{
	int			scheme = strlen(kinds[kind].scheme);
	char	   *random = buffer + scheme + QEHS_KEY_TENANT;
	uint8		bytes[QEHS_KEY_RANDOM];

	memcpy(buffer, kinds[kind].scheme, scheme);
	write_base32(buffer + scheme, (uint32) tenant_id, QEHS_KEY_TENANT);
	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
	/* a digit is five bits, of which each byte gives its lowest */
	for (int i = 0; i < QEHS_KEY_RANDOM; i++)
		random[i] = base32[bytes[i] & 31];
	write_checksum(buffer, scheme + QEHS_KEY_TENANT + QEHS_KEY_RANDOM, random + QEHS_KEY_RANDOM);
	random[QEHS_KEY_RANDOM + QEHS_KEY_CHECK] = '\0';
	return (KeyText) {kind, tenant_id, scheme + QEHS_KEY_TENANT + 8};
}

KeyKind
keytext_kind_of(const char *text, int length)
{
	for (int i = 0; i < KEY_KIND_COUNT; i++)
	{
		int			scheme = strlen(kinds[i].scheme);

		if (length >= scheme && memcmp(text, kinds[i].scheme, scheme) == 0)
			return (KeyKind) i;
	}
	return KEY_KIND_COUNT;
}

bool
keytext_read(const char *text, int length, KeyText *key)
{
	KeyKind		kind = keytext_kind_of(text, length);
	int			scheme = kind == KEY_KIND_COUNT ? 0 : strlen(kinds[kind].scheme);
	char		check[QEHS_KEY_CHECK];
	uint64		tenant = 0;

	if (kind == KEY_KIND_COUNT || length != scheme + QEHS_KEY_TENANT + QEHS_KEY_RANDOM + QEHS_KEY_CHECK)
		return false;
	write_checksum(text, length - QEHS_KEY_CHECK, check);
	if (memcmp(check, text + length - QEHS_KEY_CHECK, QEHS_KEY_CHECK) != 0)
		return false;
	for (int i = 0; i < QEHS_KEY_TENANT; i++)
	{
		const char *found = memchr(base32, text[scheme + i], sizeof(base32) - 1);

		if (found == NULL)
			return false;
		tenant = tenant << 5 | (uint64) (found - base32);
	}
	if (tenant == 0 || tenant > PG_INT32_MAX)
		return false;
	*key = (KeyText) {kind, (int32) tenant, scheme + QEHS_KEY_TENANT + 8};
	return true;
}

const char *
keytext_kind_name(KeyKind kind)
{
	return kinds[kind].name;
}

KeyKind
keytext_kind_parse(const char *name)
{
	for (int i = 0; i < KEY_KIND_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return (KeyKind) i;
	return KEY_KIND_COUNT;
}
