/*
 * outbox.c
 *	  Writing qehs.outbox: events for others to be told of.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "effect/effect.h"
#include "utils/builtins.h"

static KeptPlan insert_outbox = {
	"INSERT INTO qehs.outbox (tenant_id, id, topic, module_id, record_id, record_version, created_at, created_by, body)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	9, {INT4OID, UUIDOID, TEXTOID, INT4OID, UUIDOID, INT4OID, TIMESTAMPTZOID, UUIDOID, JSONBOID}, NULL
};

void
outbox_begin(StringInfo body, const ModuleDef *module, const Record *record)
{
	initStringInfo(body);
	json_literal(body, "{\"recordId\":");
	json_id(body, &record->id, QEHS_ID_RECORD);
	json_literal(body, ",\"displayCode\":");
	record_write_display_code(body, module, record->display_no);
	json_literal(body, ",\"moduleKey\":");
	json_string(body, module->key);
	json_literal(body, ",\"version\":");
	json_int(body, record->version);
}

void
outbox_add(const RequestContext *context, const char *topic, const Record *record, StringInfo body)
{
	pg_uuid_t	id;
	Datum		values[9] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), CStringGetTextDatum(topic), Int32GetDatum(record->module_id),
	UUIDPGetDatum(&record->id), Int32GetDatum(record->version), TimestampTzGetDatum(clock_transaction()), UUIDPGetDatum(&context->actor_id)};

	id_generate(&id);
	appendStringInfoChar(body, '}');
	values[8] = DirectFunctionCall1(jsonb_in, CStringGetDatum(body->data));
	plan_execute(&insert_outbox, values, NULL, false, 0);
}
