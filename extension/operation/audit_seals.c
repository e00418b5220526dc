/*
 * audit_seals.c
 *	  qehs.audit_seals and qehs.audit_proof: what an auditor needs to hold events
 *	  against roots that were published.
 */
#include "base/compat.h"

#include "audit/seal.h"
#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/permission.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_audit_seals);
PG_FUNCTION_INFO_V1(qehs_audit_proof);

static KeptPlan select_seals = {
	"SELECT " QEHS_SEAL_COLUMNS " FROM qehs.audit_seal WHERE tenant_id = $1 AND seal_no < $2 ORDER BY seal_no DESC LIMIT 201",
	2, {INT4OID, INT8OID}, NULL
};
/* What is purged has its digest still, and of its record a tombstone. */
static KeptPlan select_event = {
	"SELECT module_id, record_id, digest FROM qehs.audit_event WHERE tenant_id = $1 AND id = $2 UNION ALL"
	" SELECT r.module_id, e.record_id, e.digest FROM qehs.audit_tombstone AS e JOIN qehs.record_tombstone AS r ON r.tenant_id = $1 AND r.record_id = e.record_id"
	" WHERE e.tenant_id = $1 AND e.event_id = $2",
	2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_event. */
enum
{
	COLUMN_MODULE_ID = 1, COLUMN_RECORD_ID, COLUMN_DIGEST
};
/* The seal over an id, and the one before. */
static KeptPlan select_seal_of = {
	"(SELECT " QEHS_SEAL_COLUMNS " FROM qehs.audit_seal WHERE tenant_id = $1 AND upto >= $2 ORDER BY upto LIMIT 1) UNION ALL"
	" (SELECT " QEHS_SEAL_COLUMNS " FROM qehs.audit_seal WHERE tenant_id = $1 AND upto < $2 ORDER BY upto DESC LIMIT 1) ORDER BY seal_no DESC",
	2, {INT4OID, UUIDOID}, NULL
};

static void
write_hash(StringInfo out, const char *member, const uint8 *hash)
{
	json_name(out, member);
	json_string(out, hash ? sha256_hex(hash) : NULL);
}

static void
write_seal(StringInfo out, const Seal *seal)
{
	json_literal(out, "{\"sealNo\":");
	json_int(out, seal->number);
	json_literal(out, ",\"upto\":");
	json_id(out, &seal->upto, QEHS_ID_EVENT);
	json_literal(out, ",\"eventCount\":");
	json_int(out, seal->count);
	json_literal(out, ",\"sealedAt\":");
	json_time(out, seal->sealed_at);
	appendStringInfoChar(out, ',');
	write_hash(out, "root", seal->root.bytes);
	appendStringInfoChar(out, ',');
	write_hash(out, "previous", seal->number == 1 ? NULL : seal->previous.bytes);
	appendStringInfoChar(out, ',');
	write_hash(out, "digest", seal->digest.bytes);
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.audit_seals: page_size, cursor. */
enum
{
	ARGUMENT_PAGE_SIZE
};

/* audit_seals(page_size, cursor) */
Datum
qehs_audit_seals(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_AUDIT_READ);
	int64		last = PG_INT64_MAX;
	ListPage	page = {.context = context, .endpoint = "audit_seals", .position = &last, .size = sizeof(last)};
	Datum		values[2] = {Int32GetDatum(context->tenant_id)};
	uint64		rows;

	page_begin(&page, fcinfo, ARGUMENT_PAGE_SIZE);
	if (!permission_audits_all(context))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that may read every event.", "seals are over all events of the tenant");
	values[1] = Int64GetDatum(last);
	SPI_connect();
	rows = page_select(&page, &select_seals, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		Seal		seal;

		seal_read(i, &seal);
		page_next(&page);
		write_seal(&page.out, &seal);
		last = seal.number;
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

/* Whether the caller may read the events of a record of the module. */
static bool
may_audit(const RequestContext *context, int32 module_id, const pg_uuid_t *record)
{
	const ModuleDef *module;
	PermissionSubject subject;

	if (permission_audits_all(context))
		return true;
	if (module_id == 0)
		return false;
	module = module_lookup_version(context->tenant_id, module_id, 0);
	if (permission_may(context, module, ACTION_AUDIT, NULL, NULL))
		return true;
	return record_find_subject(context->tenant_id, record, &subject) && permission_may(context, module, ACTION_AUDIT, &subject, NULL);
}

/* Whether the event, which the caller may not read, is as one that is not there to him, who may read others of its module. */
static bool
is_hidden(const RequestContext *context, int32 module_id)
{
	return module_id != 0 && permission_may(context, module_lookup_version(context->tenant_id, module_id, 0), ACTION_AUDIT, &permission_some_record, NULL);
}

/* Find the event's digest; raises QH404, or QH403 for one that the caller may not read. */
static MerkleHash
find_event(const RequestContext *context, const pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	MerkleHash	digest = {{0}};
	bool		isnull;

	if (plan_execute(&select_event, values, NULL, true, 1) > 0)
	{
		int32		module_id = DatumGetInt32(plan_value(0, COLUMN_MODULE_ID, &isnull));
		pg_uuid_t	record = *DatumGetUUIDP(plan_value(0, COLUMN_RECORD_ID, &isnull));

		memcpy(digest.bytes, VARDATA_ANY(DatumGetByteaPP(plan_value(0, COLUMN_DIGEST, &isnull))), sizeof(digest));
		if (may_audit(context, module_id, &record))
			return digest;
		if (!is_hidden(context, module_id))
			problem_raise(PROBLEM_FORBIDDEN, NULL, "the caller may not read the event");
	}
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such event");
}

/* Find the seal over the event; false when it is not sealed yet. */
static bool
find_seal(const RequestContext *context, const pg_uuid_t *id, Seal *seal)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	uint64		rows = plan_execute(&select_seal_of, values, NULL, true, 2);
	Seal		before;

	if (rows == 0)
		return false;
	seal_read(0, seal);
	if (rows > 1)
	{
		seal_read(1, &before);
		seal->after = before.upto;
	}
	return memcmp(&seal->upto, id, UUID_LEN) >= 0;
}

static void
write_proof(StringInfo out, const pg_uuid_t *id, const MerkleHash *digest, const Seal *seal, int place, const MerkleHash *path, int length)
{
	MerkleHash	leaf = merkle_leaf(digest->bytes);

	json_literal(out, "{\"eventId\":");
	json_id(out, id, QEHS_ID_EVENT);
	appendStringInfoChar(out, ',');
	write_hash(out, "digest", digest->bytes);
	appendStringInfoChar(out, ',');
	write_hash(out, "leaf", leaf.bytes);
	json_literal(out, ",\"leafIndex\":");
	json_int(out, place);
	json_literal(out, ",\"treeSize\":");
	json_int(out, seal->count);
	json_literal(out, ",\"path\":[");
	for (int i = 0; i < length; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, sha256_hex(path[i].bytes));
	}
	json_literal(out, "],\"seal\":");
	write_seal(out, seal);
	appendStringInfoChar(out, '}');
}

/* audit_proof(event_id) */
Datum
qehs_audit_proof(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_AUDIT_READ);
	pg_uuid_t	id;
	pg_uuid_t	last;
	MerkleHash	digest;
	MerkleHash *leaves;
	MerkleHash	path[MERKLE_MAX_PATH];
	Seal		seal;
	int			count;
	int			length = 0;
	int			place;
	StringInfoData out;

	if (!argument_id(fcinfo, 0, QEHS_ID_EVENT, &id))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such event");
	json_begin(&out);
	SPI_connect();
	digest = find_event(context, &id);
	if (!find_seal(context, &id, &seal))
		problem_raise(PROBLEM_CONFLICT, "Ask again in a minute.", "the event is not sealed yet");
	leaves = seal_leaves(context->tenant_id, &seal.after, &seal.upto, false, &id, &count, &last, &place);
	if (place < 0 || count != seal.count)
		problem_raise(PROBLEM_CONFLICT, "Call qehs.audit_verify.", "the seal does not fit the events");
	merkle_root(leaves, count, place, path, &length);
	write_proof(&out, &id, &digest, &seal, place, path, length);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
