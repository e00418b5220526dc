/*
 * verify.c
 *	  qehs.audit_verify: whether audit events and seals are as they were written.
 *
 * Three looks, each in one pass with constant memory: every event against its digest
 * and the digest before it, in the order of records; the chain of the seals; and
 * the root of each seal against the digests of its events.  Of what does not fit
 * the first is told: by the id of the event, or by the seal where it is the
 * tree alone that tells.
 */
#include "base/compat.h"

#include "audit/digest.h"
#include "audit/seal.h"
#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_audit_verify);

#define FETCH_ROWS 1000

/* What does not fit. */
typedef struct Fault
{
	const char *code;			/* NULL: everything fits */
	pg_uuid_t	event;			/* of a seal: the last that it is over */
	pg_uuid_t	record;
	int64		seal;			/* 0: it is the event */
	const char *detail;
} Fault;

typedef struct Verification
{
	int32		tenant_id;
	pg_uuid_t	from;
	pg_uuid_t	to;
	bool		whole;			/* from the first event */
	int64		events;
	int64		seals;
	Fault		fault;
	/* the event before, while events are read */
	bool		has_last;
	pg_uuid_t	last_record;
	uint8		last_digest[QEHS_SHA256_LENGTH];
} Verification;

static const char *const select_events = "SELECT " QEHS_EVENT_ALL_COLUMNS
	" FROM qehs.audit_event WHERE tenant_id = $1 AND id >= $2 AND id <= $3 ORDER BY record_id, id";
static const char *const select_seals = "SELECT " QEHS_SEAL_COLUMNS " FROM qehs.audit_seal WHERE tenant_id = $1 ORDER BY seal_no";

/* The digest of what is nearest before an event of a record, be it purged. */
static KeptPlan select_before = {
	"SELECT b.digest FROM (SELECT e.id, e.digest FROM qehs.audit_event AS e WHERE e.tenant_id = $1 AND e.record_id = $2 AND e.id < $3"
	" UNION ALL SELECT t.event_id, t.digest FROM qehs.audit_tombstone AS t WHERE t.tenant_id = $1 AND t.record_id = $2 AND t.event_id < $3) AS b"
	" ORDER BY b.id DESC LIMIT 1",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
/* A digest that stands for an event without an event behind it that says why. */
static KeptPlan select_unsaid = {
	"SELECT t.event_id, t.record_id FROM qehs.audit_tombstone AS t WHERE t.tenant_id = $1 AND t.event_id >= $2 AND t.event_id <= $3 AND NOT EXISTS"
	" (SELECT FROM qehs.audit_event AS e WHERE e.tenant_id = $1 AND e.record_id = t.record_id AND e.id > t.event_id AND e.action = 'purged')"
	" ORDER BY t.event_id LIMIT 1",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
static KeptPlan select_tenant = {"SELECT id FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};

/* Keep a fault if it is before the one that is known; an event is before the seal that is over it. */
static void
note_fault(Verification *verification, const Fault *fault)
{
	Fault	   *known = &verification->fault;
	int			order = known->code ? memcmp(&fault->event, &known->event, UUID_LEN) : -1;

	if (order < 0 || (order == 0 && fault->seal == 0))
		*known = *fault;
}

static void
note_event(Verification *verification, const char *code, const Datum *values, const char *detail)
{
	Fault		fault = {code, *DatumGetUUIDP(values[EVENT_ID]), *DatumGetUUIDP(values[EVENT_RECORD_ID]), 0, detail};

	note_fault(verification, &fault);
}

static void
note_seal(Verification *verification, const char *code, const Seal *seal, const char *detail)
{
	Fault		fault = {code, seal->upto, {{0}}, seal->number, detail};

	note_fault(verification, &fault);
}

/* ---- events ---- */

static bool
is_digest(Datum value, bool isnull, const uint8 *digest)
{
	return !isnull && VARSIZE_ANY_EXHDR(DatumGetByteaPP(value)) == QEHS_SHA256_LENGTH &&
		memcmp(VARDATA_ANY(DatumGetByteaPP(value)), digest, QEHS_SHA256_LENGTH) == 0;
}

/* Whether previous is what is really before: looked up where the event read before it is not it. */
static bool
follows(const Verification *verification, const Datum *values, const bool *nulls)
{
	bool		same_record = verification->has_last && memcmp(&verification->last_record, DatumGetUUIDP(values[EVENT_RECORD_ID]), UUID_LEN) == 0;
	Datum		arguments[3] = {values[EVENT_TENANT_ID], values[EVENT_RECORD_ID], values[EVENT_ID]};
	bool		fits;
	bool		isnull;

	if (same_record && is_digest(values[EVENT_PREVIOUS], nulls[EVENT_PREVIOUS], verification->last_digest))
		return true;
	if (!same_record && verification->whole && nulls[EVENT_PREVIOUS])
		return true;
	if (plan_execute(&select_before, arguments, NULL, true, 1) == 0)
		fits = nulls[EVENT_PREVIOUS];
	else
	{
		Datum		digest = plan_value(0, 1, &isnull);

		fits = is_digest(values[EVENT_PREVIOUS], nulls[EVENT_PREVIOUS], (const uint8 *) VARDATA_ANY(DatumGetByteaPP(digest)));
	}
	SPI_freetuptable(SPI_tuptable);
	return fits;
}

static void
check_event(Verification *verification, const Datum *values, const bool *nulls)
{
	uint8		digest[QEHS_SHA256_LENGTH];

	digest_event(values, nulls, digest);
	if (!is_digest(values[EVENT_DIGEST], nulls[EVENT_DIGEST], digest))
		note_event(verification, "content", values, "the event is not what its digest was made of");
	else if (!follows(verification, values, nulls))
		note_event(verification, "chain", values, "the event before it in its record is not the one that it was chained to");
	verification->has_last = true;
	verification->last_record = *DatumGetUUIDP(values[EVENT_RECORD_ID]);
	memcpy(verification->last_digest, VARDATA_ANY(DatumGetByteaPP(values[EVENT_DIGEST])), QEHS_SHA256_LENGTH);
	verification->events++;
}

static void
check_events(Verification *verification)
{
	Oid			types[3] = {INT4OID, UUIDOID, UUIDOID};
	Datum		arguments[3] = {Int32GetDatum(verification->tenant_id), UUIDPGetDatum(&verification->from), UUIDPGetDatum(&verification->to)};
	Portal		portal = SPI_cursor_open_with_args(NULL, select_events, 3, types, arguments, NULL, true, 0);
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs verified event", ALLOCSET_DEFAULT_SIZES);
	SPITupleTable *rows;

	for (;;)
	{
		uint64		count;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		rows = SPI_tuptable;
		count = SPI_processed;
		for (uint64 i = 0; i < count; i++)
		{
			Datum		values[EVENT_COLUMN_COUNT];
			bool		nulls[EVENT_COLUMN_COUNT];
			MemoryContext previous = MemoryContextSwitchTo(memory);

			CHECK_FOR_INTERRUPTS();
			heap_deform_tuple(rows->vals[i], rows->tupdesc, values, nulls);
			check_event(verification, values, nulls);
			MemoryContextSwitchTo(previous);
			MemoryContextReset(memory);
		}
		SPI_freetuptable(rows);
		if (count < FETCH_ROWS)
			break;
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(memory);
}

/* Events that are gone: each has an event of its record behind it that says that the record was purged. */
static void
check_tombstones(Verification *verification)
{
	Datum		arguments[3] = {Int32GetDatum(verification->tenant_id), UUIDPGetDatum(&verification->from), UUIDPGetDatum(&verification->to)};
	Fault		fault = {.code = "purge", .detail = "the event is gone, and no event says that its record was purged"};
	bool		isnull;

	if (plan_execute(&select_unsaid, arguments, NULL, true, 1) == 0)
		return;
	fault.event = *DatumGetUUIDP(plan_value(0, 1, &isnull));
	fault.record = *DatumGetUUIDP(plan_value(0, 2, &isnull));
	note_fault(verification, &fault);
}

/* ---- seals ---- */

/* The root against the digests of the events. */
static void
check_tree(Verification *verification, const Seal *seal)
{
	int			count;
	pg_uuid_t	last;
	MerkleHash *leaves;
	MerkleHash	root;

	if (memcmp(&seal->upto, &verification->from, UUID_LEN) < 0 || memcmp(&seal->after, &verification->to, UUID_LEN) >= 0)
		return;
	verification->seals++;
	leaves = seal_leaves(verification->tenant_id, &seal->after, &seal->upto, false, NULL, &count, &last, NULL);
	if (count != seal->count)
		note_seal(verification, "count", seal, psprintf("the seal is over %d events, and there are %d", seal->count, count));
	else if (count > 0)
	{
		root = merkle_root(leaves, count, 0, NULL, NULL);
		if (memcmp(&root, &seal->root, sizeof(root)) != 0)
			note_seal(verification, "root", seal, "the events are not those that the seal was made of");
	}
	pfree(leaves);
}

static void
check_seal(Verification *verification, const Seal *before, Seal *seal)
{
	MerkleHash	digest = seal_digest(seal);

	seal->after = before->upto;
	if (memcmp(&digest, &seal->digest, sizeof(digest)) != 0)
		note_seal(verification, "seal", seal, "the seal is not what its digest was made of");
	else if (seal->number != before->number + 1 || memcmp(&seal->previous, &before->digest, sizeof(digest)) != 0)
		note_seal(verification, "seal_chain", seal, "the seal before it is not the one that it was chained to");
	check_tree(verification, seal);
}

static void
check_seals(Verification *verification)
{
	Oid			types[1] = {INT4OID};
	Datum		arguments[1] = {Int32GetDatum(verification->tenant_id)};
	Portal		portal = SPI_cursor_open_with_args(NULL, select_seals, 1, types, arguments, NULL, true, 0);
	Seal		before = {0};

	for (;;)
	{
		Seal		seal;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, 1);
		if (SPI_processed == 0)
			break;
		seal_read(0, &seal);
		SPI_freetuptable(SPI_tuptable);
		check_seal(verification, &before, &seal);
		before = seal;
	}
	SPI_cursor_close(portal);
}

/* ---- the function ---- */

static void
write_fault(StringInfo out, const Fault *fault)
{
	if (fault->code == NULL)
	{
		json_literal(out, "null");
		return;
	}
	json_literal(out, "{\"code\":");
	json_string(out, fault->code);
	if (fault->seal == 0)
	{
		json_literal(out, ",\"eventId\":");
		json_id(out, &fault->event, QEHS_ID_EVENT);
		json_literal(out, ",\"recordId\":");
		json_id(out, &fault->record, QEHS_ID_RECORD);
	}
	else
	{
		json_literal(out, ",\"sealNo\":");
		json_int(out, fault->seal);
	}
	json_literal(out, ",\"detail\":");
	json_string(out, fault->detail);
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.audit_verify. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_FROM_TIME, ARGUMENT_TO_TIME
};

/* audit_verify(tenant, from_time, to_time) */
Datum
qehs_audit_verify(PG_FUNCTION_ARGS)
{
	Verification verification = {.whole = PG_ARGISNULL(ARGUMENT_FROM_TIME)};
	char	   *slug = argument_text(fcinfo, ARGUMENT_TENANT);
	Datum		value = slug ? PG_GETARG_DATUM(ARGUMENT_TENANT) : (Datum) 0;
	bool		isnull;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	if (slug == NULL || plan_execute(&select_tenant, &value, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", slug ? slug : "");
	verification.tenant_id = DatumGetInt32(plan_value(0, 1, &isnull));
	if (!PG_ARGISNULL(ARGUMENT_FROM_TIME))
		id_of_time(PG_GETARG_TIMESTAMPTZ(ARGUMENT_FROM_TIME), false, &verification.from);
	memset(&verification.to, 0xFF, sizeof(verification.to));
	if (!PG_ARGISNULL(ARGUMENT_TO_TIME))
		id_of_time(PG_GETARG_TIMESTAMPTZ(ARGUMENT_TO_TIME), true, &verification.to);
	check_events(&verification);
	check_tombstones(&verification);
	check_seals(&verification);
	json_literal(&out, "{\"events\":");
	json_int(&out, verification.events);
	json_literal(&out, ",\"seals\":");
	json_int(&out, verification.seals);
	json_literal(&out, ",\"fault\":");
	write_fault(&out, &verification.fault);
	appendStringInfoChar(&out, '}');
	SPI_finish();
	PG_RETURN_DATUM(json_datum(&out));
}
