/*
 * copies.c
 *	  Copies of what is purged or erased.
 *
 * An answer that is kept for retries is a day old at most.  Its row stays, so that the request is not
 * done twice, with a fingerprint that no request has.  A line of a load keeps the id of its record
 * and nothing else, so it stays as it is.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "retention/copies.h"
#include "utils/builtins.h"

static KeptPlan forget_answers = {
	"UPDATE qehs.idempotency SET fingerprint = '', headers = '', body = NULL WHERE tenant_id = $1 AND NOT sealed AND body <> $2"
	" AND (pg_catalog.strpos(body, $2) > 0 OR pg_catalog.strpos(body, $3) > 0)",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan cancel_exports = {
	"UPDATE qehs.job SET cancel_requested = true WHERE tenant_id = $1 AND kind = 'export' AND state = 'running'"
	" AND ($2 IS NULL OR COALESCE(arguments ->> 'moduleKey', $2) = $2)",
	2, {INT4OID, TEXTOID}, NULL
};
static KeptPlan forget_exports = {
	"WITH gone AS (UPDATE qehs.job SET result = NULL WHERE tenant_id = $1 AND kind = 'export' AND state = 'succeeded' AND result IS NOT NULL"
	" AND ($2 IS NULL OR COALESCE(arguments ->> 'moduleKey', $2) = $2) RETURNING id)"
	" INSERT INTO qehs.object_removal (tenant, object) SELECT t.slug, qehs.id_text('job_', g.id) FROM gone AS g JOIN qehs.tenant AS t ON t.id = $1"
	" ON CONFLICT DO NOTHING",
	2, {INT4OID, TEXTOID}, NULL
};

void
copies_forget_answers(int32 tenant_id, const pg_uuid_t *id, const char *prefix)
{
	char		wire[QEHS_ID_LENGTH + 1];
	Datum		values[3] = {Int32GetDatum(tenant_id), 0, DirectFunctionCall1(textin, DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)))};

	id_format(id, prefix, wire);
	values[1] = CStringGetTextDatum(wire);
	plan_execute(&forget_answers, values, NULL, false, 0);
}

void
copies_forget_exports(int32 tenant_id, const char *module_key)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), module_key ? CStringGetTextDatum(module_key) : (Datum) 0};
	const char *nulls = module_key ? NULL : " n";

	plan_execute(&cancel_exports, values, nulls, false, 0);
	plan_execute(&forget_exports, values, nulls, false, 0);
}
