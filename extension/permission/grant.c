/*
 * grant.c
 *	  What a caller may hand on in an API key.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "permission/grant.h"
#include "permission/roles.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"

/* The columns of select_key. */
enum
{
	COLUMN_PREFIX = 1, COLUMN_SCOPES, COLUMN_ROLES, COLUMN_MODULES, COLUMN_USER_ID, COLUMN_USER_ROLES, COLUMN_EXPIRES_AT,
	COLUMN_RATE_LIMIT, COLUMN_ALLOWED_ADDRESSES
};

static KeptPlan select_key = {
	"SELECT k.prefix, k.scopes, k.roles, k.modules, k.user_id, " AUTH_ROLES_OF_USER("$1", "k.user_id") ", k.expires_at,"
	" COALESCE((SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'default' AND l.key_id = k.id),"
	" k.rate_limit, (SELECT l.quantity FROM qehs.rate_limit AS l WHERE l.tenant_id = $1 AND l.class = 'default'"
	" AND l.key_id = '00000000-0000-0000-0000-000000000000')), k.allowed_addresses"
	" FROM qehs.api_key AS k WHERE k.tenant_id = $1 AND k.id = $2 AND k.revoked_at IS NULL",
	2, {INT4OID, UUIDOID}, NULL
};

/* Read the row just found, in the current memory context. */
static void
read_key(PermissionGrant *held)
{
	bool		isnull;
	text	   *prefix = DatumGetTextPP(plan_value(0, COLUMN_PREFIX, &isnull));
	Datum		value;

	memset(held, 0, sizeof(*held));
	held->kind = keytext_kind_of(VARDATA_ANY(prefix), VARSIZE_ANY_EXHDR(prefix));
	held->scopes = auth_names(plan_value(0, COLUMN_SCOPES, &isnull), &held->scope_count);
	held->roles = auth_names(plan_value(0, COLUMN_ROLES, &isnull), &held->role_count);
	value = plan_value(0, COLUMN_MODULES, &isnull);
	held->module_count = -1;
	if (!isnull)
		held->modules = auth_names(value, &held->module_count);
	value = plan_value(0, COLUMN_USER_ID, &isnull);
	held->acts_as_user = !isnull;
	if (!isnull)
		held->user_id = *DatumGetUUIDP(value);
	held->user_roles = auth_names(plan_value(0, COLUMN_USER_ROLES, &isnull), &held->user_role_count);
	value = plan_value(0, COLUMN_EXPIRES_AT, &isnull);
	held->expires_at = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	value = plan_value(0, COLUMN_RATE_LIMIT, &isnull);
	held->rate_limit = isnull ? QEHS_RATE_LIMIT : DatumGetInt32(value);
	value = plan_value(0, COLUMN_ALLOWED_ADDRESSES, &isnull);
	held->allowed_addresses = isnull ? NULL : DatumGetArrayTypePCopy(value);
}

bool
permission_find_grant(int32 tenant_id, const pg_uuid_t *key_id, PermissionGrant *held)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(key_id)};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext previous;
	bool		found;

	SPI_connect();
	found = plan_execute(&select_key, values, NULL, false, 1) == 1;
	previous = MemoryContextSwitchTo(caller);
	if (found)
		read_key(held);
	MemoryContextSwitchTo(previous);
	SPI_finish();
	return found;
}

/* Scopes that exist, that the kind of key may have, and that the caller has. */
static void
check_scopes(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations)
{
	for (int i = 0; i < wanted->scope_count; i++)
	{
		uint32		scope = scope_parse(wanted->scopes[i]);
		char	   *path = psprintf("/scopes/%d", i);

		if (scope == 0)
			violation_add(violations, path, "enum", "is not a scope: \"%s\"", wanted->scopes[i]);
		else if (wanted->kind == KEY_SCIM && scope != SCOPE_ADMIN_USERS)
			violation_add(violations, path, "enum", "must be admin.users for a SCIM key");
		else if (!(context->scopes & scope))
			violation_add(violations, path, QEHS_FORBIDDEN, "is a scope that the caller lacks");
	}
}

/* Only an administrator may give roles that it does not have itself. */
static bool
may_give(const RequestContext *context, const char *role)
{
	return roles_has(context, role) || permission_is_administrator(context);
}

static void
check_roles(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations)
{
	for (int i = 0; i < wanted->role_count; i++)
		if (!may_give(context, wanted->roles[i]))
			violation_add(violations, psprintf("/roles/%d", i), QEHS_FORBIDDEN, "is a role that the caller lacks");
}

bool
permission_reaches_modules(const RequestContext *context, const PermissionGrant *held)
{
	if (held->module_count < 0)
		return context->module_count < 0;
	for (int i = 0; i < held->module_count; i++)
		if (!context_has_module(context, held->modules[i]))
			return false;
	return true;
}

/* A caller that is narrowed to modules can only give those. */
static void
check_modules(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations)
{
	if (wanted->module_count < 0 && context->module_count >= 0)
		violation_add(violations, "/modules", "required", "must name modules that the caller may touch");
	for (int i = 0; i < wanted->module_count; i++)
		if (!context_has_module(context, wanted->modules[i]))
			violation_add(violations, psprintf("/modules/%d", i), QEHS_FORBIDDEN, "is a module that the caller may not touch");
}

/* A key that names no roles has those of its user; whose deeds it does is for an administrator to say. */
static void
check_user(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations)
{
	bool		may_give_all = true;

	if (!wanted->acts_as_user)
		return;
	for (int i = 0; i < wanted->user_role_count && wanted->role_count == 0; i++)
		may_give_all = may_give_all && may_give(context, wanted->user_roles[i]);
	if (wanted->kind == KEY_SERVICE || wanted->kind == KEY_SCIM)
		violation_add(violations, "/actingUser", QEHS_FORBIDDEN, "must be absent: a %s key acts as itself", keytext_kind_name(wanted->kind));
	else if (memcmp(&wanted->user_id, &context->actor_id, sizeof(pg_uuid_t)) != 0 && !permission_is_administrator(context))
		violation_add(violations, "/actingUser", QEHS_FORBIDDEN, "is another user, and the caller is no administrator");
	else if (!may_give_all)
		violation_add(violations, "/actingUser", QEHS_FORBIDDEN, "has roles that the caller lacks");
}

/* Whether a network lies in one of those. */
static bool
lies_within(Datum network, ArrayType *networks)
{
	ArrayIterator iterator = array_create_iterator(networks, 0, NULL);
	Datum		other;
	bool		isnull;

	while (array_iterate(iterator, &other, &isnull))
		if (DatumGetBool(DirectFunctionCall2(network_subeq, network, other)))
			return true;
	return false;
}

static void
check_addresses(ArrayType *own, const PermissionGrant *wanted, ViolationList *violations)
{
	ArrayIterator iterator;
	Datum		network;
	bool		isnull;

	if (own == NULL)
		return;
	if (wanted->allowed_addresses == NULL)
	{
		violation_add(violations, "/allowedAddresses", "required", "must name networks from which the caller's own key may be used");
		return;
	}
	iterator = array_create_iterator(wanted->allowed_addresses, 0, NULL);
	for (int i = 0; array_iterate(iterator, &network, &isnull); i++)
		if (!lies_within(network, own))
			violation_add(violations, psprintf("/allowedAddresses/%d", i), QEHS_FORBIDDEN,
						  "is no part of a network from which the caller's own key may be used");
}

/* What only a key has: an end, a rate limit, networks. */
static void
check_bounds(const KeyGrant *own, const PermissionGrant *wanted, ViolationList *violations)
{
	if (wanted->expires_at > own->expires_at)
		violation_add(violations, "/expiresAt", QEHS_FORBIDDEN, "must not be after the end of the caller's own key");
	if (own->rate_limit > 0 && (wanted->rate_limit == 0 || wanted->rate_limit > own->rate_limit))
		violation_add(violations, "/rateLimit", QEHS_FORBIDDEN, "must be from 1 to %d, the limit of the caller's own key", own->rate_limit);
	check_addresses(own->allowed_addresses, wanted, violations);
}

void
permission_check_grant(const RequestContext *context, const PermissionGrant *wanted, ViolationList *violations)
{
	check_scopes(context, wanted, violations);
	check_roles(context, wanted, violations);
	check_modules(context, wanted, violations);
	check_user(context, wanted, violations);
	if (context->grant)
		check_bounds(context->grant, wanted, violations);
}
