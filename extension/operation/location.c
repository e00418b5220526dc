/*
 * location.c
 *	  qehs.location_put, location_get, location_list and location_delete: the location
 *	  tree of a tenant, and who has which of it.
 *
 * Who changes the tree holds it alone (LOCK_CHAINS of module 0) until the transaction
 * ends: two who made each other's location a part of their own would not see it.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "permission/location.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_location_put);
PG_FUNCTION_INFO_V1(qehs_location_get);
PG_FUNCTION_INFO_V1(qehs_location_list);
PG_FUNCTION_INFO_V1(qehs_location_delete);

/* The arguments of qehs.location_put. */
enum
{
	ARGUMENT_KEY, ARGUMENT_NAME, ARGUMENT_PARENT, ARGUMENT_USERS, ARGUMENT_ROLES, ARGUMENT_IF_MATCH, ARGUMENT_IF_NONE_MATCH
};

#define MAX_NAME_LENGTH 200

#define COLUMNS "l.key, l.name, l.parent, ARRAY(SELECT u.user_name FROM qehs.user_account AS u WHERE u.tenant_id = $1 AND u.id = ANY (l.users)" \
	" AND u.deleted_at IS NULL ORDER BY u.user_name), l.roles, l.version"
/* The columns of COLUMNS. */
enum
{
	COLUMN_KEY = 1, COLUMN_NAME, COLUMN_PARENT, COLUMN_USERS, COLUMN_ROLES, COLUMN_VERSION
};

static KeptPlan select_location = {
	"SELECT " COLUMNS " FROM qehs.location AS l WHERE l.tenant_id = $1 AND l.key = $2", 2, {INT4OID, TEXTOID}, NULL
};
static KeptPlan select_page = {
	"SELECT " COLUMNS " FROM qehs.location AS l WHERE l.tenant_id = $1 AND l.key > $2 ORDER BY l.key", 2, {INT4OID, TEXTOID}, NULL
};
static KeptPlan select_version = {"SELECT version FROM qehs.location WHERE tenant_id = $1 AND key = $2", 2, {INT4OID, TEXTOID}, NULL};
static KeptPlan update_location = {
	"UPDATE qehs.location SET name = $3, parent = $4, users = $5, roles = $6 WHERE tenant_id = $1 AND key = $2",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, UUIDARRAYOID, TEXTARRAYOID}, NULL
};
static KeptPlan insert_location = {
	"INSERT INTO qehs.location (tenant_id, key, name, parent, users, roles) VALUES ($1, $2, $3, $4, $5, $6)",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, UUIDARRAYOID, TEXTARRAYOID}, NULL
};
static KeptPlan delete_location = {"DELETE FROM qehs.location WHERE tenant_id = $1 AND key = $2", 2, {INT4OID, TEXTOID}, NULL};
static KeptPlan select_part = {"SELECT FROM qehs.location WHERE tenant_id = $1 AND parent = $2", 2, {INT4OID, TEXTOID}, NULL};
static KeptPlan count_locations = {"SELECT pg_catalog.count(*) FROM qehs.location WHERE tenant_id = $1", 1, {INT4OID}, NULL};

/* How many there are from a location up to its root, and whether another is among them. */
static KeptPlan select_above = {
	"WITH RECURSIVE above AS (SELECT key, parent, 1 AS depth FROM qehs.location WHERE tenant_id = $1 AND key = $2"
	" UNION ALL SELECT l.key, l.parent, a.depth + 1 FROM above AS a JOIN qehs.location AS l ON l.tenant_id = $1 AND l.key = a.parent WHERE a.depth < $4)"
	" SELECT COALESCE(pg_catalog.max(depth), 0), COALESCE(pg_catalog.bool_or(key = $3), false) FROM above",
	4, {INT4OID, TEXTOID, TEXTOID, INT4OID}, NULL
};
/* The columns of select_above. */
enum
{
	COLUMN_ABOVE_DEPTH = 1, COLUMN_ABOVE_HAS_KEY
};
/* How many there are at most from a location down to a leaf. */
static KeptPlan select_below = {
	"WITH RECURSIVE below AS (SELECT key, 1 AS depth FROM qehs.location WHERE tenant_id = $1 AND key = $2"
	" UNION ALL SELECT l.key, b.depth + 1 FROM below AS b JOIN qehs.location AS l ON l.tenant_id = $1 AND l.parent = b.key WHERE b.depth < $3)"
	" SELECT COALESCE(pg_catalog.max(depth), 1) FROM below",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};
static KeptPlan select_users = {
	"SELECT u.id FROM pg_catalog.unnest($2) WITH ORDINALITY AS n (name, place) LEFT JOIN qehs.user_account AS u ON u.tenant_id = $1"
	" AND pg_catalog.lower(u.user_name) = pg_catalog.lower(n.name) AND u.deleted_at IS NULL ORDER BY n.place",
	2, {INT4OID, TEXTARRAYOID}, NULL
};
static KeptPlan select_roles = {
	"SELECT r.name IS NOT NULL FROM pg_catalog.unnest($2) WITH ORDINALITY AS n (name, place) LEFT JOIN qehs.role AS r ON r.tenant_id = $1"
	" AND r.name = n.name ORDER BY n.place",
	2, {INT4OID, TEXTARRAYOID}, NULL
};

/* ---- JSON ---- */

/* Append a location, a row of COLUMNS; who has it is told to those alone who administer users. */
static void
write_location(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	const char **names;
	int			count;

	json_literal(out, "{\"key\":");
	json_string(out, plan_text(row, COLUMN_KEY));
	json_literal(out, ",\"name\":");
	json_string(out, plan_text(row, COLUMN_NAME));
	json_literal(out, ",\"parent\":");
	json_string(out, plan_text(row, COLUMN_PARENT));
	if (context->scopes & SCOPE_ADMIN_USERS)
	{
		names = auth_names(plan_value(row, COLUMN_USERS, &isnull), &count);
		json_literal(out, ",\"users\":");
		json_strings(out, names, count);
		names = auth_names(plan_value(row, COLUMN_ROLES, &isnull), &count);
		json_literal(out, ",\"roles\":");
		json_strings(out, names, count);
	}
	appendStringInfoChar(out, '}');
}

/* ---- what is put ---- */

static bool
is_key(const char *key)
{
	return *key != '\0' && strchr("._-", *key) == NULL && strlen(key) <= QEHS_LOCATION_BYTES &&
		strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(key);
}

static void
check_texts(const char *key, const char *name, ViolationList *faults)
{
	if (!is_key(key))
		violation_add(faults, "/key", "pattern", "must be 1 to %d letters, digits, dots, underscores or hyphens, starting with a letter or digit",
					  QEHS_LOCATION_BYTES);
	if (name == NULL)
		violation_add(faults, "/name", "required", "is required");
	else if (*name == '\0' || pg_mbstrlen(name) > MAX_NAME_LENGTH)
		violation_add(faults, "/name", "length", "must be 1 to %d characters", MAX_NAME_LENGTH);
}

/* The location must exist in which the one of key is to lie, and not lie in that; the tree is held. */
static void
check_parent(int32 tenant_id, const char *key, const char *parent, ViolationList *faults)
{
	Datum		above[4] = {Int32GetDatum(tenant_id), CStringGetTextDatum(parent), CStringGetTextDatum(key), Int32GetDatum(QEHS_LOCATION_DEPTH)};
	Datum		below[3] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key), Int32GetDatum(QEHS_LOCATION_DEPTH)};
	bool		isnull;
	int			depth;

	plan_execute_latest(&select_above, above, NULL, 1);
	depth = DatumGetInt32(plan_value(0, COLUMN_ABOVE_DEPTH, &isnull));
	if (depth == 0)
		violation_add(faults, "/parent", "not_found", "names no location");
	else if (DatumGetBool(plan_value(0, COLUMN_ABOVE_HAS_KEY, &isnull)))
		violation_add(faults, "/parent", "cycle", "must not be the location itself, nor lie in it");
	else
	{
		plan_execute_latest(&select_below, below, NULL, 1);
		if (depth + DatumGetInt32(plan_value(0, 1, &isnull)) > QEHS_LOCATION_DEPTH)
			violation_add(faults, "/parent", "depth", "lies too deep: a tree has at most %d locations from its root down", QEHS_LOCATION_DEPTH);
	}
}

/* An argument that is an array of texts, without NULLs; an empty one when it is NULL.  A fault at path when there are too many. */
static Datum
read_names(FunctionCallInfo fcinfo, int argument, const char *path, int most, ViolationList *faults)
{
	ArrayType  *array = PG_ARGISNULL(argument) ? construct_empty_array(TEXTOID) : PG_GETARG_ARRAYTYPE_P(argument);

	if (array_contains_nulls(array))
		violation_add(faults, path, "type", "must be names");
	else if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > most)
		violation_add(faults, path, "maxItems", "must be at most %d", most);
	else
		return PointerGetDatum(array);
	return PointerGetDatum(construct_empty_array(TEXTOID));
}

/* The ids of users by their names, as uuid[]; a fault for each that there is none of. */
static Datum
find_users(int32 tenant_id, Datum names, ViolationList *faults)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), names};
	uint64		rows = plan_execute(&select_users, values, NULL, false, 0);
	Datum	   *ids = palloc(sizeof(Datum) * Max(rows, 1));

	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;

		ids[i] = plan_value(i, 1, &isnull);
		if (isnull)
			violation_add(faults, psprintf("/users/%d", (int) i), "not_found", "names no user");
	}
	return faults->count > 0 ? (Datum) 0 : PointerGetDatum(construct_array(ids, (int) rows, UUIDOID, sizeof(pg_uuid_t), false, TYPALIGN_CHAR));
}

static void
check_roles(int32 tenant_id, Datum names, ViolationList *faults)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), names};
	uint64		rows = plan_execute(&select_roles, values, NULL, false, 0);
	bool		isnull;

	for (uint64 i = 0; i < rows; i++)
		if (!DatumGetBool(plan_value(i, 1, &isnull)))
			violation_add(faults, psprintf("/roles/%d", (int) i), "not_found", "names no role of the tenant");
}

static void
hold_tree(int32 tenant_id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, 0, LOCK_CHAINS);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Raise QH412 unless the location of the key, or that there is none, is what the conditions name; the tree is held. */
static void
check_conditions(int32 tenant_id, const char *key, const char *if_match, const char *if_none_match)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};
	bool		exists = plan_execute_latest(&select_version, values, NULL, 1) > 0;
	bool		isnull;
	int32		version = exists ? DatumGetInt32(plan_value(0, 1, &isnull)) : 0;

	if (exists)
		context_check_if_none_match(if_none_match, version);
	else if (if_match)
		problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-Match", "version", "does not match: there is no such location");
	context_check_if_match(if_match, version);
}

/* Store the row; whether it is a new one. */
static bool
store(Datum *values, const char *nulls)
{
	bool		isnull;

	if (plan_execute(&update_location, values, nulls, false, 0) > 0)
		return false;
	plan_execute_latest(&count_locations, values, NULL, 1);
	if (DatumGetInt64(plan_value(0, 1, &isnull)) >= QEHS_MAX_LOCATIONS)
		problem_raise(PROBLEM_CONFLICT, "Remove locations that are not needed.", "the tenant has %d locations already", QEHS_MAX_LOCATIONS);
	plan_execute(&insert_location, values, nulls, false, 0);
	return true;
}

/* ---- the operations ---- */

/* The caller, with a scope and a key for all modules, as locations are. */
static RequestContext *
require_whole_tenant(Scope scope)
{
	RequestContext *context = context_require_scope(scope);

	if (context->module_count >= 0)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that is for all modules.", "locations are for all modules of the tenant");
	return context;
}

/* Append the location of the key, with its ETag; raises QH404.  Inside SPI. */
static void
write_current(StringInfo out, RequestContext *context, const char *key)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), CStringGetTextDatum(key ? key : "")};
	bool		isnull;

	if (plan_execute(&select_location, values, NULL, false, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such location");
	write_location(out, context, 0);
	context_etag(context, DatumGetInt32(plan_value(0, COLUMN_VERSION, &isnull)));
}

/* location_put(key, name, parent, users, roles, if_match, if_none_match) */
Datum
qehs_location_put(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_ADMIN_USERS);
	char	   *key = argument_text(fcinfo, ARGUMENT_KEY);
	char	   *name = argument_text(fcinfo, ARGUMENT_NAME);
	char	   *parent = argument_text(fcinfo, ARGUMENT_PARENT);
	ViolationList faults = {0};
	Datum		values[6] = {Int32GetDatum(context->tenant_id)};
	StringInfoData out;

	check_texts(key ? key : "", name, &faults);
	values[4] = read_names(fcinfo, ARGUMENT_USERS, "/users", QEHS_LOCATION_USERS, &faults);
	values[5] = read_names(fcinfo, ARGUMENT_ROLES, "/roles", QEHS_LOCATION_ROLES, &faults);
	json_begin(&out);
	SPI_connect();
	hold_tree(context->tenant_id);
	if (parent && faults.count == 0)
		check_parent(context->tenant_id, key, parent, &faults);
	check_roles(context->tenant_id, values[5], &faults);
	values[4] = find_users(context->tenant_id, values[4], &faults);
	violation_raise(&faults);
	check_conditions(context->tenant_id, key, argument_text(fcinfo, ARGUMENT_IF_MATCH), argument_text(fcinfo, ARGUMENT_IF_NONE_MATCH));
	values[1] = CStringGetTextDatum(key);
	values[2] = CStringGetTextDatum(name);
	values[3] = parent ? CStringGetTextDatum(parent) : (Datum) 0;
	if (store(values, parent ? NULL : "   n  "))
		context_status(context, 201);
	write_current(&out, context, key);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* location_get(key) */
Datum
qehs_location_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_MODULES_READ);
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	write_current(&out, context, argument_text(fcinfo, 0));
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* The arguments of qehs.location_list: page_size, cursor. */
enum
{
	LIST_PAGE_SIZE
};

/* location_list(page_size, cursor) */
Datum
qehs_location_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_MODULES_READ);
	char		last[QEHS_LOCATION_BYTES + 1] = "";
	ListPage	page = {.context = context, .endpoint = "location_list", .position = last, .size = sizeof(last)};
	Datum		values[2] = {Int32GetDatum(context->tenant_id)};
	uint64		rows;

	page_begin(&page, fcinfo, LIST_PAGE_SIZE);
	values[1] = CStringGetTextDatum(last);
	SPI_connect();
	rows = page_select(&page, &select_page, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		page_next(&page);
		write_location(&page.out, context, i);
		strlcpy(last, plan_text(i, COLUMN_KEY), sizeof(last));
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

/* The arguments of qehs.location_delete. */
enum
{
	DELETE_KEY, DELETE_IF_MATCH
};

/* location_delete(key, if_match) */
Datum
qehs_location_delete(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_whole_tenant(SCOPE_ADMIN_USERS);
	char	   *key = argument_text(fcinfo, DELETE_KEY);
	Datum		values[2] = {Int32GetDatum(context->tenant_id), CStringGetTextDatum(key ? key : "")};
	bool		isnull;

	SPI_connect();
	hold_tree(context->tenant_id);
	if (plan_execute_latest(&select_version, values, NULL, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such location");
	context_check_if_match(argument_text(fcinfo, DELETE_IF_MATCH), DatumGetInt32(plan_value(0, 1, &isnull)));
	if (plan_execute_latest(&select_part, values, NULL, 1) > 0)
		problem_raise(PROBLEM_CONFLICT, "Move or delete what lies in it first.", "other locations lie in \"%s\"", key);
	plan_execute(&delete_location, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_NULL();
}
