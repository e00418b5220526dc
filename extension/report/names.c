/*
 * names.c
 *	  qehs.report_name: whose id it is, for the columns of views that say who.
 *
 * A view of many records asks for few names, again and again: they are kept for the
 * statement, for about a second at most, and some 10,000 of them.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "report/report.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define MOST_NAMES 10000

PG_FUNCTION_INFO_V1(qehs_report_name);

static KeptPlan select_name = {
	"SELECT COALESCE((SELECT u.display_name FROM qehs.user_account AS u WHERE u.tenant_id = $1 AND u.id = $2),"
	" (SELECT k.name FROM qehs.api_key AS k WHERE k.tenant_id = $1 AND k.id = $2),"
	" CASE WHEN $2 = '00000000-0000-0000-0000-000000000000' THEN 'System' END)",
	2, {INT4OID, UUIDOID}, NULL
};

/* A name by tenant, user that asks and id; NULL: there is none, or not for him. */
typedef struct KnownName
{
	struct
	{
		int32		tenant_id;
		Oid			user;
		pg_uuid_t	id;
	}			key;
	text	   *name;
} KnownName;

static MemoryContext memory = NULL;
static HTAB *names = NULL;
static KnownName *last = NULL;		/* that was asked for; records in a row are often of one */
static TimestampTz names_of = 0;	/* start of the statement that they are of */
static TimestampTz names_since = 0;

/* Forget the names of another statement, those that are too old, or too many; the clock is read with each hundredth name. */
static void
renew_names(void)
{
	static int	asked = 0;
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	TimestampTz now;
	HASHCTL		control = {.keysize = sizeof(((KnownName *) NULL)->key), .entrysize = sizeof(KnownName)};

	if (names && names_of == statement && ++asked % 100 != 0)
		return;
	now = GetCurrentTimestamp();
	if (names && names_of == statement && now >= names_since && now - names_since <= USECS_PER_SEC && hash_get_num_entries(names) < MOST_NAMES)
		return;
	last = NULL;
	names = NULL;
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "qehs report names", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(memory);
	control.hcxt = memory;
	names = hash_create("qehs report names", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	names_of = statement;
	names_since = now;
}

/* The name of an id of a tenant, in the memory of the names; NULL when it has none, or the user is no login of the tenant. */
static text *
read_name(int32 tenant_id, const pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(id)};
	ReportUser	before;
	MemoryContext previous;
	text	   *result = NULL;
	Datum		name;
	bool		isnull;

	report_become_owner(&before);
	SPI_connect();
	if (report_is_login(tenant_id, before.user) && plan_execute(&select_name, values, NULL, true, 1) > 0)
	{
		name = plan_value(0, 1, &isnull);
		previous = MemoryContextSwitchTo(memory);
		result = isnull ? NULL : DatumGetTextPCopy(name);
		MemoryContextSwitchTo(previous);
	}
	SPI_finish();
	report_become_again(&before);
	return result;
}

/* The arguments of qehs.report_name. */
enum
{
	ARGUMENT_TENANT_ID, ARGUMENT_ID
};

/* report_name(tenant_id, id) */
Datum
qehs_report_name(PG_FUNCTION_ARGS)
{
	KnownName	wanted;
	KnownName  *found;
	Datum		name;

	memset(&wanted, 0, sizeof(wanted));
	wanted.key.tenant_id = PG_GETARG_INT32(ARGUMENT_TENANT_ID);
	wanted.key.user = GetUserId();
	wanted.key.id = *PG_GETARG_UUID_P(ARGUMENT_ID);
	renew_names();
	found = last && memcmp(&last->key, &wanted.key, sizeof(wanted.key)) == 0 ? last : hash_search(names, &wanted.key, HASH_FIND, NULL);
	if (found == NULL)
	{
		text	   *read = read_name(wanted.key.tenant_id, &wanted.key.id);

		found = hash_search(names, &wanted.key, HASH_ENTER, NULL);
		found->name = read;
	}
	last = found;
	if (found->name == NULL)
		PG_RETURN_NULL();
	/* the names may be forgotten while the row is still in use */
	name = datumCopy(PointerGetDatum(found->name), false, -1);
	PG_RETURN_DATUM(name);
}
