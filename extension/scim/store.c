/*
 * store.c
 *	  Resources in their tables.
 */
#include "base/compat.h"

#include "scim/store.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/lookup.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/timestamp.h"

/* Room in an entry of an index, with some to spare. */
#define MAX_NAME 1000

#define COLUMNS "x.id, x.version, x.created_at, x.updated_at, "
#define USER_CONTENT "x.attributes || pg_catalog.jsonb_build_object('userName', x.user_name, 'displayName', x.display_name, 'active', x.active)"
#define ROLE_CONTENT "pg_catalog.jsonb_build_object('displayName', x.display_name)"
#define NO_GROUPS "NULL::pg_catalog.text[]"
#define USER_GROUPS "(SELECT pg_catalog.array_agg(p.part ORDER BY r.id, p.n) FROM qehs.role_member AS m JOIN qehs.role AS r" \
	" ON r.tenant_id = $1 AND r.id = m.role_id AND r.provisioned CROSS JOIN LATERAL (VALUES (1, r.id::pg_catalog.text), (2, r.display_name)) AS p (n, part)" \
	" WHERE m.tenant_id = $1 AND m.user_id = x.id)"
#define USERS " FROM qehs.user_account AS x WHERE x.tenant_id = $1 AND x.deleted_at IS NULL"
#define ROLES " FROM qehs.role AS x WHERE x.tenant_id = $1 AND x.provisioned"
#define FIND(content, groups, from, end) \
	{"SELECT " COLUMNS content ", x.external_id, " groups from " AND x.id = $2" end, 3, {INT4OID, UUIDOID, TEXTOID}, NULL}
#define RESOURCES " FROM qehs.scim_resource AS x WHERE x.tenant_id = $1 AND x.resource_type = $3"
#define LOCKED " FOR NO KEY UPDATE"

/* By storage; to read without and with groups, and to change. */
static KeptPlan find_plans[][3] = {
	[SCIM_IN_USERS] = {
		FIND(USER_CONTENT, NO_GROUPS, USERS, " AND $3 IS NOT NULL"), FIND(USER_CONTENT, USER_GROUPS, USERS, " AND $3 IS NOT NULL"),
		FIND(USER_CONTENT, NO_GROUPS, USERS, " AND $3 IS NOT NULL" LOCKED)
	},
	[SCIM_IN_ROLES] = {
		FIND(ROLE_CONTENT, NO_GROUPS, ROLES, " AND $3 IS NOT NULL"), FIND(ROLE_CONTENT, NO_GROUPS, ROLES, " AND $3 IS NOT NULL"),
		FIND(ROLE_CONTENT, NO_GROUPS, ROLES, " AND $3 IS NOT NULL" LOCKED)
	},
	[SCIM_IN_RESOURCES] = {
		FIND("x.attributes", NO_GROUPS, RESOURCES, ""), FIND("x.attributes", NO_GROUPS, RESOURCES, ""),
		FIND("x.attributes", NO_GROUPS, RESOURCES, LOCKED)
	},
};

static KeptPlan insert_user = {
	"INSERT INTO qehs.user_account AS x (tenant_id, id, user_name, display_name, external_id, active, attributes) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	" ON CONFLICT DO NOTHING RETURNING version, created_at, updated_at, id",
	7, {INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, JSONBOID}, NULL
};
static KeptPlan user_name_taken = {
	"SELECT 1" USERS " AND pg_catalog.lower(x.user_name) = pg_catalog.lower($3) AND x.id <> $2", 3, {INT4OID, UUIDOID, TEXTOID}, NULL
};
static KeptPlan update_user = {
	"UPDATE qehs.user_account SET user_name = $3, display_name = $4, external_id = $5, active = $6, attributes = $7"
	" WHERE tenant_id = $1 AND id = $2 AND version = $8 RETURNING version, created_at, updated_at, id",
	8, {INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, JSONBOID, INT4OID}, NULL
};
static KeptPlan delete_user[] = {
	{"DELETE FROM qehs.role_member WHERE tenant_id = $1 AND user_id = $2", 2, {INT4OID, UUIDOID}, NULL},
	{"UPDATE qehs.api_key SET revoked_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL", 3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL},
	{"UPDATE qehs.user_account SET active = false, deleted_at = $3, attributes = '{}', external_id = NULL"
	" WHERE tenant_id = $1 AND id = $2", 3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL},
};

static KeptPlan group_name_taken = {
	"SELECT 1" ROLES " AND pg_catalog.lower(x.display_name) = pg_catalog.lower($3) AND x.id <> $2", 3, {INT4OID, UUIDOID, TEXTOID}, NULL
};
/* A role of that name becomes the group; what it gives stays. */
static KeptPlan adopt_role = {
	"UPDATE qehs.role SET provisioned = true, display_name = $2, external_id = $3 WHERE tenant_id = $1 AND name = $2 AND NOT provisioned"
	" RETURNING version, created_at, updated_at, id",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan insert_role = {
	"INSERT INTO qehs.role (tenant_id, id, name, display_name, external_id, provisioned) VALUES ($1, $2, $5, $3, $4, true)"
	" ON CONFLICT DO NOTHING RETURNING version, created_at, updated_at, id",
	5, {INT4OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan update_role = {
	"UPDATE qehs.role SET display_name = $3, external_id = $4 WHERE tenant_id = $1 AND id = $2 AND version = $5"
	" RETURNING version, created_at, updated_at, id",
	5, {INT4OID, UUIDOID, TEXTOID, TEXTOID, INT4OID}, NULL
};
static KeptPlan touch_role = {
	"UPDATE qehs.role SET updated_at = pg_catalog.clock_timestamp() WHERE tenant_id = $1 AND id = $2 RETURNING version, created_at, updated_at, id",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan delete_role[] = {
	{"DELETE FROM qehs.role_member WHERE tenant_id = $1 AND role_id = $2", 2, {INT4OID, UUIDOID}, NULL},
	{"DELETE FROM qehs.scim_unresolved_member WHERE tenant_id = $1 AND role_id = $2", 2, {INT4OID, UUIDOID}, NULL},
	{"DELETE FROM qehs.scim_group_role WHERE tenant_id = $1 AND $2 IN (group_id, role_id)", 2, {INT4OID, UUIDOID}, NULL},
	{"UPDATE qehs.role SET provisioned = false, display_name = NULL, external_id = NULL WHERE tenant_id = $1 AND id = $2"
	" AND name IN ('tenant-owner', 'tenant-admin', 'tenant-user', 'viewer')", 2, {INT4OID, UUIDOID}, NULL},
	{"DELETE FROM qehs.role WHERE tenant_id = $1 AND id = $2 AND provisioned", 2, {INT4OID, UUIDOID}, NULL},
};

static KeptPlan insert_resource = {
	"INSERT INTO qehs.scim_resource (tenant_id, id, resource_type, external_id, attributes) VALUES ($1, $2, $3, $4, $5)"
	" RETURNING version, created_at, updated_at, id",
	5, {INT4OID, UUIDOID, TEXTOID, TEXTOID, JSONBOID}, NULL
};
static KeptPlan update_resource = {
	"UPDATE qehs.scim_resource SET external_id = $4, attributes = $5 WHERE tenant_id = $1 AND id = $2 AND resource_type = $3 AND version = $6"
	" RETURNING version, created_at, updated_at, id",
	6, {INT4OID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, INT4OID}, NULL
};
static KeptPlan delete_resource = {
	"DELETE FROM qehs.scim_resource WHERE tenant_id = $1 AND id = $2 AND resource_type = $3", 3, {INT4OID, UUIDOID, TEXTOID}, NULL
};

/* ---- reading ---- */

const char *
store_columns(ScimSql *sql, bool with_groups)
{
	const char *const content[] = {USER_CONTENT, ROLE_CONTENT, "x.attributes"};
	ScimStorage storage = sql->type->storage;

	return psprintf(COLUMNS "%s, x.external_id, %s", content[storage], storage == SCIM_IN_USERS && with_groups ? USER_GROUPS : NO_GROUPS);
}

const char *
store_from(ScimSql *sql)
{
	switch (sql->type->storage)
	{
		case SCIM_IN_USERS:
			return USERS;
		case SCIM_IN_ROLES:
			return ROLES;
		default:
			return psprintf(" FROM qehs.scim_resource AS x WHERE x.tenant_id = $1 AND x.resource_type = $%d", filter_text(sql, sql->type->name));
	}
}

/* [{"value","display"}] of an array of ids and names in turns. */
static ScimValue *
read_groups(Datum array)
{
	ScimValue  *list = tree_make(SCIM_VALUE_LIST);
	int			count;
	const char **parts = auth_names(array, &count);

	for (int i = 0; i + 1 < count; i += 2)
	{
		ScimValue  *group = tree_make(SCIM_VALUE_OBJECT);

		tree_set(group, "value", tree_text(parts[i]));
		tree_set(group, "display", tree_text(parts[i + 1]));
		tree_append(list, group);
	}
	return list;
}

/* What store_from and find_plans give of a resource. */
enum
{
	COLUMN_ID = 1, COLUMN_VERSION, COLUMN_CREATED_AT, COLUMN_UPDATED_AT, COLUMN_CONTENT, COLUMN_EXTERNAL_ID, COLUMN_GROUPS
};

ScimResource *
store_read(const ScimResourceType *type, uint64 row)
{
	ScimResource *resource = palloc0(sizeof(ScimResource));
	bool		isnull;
	Datum		value;

	resource->id = *DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull));
	resource->version = DatumGetInt32(plan_value(row, COLUMN_VERSION, &isnull));
	resource->created_at = DatumGetTimestampTz(plan_value(row, COLUMN_CREATED_AT, &isnull));
	resource->updated_at = DatumGetTimestampTz(plan_value(row, COLUMN_UPDATED_AT, &isnull));
	resource->content = tree_of_jsonb(DatumGetJsonbP(plan_value(row, COLUMN_CONTENT, &isnull)));
	value = plan_value(row, COLUMN_EXTERNAL_ID, &isnull);
	if (!isnull)
		tree_set(resource->content, "externalId", tree_text(TextDatumGetCString(value)));
	value = plan_value(row, COLUMN_GROUPS, &isnull);
	if (!isnull)
		resource->groups = read_groups(value);
	return resource;
}

ScimResource *
store_find(const ScimResourceType *type, const RequestContext *context, const char *id, bool lock, bool with_groups)
{
	pg_uuid_t	uuid;
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&uuid), CStringGetTextDatum(type->name)};

	if (!filter_is_uuid(id, &uuid) ||
		plan_execute(&find_plans[type->storage][lock ? 2 : with_groups ? 1 : 0], values, NULL, false, 1) == 0)
		return NULL;
	return store_read(type, 0);
}

static KeptLookup user_by_name = {
	.table = "user_account",.index = "user_account_user_name",
	.columns = {"id", "version", "created_at", "updated_at", "attributes", "external_id", "user_name", "display_name", "active"}
};
enum
{
	FOUND_ID, FOUND_VERSION, FOUND_CREATED_AT, FOUND_UPDATED_AT, FOUND_ATTRIBUTES, FOUND_EXTERNAL_ID, FOUND_USER_NAME, FOUND_DISPLAY_NAME, FOUND_ACTIVE
};

bool
store_find_user(const RequestContext *context, const char *name, ScimResource **found)
{
	LookupRow	row;
	int			count = lookup_text(&user_by_name, context->tenant_id, str_tolower(name, strlen(name), DEFAULT_COLLATION_OID), &row);
	ScimResource *user;

	*found = NULL;
	if (count <= 0)
		return count == 0;
	*found = user = palloc0(sizeof(ScimResource));
	user->id = *DatumGetUUIDP(row.values[FOUND_ID]);
	user->version = DatumGetInt32(row.values[FOUND_VERSION]);
	user->created_at = DatumGetTimestampTz(row.values[FOUND_CREATED_AT]);
	user->updated_at = DatumGetTimestampTz(row.values[FOUND_UPDATED_AT]);
	user->content = tree_of_jsonb(DatumGetJsonbP(row.values[FOUND_ATTRIBUTES]));
	tree_set(user->content, "userName", tree_text(TextDatumGetCString(row.values[FOUND_USER_NAME])));
	tree_set(user->content, "displayName", tree_text(TextDatumGetCString(row.values[FOUND_DISPLAY_NAME])));
	tree_set(user->content, "active", tree_make(DatumGetBool(row.values[FOUND_ACTIVE]) ? SCIM_VALUE_TRUE : SCIM_VALUE_FALSE));
	if (!row.nulls[FOUND_EXTERNAL_ID])
		tree_set(user->content, "externalId", tree_text(TextDatumGetCString(row.values[FOUND_EXTERNAL_ID])));
	return true;
}

/* ---- writing ---- */

/* What the statements that write a resource return. */
enum
{
	COLUMN_WRITTEN_VERSION = 1, COLUMN_WRITTEN_CREATED_AT, COLUMN_WRITTEN_UPDATED_AT, COLUMN_WRITTEN_ID
};

/* The row that a statement returned is what the resource is now; false when there is none. */
static bool
take_written(ScimResource *resource, uint64 rows)
{
	bool		isnull;

	if (rows == 0)
		return false;
	resource->version = DatumGetInt32(plan_value(0, COLUMN_WRITTEN_VERSION, &isnull));
	resource->created_at = DatumGetTimestampTz(plan_value(0, COLUMN_WRITTEN_CREATED_AT, &isnull));
	resource->updated_at = DatumGetTimestampTz(plan_value(0, COLUMN_WRITTEN_UPDATED_AT, &isnull));
	resource->id = *DatumGetUUIDP(plan_value(0, COLUMN_WRITTEN_ID, &isnull));
	return true;
}

/* An attribute as a Datum of text; nulls gets 'n' where it is absent. */
static Datum
text_of(const ScimValue *content, const char *name, char *null)
{
	const ScimValue *value = tree_get(content, name);

	*null = value ? ' ' : 'n';
	if (value && strlen(value->text) > MAX_NAME)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the attribute \"%s\" must be at most %d bytes long", name, MAX_NAME);
	return value ? CStringGetTextDatum(value->text) : (Datum) 0;
}

/* The content without what has columns of its own. */
static Datum
rest_of(const ScimValue *content, const char *const *columns)
{
	ScimValue  *rest = tree_make(SCIM_VALUE_OBJECT);

	for (int i = 0; i < content->count; i++)
	{
		bool		is_column = false;

		for (int j = 0; columns[j]; j++)
			is_column = is_column || strcmp(content->names[i], columns[j]) == 0;
		if (!is_column)
			tree_set(rest, content->names[i], content->items[i]);
	}
	return JsonbPGetDatum(tree_to_jsonb(rest));
}

/* The name that is shown where none is given: of the name's parts, or the user name. */
static void
complete_display_name(ScimValue *content)
{
	const ScimValue *name = tree_get(content, "name");
	const ScimValue *formatted = tree_get(name, "formatted");
	const ScimValue *given = tree_get(name, "givenName");
	const ScimValue *family = tree_get(name, "familyName");
	const ScimValue *shown = tree_get(content, "displayName");

	if (shown && *shown->text)
		return;
	if (formatted && *formatted->text)
		shown = formatted;
	else if (given && family)
		shown = tree_text(psprintf("%s %s", given->text, family->text));
	else
		shown = given ? given : family ? family : tree_get(content, "userName");
	tree_set(content, "displayName", tree_text(shown->text));
}

/* $3 to $7 of a user's statements. */
static void
user_values(ScimResource *resource, Datum *values, char *nulls)
{
	static const char *const columns[] = {"userName", "displayName", "externalId", "active", "password", NULL};
	const ScimValue *active = tree_get(resource->content, "active");

	complete_display_name(resource->content);
	values[2] = text_of(resource->content, "userName", &nulls[2]);
	values[3] = text_of(resource->content, "displayName", &nulls[3]);
	values[4] = text_of(resource->content, "externalId", &nulls[4]);
	values[5] = BoolGetDatum(active == NULL || active->kind == SCIM_VALUE_TRUE);
	values[6] = rest_of(resource->content, columns);
	tree_set(resource->content, "active", tree_make(active == NULL ? SCIM_VALUE_TRUE : active->kind));
}

pg_noreturn static void
raise_taken(const char *attribute, const ScimResource *resource)
{
	problem_raise(PROBLEM_CONFLICT, NULL, "the %s \"%s\" is taken", attribute, tree_get(resource->content, attribute)->text);
}

/* A role's name of a display name: lower-case letters, digits and dashes, with part of the id where try is not 0. */
static char *
role_name(const ScimResource *resource, int try)
{
	const char *shown = tree_get(resource->content, "displayName")->text;
	StringInfoData name;

	initStringInfo(&name);
	for (; *shown && name.len < 40; shown++)
	{
		char		c = (char) pg_tolower((unsigned char) *shown);

		if ((c >= 'a' && c <= 'z') || (name.len > 0 && c >= '0' && c <= '9'))
			appendStringInfoChar(&name, c);
		else if (name.len > 0 && name.data[name.len - 1] != '-')
			appendStringInfoChar(&name, '-');
	}
	while (name.len > 0 && name.data[name.len - 1] == '-')
		name.data[--name.len] = '\0';
	if (name.len == 0)
		appendStringInfoString(&name, "group");
	if (try > 0)
	{
		appendStringInfoChar(&name, '-');
		for (int i = 10; i < UUID_LEN; i++)
			appendStringInfo(&name, "%02x", resource->id.data[i]);
	}
	return name.data;
}

static void
insert_group(const RequestContext *context, ScimResource *resource)
{
	Datum		values[5] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&resource->id)};
	char		nulls[6] = "     ";
	Datum		adopted[3];
	char		adopted_nulls[4] = "   ";

	values[2] = adopted[1] = text_of(resource->content, "displayName", &nulls[2]);
	values[3] = adopted[2] = text_of(resource->content, "externalId", &nulls[3]);
	adopted[0] = values[0];
	adopted_nulls[2] = nulls[3];
	if (plan_execute(&group_name_taken, values, NULL, false, 1) > 0)
		raise_taken("displayName", resource);
	if (strcmp(tree_get(resource->content, "displayName")->text, "tenant-owner") == 0)
		problem_raise(PROBLEM_CONFLICT, "Give a group the role with qehs.scim_group_map.", "the role \"tenant-owner\" is not taken over by provisioning");
	if (take_written(resource, plan_execute(&adopt_role, adopted, adopted_nulls, false, 0)))
		return;
	for (int try = 0; try < 2; try++)
	{
		values[4] = CStringGetTextDatum(role_name(resource, try));
		if (take_written(resource, plan_execute(&insert_role, values, nulls, false, 0)))
			return;
	}
	raise_taken("displayName", resource);
}

void
store_insert(const ScimResourceType *type, const RequestContext *context, ScimResource *resource)
{
	static const char *const columns[] = {"externalId", NULL};
	Datum		values[7] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&resource->id)};
	char		nulls[8] = "       ";

	switch (type->storage)
	{
		case SCIM_IN_USERS:
			user_values(resource, values, nulls);
			if (!take_written(resource, plan_execute(&insert_user, values, nulls, false, 0)))
				raise_taken("userName", resource);
			break;
		case SCIM_IN_ROLES:
			insert_group(context, resource);
			break;
		default:
			values[2] = CStringGetTextDatum(type->name);
			values[3] = text_of(resource->content, "externalId", &nulls[3]);
			values[4] = rest_of(resource->content, columns);
			take_written(resource, plan_execute(&insert_resource, values, nulls, false, 0));
	}
}

void
store_update(const ScimResourceType *type, const RequestContext *context, ScimResource *resource)
{
	static const char *const columns[] = {"externalId", NULL};
	Datum		values[8] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&resource->id)};
	char		nulls[9] = "        ";
	KeptPlan   *plan;

	if (type->storage == SCIM_IN_USERS)
	{
		user_values(resource, values, nulls);
		values[7] = Int32GetDatum(resource->version);
		if (plan_execute(&user_name_taken, values, NULL, false, 1) > 0)
			raise_taken("userName", resource);
		plan = &update_user;
	}
	else if (type->storage == SCIM_IN_ROLES)
	{
		values[2] = text_of(resource->content, "displayName", &nulls[2]);
		values[3] = text_of(resource->content, "externalId", &nulls[3]);
		values[4] = Int32GetDatum(resource->version);
		if (plan_execute(&group_name_taken, values, NULL, false, 1) > 0)
			raise_taken("displayName", resource);
		plan = &update_role;
	}
	else
	{
		values[2] = CStringGetTextDatum(type->name);
		values[3] = text_of(resource->content, "externalId", &nulls[3]);
		values[4] = rest_of(resource->content, columns);
		values[5] = Int32GetDatum(resource->version);
		plan = &update_resource;
	}
	if (!take_written(resource, plan_execute(plan, values, nulls, false, 0)))
		problem_raise(PROBLEM_VERSION_MISMATCH, NULL, "the resource has changed meanwhile");
}

void
store_touch(const ScimResourceType *type, const RequestContext *context, ScimResource *resource)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&resource->id)};

	Assert(type->storage == SCIM_IN_ROLES);
	take_written(resource, plan_execute(&touch_role, values, NULL, false, 0));
}

void
store_delete(const ScimResourceType *type, const RequestContext *context, const ScimResource *resource)
{
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&resource->id), 0};

	if (type->storage == SCIM_IN_USERS)
	{
		values[2] = TimestampTzGetDatum(clock_transaction());
		for (int i = 0; i < (int) lengthof(delete_user); i++)
			plan_execute(&delete_user[i], values, NULL, false, 0);
	}
	else if (type->storage == SCIM_IN_ROLES)
		for (int i = 0; i < (int) lengthof(delete_role); i++)
			plan_execute(&delete_role[i], values, NULL, false, 0);
	else
	{
		values[2] = CStringGetTextDatum(type->name);
		plan_execute(&delete_resource, values, NULL, false, 0);
	}
}
