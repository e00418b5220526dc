/*
 * delegate.c
 *	  The system's context, and that of a caller whose work is done later.
 *
 * A note holds the rights that the caller had when it asked.  They are cut down
 * to those that it still has: what was revoked since gives nothing, and no right
 * is won by waiting.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static KeptPlan select_tenant = {"SELECT slug FROM qehs.tenant WHERE id = $1", 1, {INT4OID}, NULL};

/* Roles of a token count as far as the tenant has them, those of a user or a key as far as these have them still. */
static KeptPlan select_caller = {
	"SELECT t.slug, COALESCE(u.id, k.id), COALESCE(u.display_name, k.name), u.id IS NOT NULL,"
	" ARRAY(SELECT r FROM pg_catalog.jsonb_array_elements_text($2 -> 'roles') AS r WHERE CASE"
	" WHEN $2 ? 'token' THEN EXISTS (SELECT FROM qehs.role AS o WHERE o.tenant_id = $1 AND o.name = r)"
	" WHEN k.roles <> '{}' THEN r = ANY (k.roles)"
	" ELSE r = ANY (" AUTH_ROLES_OF_USER("$1", "u.id") ") END),"
	" ARRAY(SELECT pg_catalog.jsonb_array_elements_text($2 -> 'scopes')),"
	" CASE WHEN $2 ? 'modules' THEN ARRAY(SELECT pg_catalog.jsonb_array_elements_text($2 -> 'modules')) END,"
	" COALESCE(k.id, u.id)"
	" FROM qehs.tenant AS t"
	" LEFT JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.id = ($2 ->> 'user')::pg_catalog.uuid AND u.active"
	" LEFT JOIN qehs.api_key AS k ON k.tenant_id = $1 AND k.id = ($2 ->> 'key')::pg_catalog.uuid AND k.revoked_at IS NULL"
	" AND (k.expires_at IS NULL OR k.expires_at > $3)"
	" WHERE t.id = $1 AND ($2 ? 'user') = (u.id IS NOT NULL) AND ($2 ? 'key') = (k.id IS NOT NULL)",
	3, {INT4OID, JSONBOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_caller. */
enum
{
	COLUMN_TENANT_SLUG = 1, COLUMN_ID, COLUMN_DISPLAY_NAME, COLUMN_IS_USER, COLUMN_ROLES, COLUMN_SCOPES, COLUMN_MODULES, COLUMN_KEY_ID
};

void
context_fill_system(RequestContext *context)
{
	static const char *owner[] = {"tenant-owner"};

	context->scopes = SCOPE_ALL;
	context->actor_type = ACTOR_SYSTEM;
	context->actor_name = "System";
	context->roles = owner;
	context->role_count = 1;
}

RequestContext *
context_system(int32 tenant_id)
{
	Datum		value = Int32GetDatum(tenant_id);
	RequestContext *context;
	bool		isnull;

	SPI_connect();
	if (plan_execute(&select_tenant, &value, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such tenant");
	context = context_start_work();
	context->tenant_id = tenant_id;
	context->tenant_slug = MemoryContextStrdup(context->memory, TextDatumGetCString(plan_value(0, 1, &isnull)));
	context_fill_system(context);
	SPI_finish();
	return context;
}

static void
write_names(StringInfo out, const char *member, int count, const char **names)
{
	json_name(out, member);
	json_strings(out, names, count);
}

static void
write_uuid(StringInfo out, const char *member, const pg_uuid_t *id)
{
	json_name(out, member);
	json_string(out, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))));
	appendStringInfoChar(out, ',');
}

Jsonb *
delegate_note(const RequestContext *context)
{
	bool		user = context->actor_type == ACTOR_USER;
	/* a token has the id of its user in the place of a key's */
	bool		token = user && context->over_http && memcmp(&context->key_id, &context->actor_id, sizeof(pg_uuid_t)) == 0;
	const char *scopes[32];
	int			scope_count = 0;
	StringInfoData out;

	if (context->actor_type == ACTOR_SYSTEM)
		return NULL;
	for (uint32 bit = 1; bit & SCOPE_ALL; bit <<= 1)
		if (context->scopes & bit)
			scopes[scope_count++] = scope_name((Scope) bit);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (user)
		write_uuid(&out, "user", &context->actor_id);
	if (token)
		json_literal(&out, "\"token\":true,");
	else if (context->over_http)
		write_uuid(&out, "key", &context->key_id);
	if (context->module_count >= 0)
	{
		write_names(&out, "modules", context->module_count, context->modules);
		appendStringInfoChar(&out, ',');
	}
	write_names(&out, "scopes", scope_count, scopes);
	appendStringInfoChar(&out, ',');
	write_names(&out, "roles", context->role_count, context->roles);
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Take over the row of select_caller; inside SPI. */
static void
read_caller(RequestContext *context)
{
	MemoryContext previous = MemoryContextSwitchTo(context->memory);
	bool		isnull;
	Datum		modules;
	const char **scopes;
	int			scope_count;

	context->tenant_slug = TextDatumGetCString(plan_value(0, COLUMN_TENANT_SLUG, &isnull));
	context->actor_id = *DatumGetUUIDP(plan_value(0, COLUMN_ID, &isnull));
	context->actor_name = TextDatumGetCString(plan_value(0, COLUMN_DISPLAY_NAME, &isnull));
	context->actor_type = DatumGetBool(plan_value(0, COLUMN_IS_USER, &isnull)) ? ACTOR_USER : ACTOR_API_KEY;
	context->roles = auth_names(plan_value(0, COLUMN_ROLES, &isnull), &context->role_count);
	scopes = auth_names(plan_value(0, COLUMN_SCOPES, &isnull), &scope_count);
	for (int i = 0; i < scope_count; i++)
		context->scopes |= scope_parse(scopes[i]);
	modules = plan_value(0, COLUMN_MODULES, &isnull);
	if (!isnull)
		context->modules = auth_names(modules, &context->module_count);
	/* idempotency keys of what is done are those of the caller */
	context->key_id = *DatumGetUUIDP(plan_value(0, COLUMN_KEY_ID, &isnull));
	MemoryContextSwitchTo(previous);
}

RequestContext *
delegate_enter(int32 tenant_id, Jsonb *note)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), JsonbPGetDatum(note), TimestampTzGetDatum(clock_now())};
	RequestContext *context;

	SPI_connect();
	if (plan_execute(&select_caller, values, NULL, true, 1) == 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the user or API key that asked for this may do nothing any more");
	context = context_start_work();
	context->tenant_id = tenant_id;
	read_caller(context);
	SPI_finish();
	return context;
}
