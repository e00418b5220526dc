/*
 * erase.c
 *	  Erasing values of audit events.
 *
 * Of an event with erased values the column erased says what is left of each: of an erased
 * one its commitment, of the others their salts, while the salt of the event goes, which all of them came
 * from.  What is written is held against the event's digest before, so that an event is either erased
 * and fits, or stays as it is.
 */
#include "base/compat.h"

#include "audit/digest.h"
#include "audit/erase.h"
#include "audit/retire.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#define BATCH_ROWS 50

static KeptPlan select_events = {
	"SELECT " QEHS_EVENT_ALL_COLUMNS " FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND id > $3 ORDER BY id LIMIT 50",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};

/* What is gathered of one event. */
typedef struct Erased
{
	ErasableEvent event;
	EraseWants	wants;
	void	   *owner;
	List	   *gone;			/* labels of values that go now */
	StringInfoData json;		/* of the column erased */
} Erased;

static void
add_kept(Erased *erased, const char *label, const char *member, const uint8 *bytes)
{
	if (erased->json.len > 1)
		appendStringInfoChar(&erased->json, ',');
	json_name(&erased->json, label);
	appendStringInfo(&erased->json, "{\"%s\":\"%s\"}", member, sha256_hex(bytes));
}

static void
visit(void *owner, const char *label, const uint8 *commitment, const uint8 *salt, bool is_erased)
{
	Erased	   *erased = owner;

	if (is_erased)
		add_kept(erased, label, "digest", commitment);
	else if (erased->wants(erased->owner, &erased->event, label))
	{
		add_kept(erased, label, "digest", commitment);
		erased->gone = lappend(erased->gone, pstrdup(label));
	}
	else
		add_kept(erased, label, "salt", salt);
}

static bool
is_gone(const Erased *erased, const char *label)
{
	ListCell   *cell;

	foreach(cell, erased->gone)
		if (strcmp(lfirst(cell), label) == 0)
			return true;
	return false;
}

/* ---- changes ---- */

/* One {"path","from","to"}: a side that is gone is null. */
static void
write_change(StringInfo out, const Erased *erased, int index, const JsonbValue *change)
{
	static const char *const sides[] = {"from", "to"};
	const JsonbContainer *object = change->type == jbvBinary ? change->val.binary.data : NULL;
	const char *path = object && JsonContainerIsObject(object) ? json_member_text(object, "path") : NULL;

	if (is_gone(erased, digest_change_label(index)))
		json_literal(out, "null");
	else if (path == NULL)
		json_jsonb_value(out, change);
	else
	{
		json_literal(out, "{\"path\":");
		json_string(out, path);
		for (int i = 0; i < (int) lengthof(sides); i++)
		{
			JsonbValue	value;

			if (!json_member(object, sides[i], strlen(sides[i]), &value))
				continue;
			appendStringInfo(out, ",\"%s\":", sides[i]);
			if (is_gone(erased, digest_side_label(path, sides[i])))
				json_literal(out, "null");
			else
				json_jsonb_value(out, &value);
		}
		appendStringInfoChar(out, '}');
	}
}

static void
write_payload(StringInfo out, const Erased *erased, JsonbContainer *payload)
{
	JsonbIterator *iterator = JsonbIteratorInit(payload);
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;

	json_literal(out, "{\"payload\":{");
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		name = json_text_copy(&key);
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		json_name(out, name);
		if (is_gone(erased, digest_member_label(name)))
			json_literal(out, "null");
		else
			json_jsonb_value(out, &value);
	}
	json_literal(out, "}}");
}

static Datum
rewrite_changes(const Erased *erased, Jsonb *changes)
{
	StringInfoData out;
	JsonbValue	payload;

	initStringInfo(&out);
	if (is_gone(erased, "changes"))
		json_literal(&out, "null");
	else if (JB_ROOT_IS_ARRAY(changes) && !JB_ROOT_IS_SCALAR(changes))
	{
		appendStringInfoChar(&out, '[');
		for (uint32 i = 0; i < JB_ROOT_COUNT(changes); i++)
		{
			if (i > 0)
				appendStringInfoChar(&out, ',');
			write_change(&out, erased, (int) i, getIthJsonbValueFromContainer(&changes->root, i));
		}
		appendStringInfoChar(&out, ']');
	}
	else if (json_member(&changes->root, "payload", 7, &payload) && payload.type == jbvBinary)
		write_payload(&out, erased, payload.val.binary.data);
	else
		return JsonbPGetDatum(changes);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

/* ---- events ---- */

/* Erase what is wanted in one event; false when nothing is. */
static bool
erase_event(Datum *values, bool *nulls, EraseWants wants, void *owner)
{
	static const struct
	{
		EventColumn column;
		const char *label;
	}			columns[] = {
		{EVENT_COMMENT, "comment"}, {EVENT_REASON, "reason"}, {EVENT_ADDRESS, "address"}, {EVENT_SIGNATURE, "signature"}
	};
	Erased		erased = {.wants = wants, .owner = owner, .event = {
		.action = TextDatumGetCString(values[EVENT_ACTION]),
		.from_definition = nulls[EVENT_FROM_DEFINITION] ? 0 : DatumGetInt32(values[EVENT_FROM_DEFINITION]),
		.to_definition = nulls[EVENT_TO_DEFINITION] ? 0 : DatumGetInt32(values[EVENT_TO_DEFINITION])
	}};
	uint8		digest[QEHS_SHA256_LENGTH];

	initStringInfo(&erased.json);
	appendStringInfoChar(&erased.json, '{');
	digest_visit(values, nulls, visit, &erased);
	if (erased.gone == NIL)
		return false;
	appendStringInfoChar(&erased.json, '}');
	for (int i = 0; i < (int) lengthof(columns); i++)
		nulls[columns[i].column] = nulls[columns[i].column] || is_gone(&erased, columns[i].label);
	if (!nulls[EVENT_CHANGES])
		values[EVENT_CHANGES] = rewrite_changes(&erased, DatumGetJsonbP(values[EVENT_CHANGES]));
	values[EVENT_ERASED] = DirectFunctionCall1(jsonb_in, CStringGetDatum(erased.json.data));
	nulls[EVENT_ERASED] = false;
	nulls[EVENT_SALT] = true;
	digest_event(values, nulls, digest);
	if (memcmp(digest, VARDATA_ANY(DatumGetByteaPP(values[EVENT_DIGEST])), sizeof(digest)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("an audit event is not what its digest was made of, so nothing in it is erased"),
				 errhint("Call qehs.audit_verify.")));
	retire_values(values, nulls);
	return true;
}

int64
erase_values(int32 tenant_id, const pg_uuid_t *subject, EraseWants wants, void *owner)
{
	pg_uuid_t	last = {{0}};
	int64		count = 0;
	uint64		rows;
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs erased events", ALLOCSET_DEFAULT_SIZES);

	do
	{
		Datum		arguments[3] = {Int32GetDatum(tenant_id), UUIDPGetDatum(subject), UUIDPGetDatum(&last)};
		SPITupleTable *events;

		rows = plan_execute(&select_events, arguments, NULL, false, 0);
		events = SPI_tuptable;
		for (uint64 i = 0; i < rows; i++)
		{
			Datum		values[EVENT_COLUMN_COUNT];
			bool		nulls[EVENT_COLUMN_COUNT];
			MemoryContext previous = MemoryContextSwitchTo(memory);

			CHECK_FOR_INTERRUPTS();
			heap_deform_tuple(events->vals[i], events->tupdesc, values, nulls);
			last = *DatumGetUUIDP(values[EVENT_ID]);
			count += erase_event(values, nulls, wants, owner);
			MemoryContextSwitchTo(previous);
			MemoryContextReset(memory);
		}
		SPI_freetuptable(events);
	} while (rows == BATCH_ROWS);
	MemoryContextDelete(memory);
	return count;
}
