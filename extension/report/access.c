/*
 * access.c
 *	  What a reporting login may read: the functions that its views ask.
 *
 * A view's functions run as whoever queries it, with their arguments in plain
 * sight: so they say what the current user may read, nothing about anybody else, and
 * whoever calls them by himself learns no more.  The user is looked up in
 * qehs.reporter, and must be one who may use the schema of the views; members of qehs_owner, superusers among them, may read all.  Tables are read
 * as qehs_owner.
 *
 * Who the user is in a tenant is found once a statement, and again after a second.
 *
 * A login is no user of the tenant: roles that a record gives (@createdBy) never
 * apply, and what it may read does not depend on the record.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/plan.h"
#include "base/search_path.h"
#include "caller/auth.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "permission/permission.h"
#include "report/report.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_report_reads);
PG_FUNCTION_INFO_V1(qehs_report_modules);

/* Rows name logins, since a restored cluster numbers them anew; a role made again under the name of one that was dropped may not use the schema. */
static KeptPlan select_login = {
	"SELECT r.roles, r.audit FROM qehs.reporter AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id"
	" JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'report_' || t.slug"
	" WHERE r.tenant_id = $1 AND r.login = pg_catalog.pg_get_userbyid($2) AND t.suspended_at IS NULL AND pg_catalog.has_schema_privilege($2, n.oid, 'USAGE')",
	2, {INT4OID, OIDOID}, NULL
};
/* The columns of select_login. */
enum
{
	COLUMN_ROLES = 1, COLUMN_AUDIT
};
static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1 ORDER BY id", 1, {INT4OID}, NULL};

/* Fills the context of a reporting login, with which permissions are looked up; nothing is read or written under it. */
static void
fill_context(RequestContext *context, int32 tenant_id)
{
	memset(context, 0, sizeof(*context));
	context->tenant_id = tenant_id;
	context->actor_type = ACTOR_API_KEY;
	context->module_count = -1;
	context->scopes = SCOPE_RECORDS_READ | SCOPE_MODULES_READ;
}

/* The context of a user in a tenant, with roles in memory; false when he reports nothing of it.  Inside SPI. */
static bool
read_login(int32 tenant_id, Oid user, RequestContext *context, MemoryContext memory)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), ObjectIdGetDatum(user)};
	MemoryContext previous;
	bool		isnull;

	fill_context(context, tenant_id);
	if (has_privs_of_role(user, get_role_oid("qehs_owner", false)))
	{
		context_fill_system(context);
		return true;
	}
	if (plan_execute(&select_login, values, NULL, true, 1) == 0)
		return false;
	previous = MemoryContextSwitchTo(memory);
	context->roles = auth_names(plan_value(0, COLUMN_ROLES, &isnull), &context->role_count);
	MemoryContextSwitchTo(previous);
	if (DatumGetBool(plan_value(0, COLUMN_AUDIT, &isnull)))
		context->scopes |= SCOPE_AUDIT_READ;
	return true;
}

/* read_login, kept; as the owner.  The context is good until another one is asked for. */
static bool
find_login(int32 tenant_id, Oid user, RequestContext *context)
{
	static struct
	{
		TimestampTz statement;
		TimestampTz read_at;
		int32		tenant_id;
		Oid			user;
		bool		is_login;
		RequestContext context;
		MemoryContext memory;
	}			kept;
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	TimestampTz now = GetCurrentTimestamp();

	if (kept.statement != statement || kept.tenant_id != tenant_id || kept.user != user || now - kept.read_at > USECS_PER_SEC || now < kept.read_at)
	{
		kept.statement = 0;
		if (kept.memory == NULL)
			kept.memory = AllocSetContextCreate(TopMemoryContext, "qehs report login", ALLOCSET_SMALL_SIZES);
		MemoryContextReset(kept.memory);
		SPI_connect();
		kept.is_login = read_login(tenant_id, user, &kept.context, kept.memory);
		SPI_finish();
		kept.tenant_id = tenant_id;
		kept.user = user;
		kept.read_at = now;
		kept.statement = statement;
	}
	*context = kept.context;
	return kept.is_login;
}

void
report_become_owner(ReportUser *before)
{
	GetUserIdAndSecContext(&before->user, &before->security);
	before->path = search_path_pin();
	SetUserIdAndSecContext(get_role_oid("qehs_owner", false), before->security | SECURITY_LOCAL_USERID_CHANGE);
}

void
report_become_again(const ReportUser *before)
{
	SetUserIdAndSecContext(before->user, before->security);
	search_path_leave(before->path);
}

bool
report_is_login(int32 tenant_id, Oid user)
{
	RequestContext context;

	return find_login(tenant_id, user, &context);
}

/* Whether the caller may read the field in records of each version that has it, up to that of module. */
static bool
reads_everywhere(const RequestContext *context, const ModuleDef *module, const ModuleField *field)
{
	for (int32 version = module->version; version >= 1; version--)
	{
		const char *key = module_field_key(field, version);

		if (key && !permission_reads_key(context, module, NULL, version, key, strlen(key)))
			return false;
	}
	return true;
}

bool
report_is_open(const ModuleDef *module, const ModuleField *field)
{
	RequestContext nobody;

	fill_context(&nobody, module->tenant_id);
	return reads_everywhere(&nobody, module, field);
}

/* Whether the login may read records of the module, or a field of the version of its definition. */
static bool
reads(const RequestContext *context, int32 module_id, int32 version, const char *key)
{
	const ModuleDef *module = module_lookup_version(context->tenant_id, module_id, version);
	const ModuleField *field;

	if (module == NULL || !permission_may(context, module, ACTION_READ, NULL, NULL))
		return false;
	if (key == NULL)
		return true;
	field = module_field(module, key, strlen(key));
	return field && reads_everywhere(context, module, field);
}

/* The arguments of qehs.report_reads. */
enum
{
	ARGUMENT_READS_TENANT_ID, ARGUMENT_READS_MODULE_ID, ARGUMENT_READS_VERSION, ARGUMENT_READS_FIELD
};

/* report_reads(tenant_id, module_id, version, field) */
Datum
qehs_report_reads(PG_FUNCTION_ARGS)
{
	RequestContext context;
	ReportUser	before;
	bool		result;

	if (PG_ARGISNULL(ARGUMENT_READS_TENANT_ID) || PG_ARGISNULL(ARGUMENT_READS_MODULE_ID) || PG_ARGISNULL(ARGUMENT_READS_VERSION))
		PG_RETURN_BOOL(false);
	report_become_owner(&before);
	SPI_connect();
	result = find_login(PG_GETARG_INT32(ARGUMENT_READS_TENANT_ID), before.user, &context) &&
		reads(&context, PG_GETARG_INT32(ARGUMENT_READS_MODULE_ID), PG_GETARG_INT32(ARGUMENT_READS_VERSION),
			  PG_ARGISNULL(ARGUMENT_READS_FIELD) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_READS_FIELD)));
	SPI_finish();
	report_become_again(&before);
	PG_RETURN_BOOL(result);
}

/* Whether the login may read of a module: its records; its events; what these say of fields. */
static bool
is_for(const RequestContext *context, const ModuleDef *module, const char *what)
{
	if (strcmp(what, "read") == 0)
		return permission_may(context, module, ACTION_READ, NULL, NULL);
	return permission_may(context, module, ACTION_AUDIT, NULL, NULL) &&
		(strcmp(what, "changes") != 0 || permission_reads_all(context, module));
}

/* The ids of the modules; inside SPI. */
static Datum
modules_for(const RequestContext *context, const char *what)
{
	Datum		tenant = Int32GetDatum(context->tenant_id);
	uint64		count = plan_execute(&select_modules, &tenant, NULL, true, 0);
	Datum	   *ids = palloc(sizeof(Datum) * Max(count, 1));
	int			result = 0;
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
		ids[i] = plan_value(i, 1, &isnull);
	for (uint64 i = 0; i < count; i++)
	{
		const ModuleDef *module = module_lookup_version(context->tenant_id, DatumGetInt32(ids[i]), 0);

		if (module && is_for(context, module, what))
			ids[result++] = ids[i];
	}
	return PointerGetDatum(construct_array(ids, result, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* The arguments of qehs.report_modules. */
enum
{
	ARGUMENT_MODULES_TENANT_ID, ARGUMENT_MODULES_WHAT
};

/* report_modules(tenant_id, what) */
Datum
qehs_report_modules(PG_FUNCTION_ARGS)
{
	RequestContext context;
	ReportUser	before;
	Datum		result;

	if (PG_ARGISNULL(ARGUMENT_MODULES_TENANT_ID) || PG_ARGISNULL(ARGUMENT_MODULES_WHAT))
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	report_become_owner(&before);
	SPI_connect();
	if (find_login(PG_GETARG_INT32(ARGUMENT_MODULES_TENANT_ID), before.user, &context))
		result = modules_for(&context, text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_MODULES_WHAT)));
	else
		result = PointerGetDatum(construct_empty_array(INT4OID));
	result = SPI_datumTransfer(result, false, -1);
	SPI_finish();
	report_become_again(&before);
	PG_RETURN_DATUM(result);
}
