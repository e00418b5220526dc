/*
 * digest.c
 *	  The digest of an audit event; digest.h says what it is over.
 *
 * Everything is put into one buffer, in the current memory context, and hashed at once.
 */
#include "base/compat.h"

#include "audit/digest.h"
#include "base/json.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define FORM "qehs audit event 1\n"

/* What the salts of an event's values come from. */
typedef struct Salts
{
	const bytea *salt;			/* NULL when values of the event are erased */
	const Jsonb *erased;		/* or NULL */
	DigestVisit visit;			/* is told each value; or NULL */
	void	   *owner;
} Salts;

static void
put(StringInfo out, const void *bytes, int length)
{
	uint32		size = pg_hton32((uint32) length);

	appendBinaryStringInfo(out, (const char *) &size, sizeof(size));
	appendBinaryStringInfo(out, bytes, length);
}

static void
put_null(StringInfo out)
{
	uint32		size = PG_UINT32_MAX;

	appendBinaryStringInfo(out, (const char *) &size, sizeof(size));
}

static void
put_int32(StringInfo out, int32 value)
{
	uint32		bytes = pg_hton32((uint32) value);

	put(out, &bytes, sizeof(bytes));
}

/* Bytes that are written in hexadecimal in a member of what is known of an erased event's value; false when there is none. */
static bool
read_erased(const Jsonb *erased, const char *label, const char *member, uint8 *bytes)
{
	JsonbValue	value;
	char	   *hex;

	if (!json_member(&erased->root, label, strlen(label), &value) || value.type != jbvBinary)
		return false;
	hex = json_member_text(value.val.binary.data, member);
	if (hex == NULL || strlen(hex) != 2 * QEHS_SHA256_LENGTH || strspn(hex, "0123456789abcdef") != strlen(hex))
		return false;
	hex_decode(hex, strlen(hex), (char *) bytes);
	return true;
}

/* The salt of a value; zeros where it is not to be had, which fits no commitment. */
static void
value_salt(const Salts *salts, const char *label, uint8 *salt)
{
	StringInfoData bytes;

	memset(salt, 0, QEHS_SHA256_LENGTH);
	if (salts->erased && read_erased(salts->erased, label, "salt", salt))
		return;
	if (salts->salt == NULL)
		return;
	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, VARDATA_ANY(salts->salt), VARSIZE_ANY_EXHDR(salts->salt));
	appendStringInfoString(&bytes, label);
	sha256_bytes(bytes.data, bytes.len, salt);
	pfree(bytes.data);
}

/* Put the commitment of a value; that of an erased value, which is null, was kept. */
static void
put_value(StringInfo out, const Salts *salts, const char *label, const char *text, int length)
{
	uint8		commitment[QEHS_SHA256_LENGTH];
	bool		is_null = length == 4 && memcmp(text, "null", 4) == 0;
	bool		is_erased = is_null && salts->erased && read_erased(salts->erased, label, "digest", commitment);
	char	   *bytes = palloc0(QEHS_SHA256_LENGTH + length);

	if (!is_erased)
	{
		value_salt(salts, label, (uint8 *) bytes);
		memcpy(bytes + QEHS_SHA256_LENGTH, text, length);
		sha256_bytes(bytes, QEHS_SHA256_LENGTH + length, commitment);
	}
	if (salts->visit)
		salts->visit(salts->owner, label, commitment, (const uint8 *) bytes, is_erased);
	pfree(bytes);
	put(out, commitment, sizeof(commitment));
}

char *
digest_side_label(const char *path, const char *side)
{
	return psprintf("%s %s", path, side);
}

char *
digest_member_label(const char *key)
{
	return psprintf("/payload/%s from", key);
}

char *
digest_change_label(int index)
{
	return psprintf("change %d", index);
}

static void
put_json(StringInfo out, const Salts *salts, const char *label, const JsonbValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	json_jsonb_value(&text, value);
	put_value(out, salts, label, text.data, text.len);
	pfree(text.data);
}

/* One {"path","from","to"}, or whatever else stands there as one value. */
static void
put_change(StringInfo out, const Salts *salts, int index, const JsonbValue *change)
{
	static const char *const sides[] = {"from", "to"};
	const JsonbContainer *object = change->type == jbvBinary ? change->val.binary.data : NULL;
	const char *path = object && JsonContainerIsObject(object) ? json_member_text(object, "path") : NULL;
	uint32		known = 1;

	for (int i = 0; path && i < (int) lengthof(sides); i++)
	{
		JsonbValue	value;

		known += json_member(object, sides[i], strlen(sides[i]), &value);
	}
	if (path == NULL || JsonContainerSize(object) != known)
	{
		put_json(out, salts, digest_change_label(index), change);
		return;
	}
	put(out, path, strlen(path));
	for (int i = 0; i < (int) lengthof(sides); i++)
	{
		JsonbValue	value;

		if (json_member(object, sides[i], strlen(sides[i]), &value))
			put_json(out, salts, digest_side_label(path, sides[i]), &value);
		else
			put_null(out);
	}
}

/* The payload that a delete keeps: each member by itself. */
static void
put_payload(StringInfo out, const Salts *salts, JsonbContainer *payload)
{
	JsonbIterator *iterator = JsonbIteratorInit(payload);
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;

	put_int32(out, (int32) JsonContainerSize(payload));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		put(out, key.val.string.val, key.val.string.len);
		put_json(out, salts, digest_member_label(json_text_copy(&key)), &value);
	}
}

static void
put_changes(StringInfo out, const Salts *salts, Jsonb *changes)
{
	JsonbValue	payload;

	if (JB_ROOT_IS_ARRAY(changes) && !JB_ROOT_IS_SCALAR(changes))
	{
		put_int32(out, (int32) JB_ROOT_COUNT(changes));
		for (uint32 i = 0; i < JB_ROOT_COUNT(changes); i++)
			put_change(out, salts, (int) i, getIthJsonbValueFromContainer(&changes->root, i));
	}
	else if (JB_ROOT_IS_OBJECT(changes) && JB_ROOT_COUNT(changes) == 1 && json_member(&changes->root, "payload", 7, &payload) &&
			 payload.type == jbvBinary && JsonContainerIsObject(payload.val.binary.data))
		put_payload(out, salts, payload.val.binary.data);
	else
	{
		StringInfoData text;

		initStringInfo(&text);
		json_jsonb(&text, changes);
		put_value(out, salts, "changes", text.data, text.len);
	}
}

/* A column that stands in the digest as a commitment. */
static void
put_committed(StringInfo out, const Salts *salts, EventColumn column, Datum value)
{
	StringInfoData json;

	initStringInfo(&json);
	switch (column)
	{
		case EVENT_COMMENT:
		case EVENT_REASON:
			/* quoted, so that none is the null of an erased value */
			json_string_n(&json, VARDATA_ANY(DatumGetTextPP(value)), VARSIZE_ANY_EXHDR(DatumGetTextPP(value)));
			put_value(out, salts, column == EVENT_COMMENT ? "comment" : "reason", json.data, json.len);
			break;
		case EVENT_ADDRESS:
			json_string(&json, DatumGetCString(DirectFunctionCall1(inet_out, value)));
			put_value(out, salts, "address", json.data, json.len);
			break;
		case EVENT_SIGNATURE:
			json_jsonb(&json, DatumGetJsonbP(value));
			put_value(out, salts, "signature", json.data, json.len);
			break;
		default:
			put_changes(out, salts, DatumGetJsonbP(value));
	}
}

/* A column without a value: one that is erased has its commitment still. */
static void
put_absent(StringInfo out, const Salts *salts, EventColumn column)
{
	const char *label = column == EVENT_COMMENT ? "comment" : column == EVENT_REASON ? "reason" :
		column == EVENT_ADDRESS ? "address" : column == EVENT_SIGNATURE ? "signature" : NULL;
	uint8		commitment[QEHS_SHA256_LENGTH];

	if (label && salts->erased && read_erased(salts->erased, label, "digest", commitment))
	{
		if (salts->visit)
			salts->visit(salts->owner, label, commitment, NULL, true);
		put(out, commitment, sizeof(commitment));
	}
	else
		put_null(out);
}

static void
put_column(StringInfo out, const Salts *salts, EventColumn column, Datum value)
{
	switch (column)
	{
		case EVENT_TENANT_ID:
		case EVENT_MODULE_ID:
		case EVENT_RECORD_VERSION:
		case EVENT_FROM_DEFINITION:
		case EVENT_TO_DEFINITION:
			put_int32(out, DatumGetInt32(value));
			break;
		case EVENT_ID:
		case EVENT_RECORD_ID:
		case EVENT_ACTOR_ID:
		case EVENT_ON_BEHALF_OF:
			put(out, DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		case EVENT_AT:
			{
				uint64		time = pg_hton64((uint64) DatumGetTimestampTz(value));

				put(out, &time, sizeof(time));
				break;
			}
		case EVENT_ACTION:
		case EVENT_FROM_STATE:
		case EVENT_TO_STATE:
		case EVENT_TRANSITION:
		case EVENT_TRACE_ID:
		case EVENT_PREVIOUS:
			{
				struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

				put(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
				break;
			}
		default:
			put_committed(out, salts, column, value);
	}
}

static void
put_event(StringInfo out, const Datum *values, const bool *nulls, DigestVisit visit, void *owner)
{
	Salts		salts = {
		nulls[EVENT_SALT] ? NULL : DatumGetByteaPP(values[EVENT_SALT]),
		nulls[EVENT_ERASED] ? NULL : DatumGetJsonbP(values[EVENT_ERASED]),
		visit, owner
	};

	initStringInfo(out);
	appendStringInfoString(out, FORM);
	/* either all values have salts of the event's, or each what is kept of it */
	if (salts.salt && salts.erased)
		appendStringInfoString(out, "and more");
	for (EventColumn column = EVENT_TENANT_ID; column <= EVENT_PREVIOUS; column++)
	{
		if (nulls[column])
			put_absent(out, &salts, column);
		else
			put_column(out, &salts, column, values[column]);
	}
}

void
digest_visit(const Datum *values, const bool *nulls, DigestVisit visit, void *owner)
{
	StringInfoData out;

	put_event(&out, values, nulls, visit, owner);
	pfree(out.data);
}

void
digest_event(const Datum *values, const bool *nulls, uint8 *digest)
{
	StringInfoData out;

	put_event(&out, values, nulls, NULL, NULL);
	sha256_bytes(out.data, out.len, digest);
	pfree(out.data);
}
