/*
 * id.c
 *	  UUIDv7 (RFC 9562 section 5.7) and its ULID text.
 *
 * Within one backend ids rise strictly: the 12 bits after the version count
 * within a millisecond (method 1 of section 6.2), starting at a random number
 * below half.  Random bytes come from pg_strong_random in blocks.
 */
#include "base/compat.h"

#include "base/id.h"
#include "catalog/pg_type.h"
#include "common/hex.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "port.h"

#include <time.h>

PG_FUNCTION_INFO_V1(qehs_id_create);
PG_FUNCTION_INFO_V1(qehs_id_text);

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void
random_bytes(uint8 *target, int count)
{
	static uint8 pool[512];
	static int	left = 0;

	if (left < count)
	{
		if (!pg_strong_random(pool, sizeof(pool)))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
		left = sizeof(pool);
	}
	left -= count;
	memcpy(target, pool + left, count);
}

void
id_generate(pg_uuid_t *id)
{
	static uint64 last_ms = 0;
	static uint32 counter = 0;
	struct timespec now;
	uint64		ms;
	uint8	   *b = id->data;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
	random_bytes(b + 6, 10);
	if (ms > last_ms)
	{
		last_ms = ms;
		counter = ((b[6] << 8) | b[7]) & 0x7FF;
	}
	else if (++counter > 0xFFF)
	{
		last_ms++;
		counter = 0;
	}
	for (int i = 0; i < 6; i++)
		b[i] = (uint8) (last_ms >> (40 - 8 * i));
	b[6] = 0x70 | (uint8) (counter >> 8);
	b[7] = (uint8) counter;
	b[8] = 0x80 | (b[8] & 0x3F);
}

void
id_format(const pg_uuid_t *id, const char *prefix, char *buffer)
{
	uint64		high = 0;
	uint64		low = 0;

	for (int i = 0; i < 8; i++)
	{
		high = high << 8 | id->data[i];
		low = low << 8 | id->data[i + 8];
	}
	memcpy(buffer, prefix, 4);
	for (int i = QEHS_ULID_LENGTH - 1; i >= 0; i--)
	{
		buffer[4 + i] = crockford[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
	buffer[QEHS_ID_LENGTH] = '\0';
}

/* Value of a Crockford character, -1 when it is none. */
static int
crockford_value(char c)
{
	const char *found;

	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	if (c == 'I' || c == 'L')
		c = '1';
	else if (c == 'O')
		c = '0';
	found = c ? strchr(crockford, c) : NULL;
	return found ? (int) (found - crockford) : -1;
}

static bool
parse_ulid(const char *text, pg_uuid_t *id)
{
	uint64		high = 0;
	uint64		low = 0;

	/* 26 characters hold 130 bits: the first may not exceed 7 */
	if (crockford_value(text[0]) < 0 || crockford_value(text[0]) > 7)
		return false;
	for (int i = 0; i < QEHS_ULID_LENGTH; i++)
	{
		int			value = crockford_value(text[i]);

		if (value < 0)
			return false;
		high = high << 5 | low >> 59;
		low = low << 5 | (uint64) value;
	}
	for (int i = 7; i >= 0; i--)
	{
		id->data[i] = (uint8) high;
		id->data[i + 8] = (uint8) low;
		high >>= 8;
		low >>= 8;
	}
	return true;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool
parse_uuid(const char *text, pg_uuid_t *id)
{
	int			at = 0;

	for (int i = 0; i < 16; i++)
	{
		int			high;
		int			low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
			return false;
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return false;
		id->data[i] = (uint8) (high << 4 | low);
		at += 2;
	}
	return true;
}

bool
id_parse(const char *text, int length, const char *prefix, pg_uuid_t *id)
{
	if (length == QEHS_ID_LENGTH && memcmp(text, prefix, 4) == 0)
		return parse_ulid(text + 4, id);
	if (length == 36)
		return parse_uuid(text, id);
	return false;
}

Datum
id_array(const Datum *ids, int count)
{
	return PointerGetDatum(construct_array(unconstify(Datum *, ids), count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

void
id_of_time(TimestampTz time, bool greatest, pg_uuid_t *id)
{
	uint64		ms = (uint64) ((time + ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)) / 1000);

	memset(id, greatest ? 0xFF : 0, sizeof(*id));
	for (int i = 0; i < 6; i++)
		id->data[i] = (uint8) (ms >> (40 - 8 * i));
}

int64
id_milliseconds(const pg_uuid_t *id)
{
	int64		ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->data[i];
	return ms;
}

/* id_create() */
Datum
qehs_id_create(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	id_generate(id);
	PG_RETURN_UUID_P(id);
}

/* The arguments of qehs.id_text. */
enum
{
	ARGUMENT_PREFIX, ARGUMENT_ID
};

/* id_text(prefix, id) */
Datum
qehs_id_text(PG_FUNCTION_ARGS)
{
	text	   *prefix = PG_GETARG_TEXT_PP(ARGUMENT_PREFIX);
	char		buffer[QEHS_ID_LENGTH + 1];

	if (VARSIZE_ANY_EXHDR(prefix) != 4)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the prefix of an id must have 4 characters")));
	id_format(PG_GETARG_UUID_P(ARGUMENT_ID), pnstrdup(VARDATA_ANY(prefix), 4), buffer);
	PG_RETURN_TEXT_P(cstring_to_text(buffer));
}
