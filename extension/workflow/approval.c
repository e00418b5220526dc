/*
 * approval.c
 *	  Who may approve, what is stored of it, and what is still missing.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "workflow/approval.h"
#include "workflow/signature.h"

/* A rejection that leaves the record where it is ends what was approved before it. */
/* The columns of a decision that is shown. */
enum
{
	COLUMN_ID = 1, COLUMN_TRANSITION, COLUMN_STEP, COLUMN_RECORD_VERSION, COLUMN_APPROVED, COLUMN_ACTOR_ID, COLUMN_ON_BEHALF_OF,
	COLUMN_AT, COLUMN_COMMENT, COLUMN_SIGNATURE
};

static KeptPlan select_approvals = {
	"SELECT a.actor_id, coalesce(a.on_behalf_of, a.actor_id), a.step FROM qehs.approval AS a WHERE a.tenant_id = $1 AND a.record_id = $2"
	" AND a.transition = $3 AND a.record_version = $4 AND a.payload_hash = $5 AND a.approved AND a.id > coalesce("
	"(SELECT r.id FROM qehs.approval AS r WHERE r.tenant_id = $1 AND r.record_id = $2 AND r.transition = $3 AND NOT r.approved ORDER BY r.id DESC LIMIT 1),"
	" '00000000-0000-0000-0000-000000000000') ORDER BY a.id",
	5, {INT4OID, UUIDOID, TEXTOID, INT4OID, BYTEAOID}, NULL
};
/* The columns of select_approvals. */
enum
{
	COLUMN_APPROVAL_ACTOR_ID = 1, COLUMN_APPROVAL_APPROVER_ID, COLUMN_APPROVAL_STEP
};
static KeptPlan insert_approval = {
	"INSERT INTO qehs.approval (tenant_id, id, record_id, transition, step, record_version, payload_hash, approved, actor_id, on_behalf_of, at, comment,"
	" signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	13, {INT4OID, UUIDOID, UUIDOID, TEXTOID, INT4OID, INT4OID, BYTEAOID, BOOLOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, JSONBOID}, NULL
};
static KeptPlan select_history = {
	"SELECT id, transition, step, record_version, approved, actor_id, on_behalf_of, at, comment, signature FROM qehs.approval"
	" WHERE tenant_id = $1 AND record_id = $2 ORDER BY id DESC LIMIT 200",
	2, {INT4OID, UUIDOID}, NULL
};
/* Active people who have delegated to the caller now, with their roles. */
static KeptPlan select_delegators = {
	"SELECT u.id, " AUTH_ROLES_OF_USER("$1", "u.id") " FROM qehs.delegation AS d JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.id = d.from_user"
	" WHERE d.tenant_id = $1 AND d.to_user = $2 AND d.revoked_at IS NULL AND d.starts_at <= $3 AND d.ends_at > $3 AND u.active ORDER BY d.id",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_delegators. */
enum
{
	COLUMN_DELEGATOR_ID = 1, COLUMN_DELEGATOR_ROLES
};

/* The SHA-256 of what the record holds. */
static bytea *
hash_of(const Record *record)
{
	bytea	   *hash = palloc(VARHDRSZ + 32);

	SET_VARSIZE(hash, VARHDRSZ + 32);
	signature_digest(record->payload, (uint8 *) VARDATA(hash));
	return hash;
}

ApprovalState
approval_state(const RequestContext *context, const ModuleTransition *transition, const Record *record)
{
	ApprovalState state = {0};
	Datum		values[5] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id), CStringGetTextDatum(transition->name),
	Int32GetDatum(record->version), PointerGetDatum(hash_of(record))};
	bool		isnull;

	/* not read-only: what another has stored while the row was waited for is to be seen */
	state.count = (int) plan_execute(&select_approvals, values, NULL, false, 0);
	state.items = palloc(sizeof(GivenApproval) * Max(state.count, 1));
	for (int i = 0; i < state.count; i++)
	{
		state.items[i].actor = *DatumGetUUIDP(plan_value(i, COLUMN_APPROVAL_ACTOR_ID, &isnull));
		state.items[i].principal = *DatumGetUUIDP(plan_value(i, COLUMN_APPROVAL_APPROVER_ID, &isnull));
		state.items[i].step = DatumGetInt32(plan_value(i, COLUMN_APPROVAL_STEP, &isnull));
	}
	return state;
}

int
approval_missing(const ModuleTransition *transition, const ApprovalState *state, int step)
{
	int			given = 0;

	for (int i = 0; i < state->count; i++)
		given += state->items[i].step == step;
	return Max(transition->steps[step].count - given, 0);
}

bool
approval_is_complete(const ModuleTransition *transition, const ApprovalState *state)
{
	for (int i = 0; i < transition->step_count; i++)
		if (approval_missing(transition, state, i) > 0)
			return false;
	return true;
}

bool
approval_is_given(const ApprovalState *state, const pg_uuid_t *user)
{
	for (int i = 0; i < state->count; i++)
		if (memcmp(&state->items[i].actor, user, sizeof(*user)) == 0 || memcmp(&state->items[i].principal, user, sizeof(*user)) == 0)
			return true;
	return false;
}

/* The first step that lacks an approval and that who may give; of ordered steps only the first that lacks any. */
static bool
find_step(const Firing *firing, const ApprovalState *state, const RequestContext *who, int32 *step)
{
	const ModuleTransition *transition = firing->transition;
	PermissionSubject subject = record_subject(firing->record);

	for (int i = 0; i < transition->step_count; i++)
	{
		if (approval_missing(transition, state, i) == 0)
			continue;
		if (permission_is_one_of(who, firing->module, &subject, &transition->steps[i].roles))
		{
			*step = i;
			return true;
		}
		if (!transition->parallel)
			return false;
	}
	return false;
}

/* The same for those who have delegated to the caller. */
static bool
find_delegated(const Firing *firing, const ApprovalState *state, int32 *step, pg_uuid_t *principal)
{
	Datum		values[3] = {Int32GetDatum(firing->context->tenant_id), UUIDPGetDatum(&firing->context->actor_id), TimestampTzGetDatum(clock_now())};
	uint64		rows = plan_execute(&select_delegators, values, NULL, false, 0);
	PermissionSubject subject = record_subject(firing->record);

	for (uint64 i = 0; i < rows; i++)
	{
		RequestContext other = *firing->context;
		bool		isnull;

		other.actor_id = *DatumGetUUIDP(plan_value(i, COLUMN_DELEGATOR_ID, &isnull));
		other.roles = auth_names(plan_value(i, COLUMN_DELEGATOR_ROLES, &isnull), &other.role_count);
		if (approval_is_given(state, &other.actor_id) || permission_is_one_of(&other, firing->module, &subject, &firing->transition->not_same_actor) ||
			!find_step(firing, state, &other, step))
			continue;
		*principal = other.actor_id;
		return true;
	}
	return false;
}

bool
approval_find(const Firing *firing, const ApprovalState *state, bool again, int32 *step, pg_uuid_t *principal)
{
	const RequestContext *context = firing->context;

	/* a program may ask, a person decides */
	if (context->actor_type != ACTOR_USER || (!again && approval_is_given(state, &context->actor_id)))
		return false;
	*principal = context->actor_id;
	return find_step(firing, state, context, step) || find_delegated(firing, state, step, principal);
}

void
approval_store(const Firing *firing, int32 step, const pg_uuid_t *principal, bool approved)
{
	const RequestContext *context = firing->context;
	bool		for_other = memcmp(principal, &context->actor_id, sizeof(*principal)) != 0;
	pg_uuid_t	id;
	Datum		values[13] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), UUIDPGetDatum(&firing->record->id),
		CStringGetTextDatum(firing->transition->name), Int32GetDatum(step), Int32GetDatum(firing->record->version),
		PointerGetDatum(hash_of(firing->record)), BoolGetDatum(approved), UUIDPGetDatum(&context->actor_id), UUIDPGetDatum(principal),
		TimestampTzGetDatum(clock_transaction()), firing->comment ? CStringGetTextDatum(firing->comment) : (Datum) 0,
	JsonbPGetDatum(firing->signature)};
	char		nulls[14] = "             ";
	AuditNote	note = {.action = approved ? AUDIT_APPROVE : AUDIT_REJECT, .record = firing->record, .transition = firing->transition->name,
	.comment = firing->comment, .signature = firing->signature, .on_behalf_of = for_other ? principal : NULL};

	id_generate(&id);
	nulls[9] = for_other ? ' ' : 'n';
	nulls[11] = firing->comment ? ' ' : 'n';
	nulls[12] = firing->signature ? ' ' : 'n';
	plan_execute(&insert_approval, values, nulls, false, 0);
	audit_note(context, &note);
}

/* ---- what is told ---- */

static void
write_names(StringInfo out, const ModuleRoles *roles)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < roles->count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, roles->names[i]);
	}
	appendStringInfoChar(out, ']');
}

void
approval_write(StringInfo out, const ModuleTransition *transition, const ApprovalState *state)
{
	json_literal(out, "{\"transition\":");
	json_string(out, transition->name);
	json_literal(out, ",\"complete\":");
	json_bool(out, approval_is_complete(transition, state));
	json_literal(out, ",\"order\":");
	json_string(out, transition->parallel ? "parallel" : "ordered");
	json_literal(out, ",\"steps\":[");
	for (int i = 0; i < transition->step_count; i++)
	{
		int			missing = approval_missing(transition, state, i);

		appendStringInfo(out, "%s{\"count\":%d,\"approved\":%d,\"missing\":%d,\"role\":", i > 0 ? "," : "", transition->steps[i].count,
						 transition->steps[i].count - missing, missing);
		write_names(out, &transition->steps[i].roles);
		appendStringInfoChar(out, '}');
	}
	json_literal(out, "]}");
}

void
approval_describe(StringInfo out, const ModuleTransition *transition, const ApprovalState *state)
{
	bool		first = true;

	for (int i = 0; i < transition->step_count; i++)
	{
		int			missing = approval_missing(transition, state, i);

		if (missing == 0)
			continue;
		appendStringInfo(out, "%s%d approval%s of ", first ? "" : transition->parallel ? " and " : ", then ", missing, missing > 1 ? "s" : "");
		for (int j = 0; j < transition->steps[i].roles.count; j++)
			appendStringInfo(out, "%s%s", j > 0 ? " or " : "", transition->steps[i].roles.names[j]);
		first = false;
	}
}

static void
write_decision(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	Datum		value;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), QEHS_ID_APPROVAL);
	json_literal(out, ",\"transition\":");
	json_string(out, plan_text(row, COLUMN_TRANSITION));
	appendStringInfo(out, ",\"step\":%d,\"version\":%d,\"decision\":\"%s\",\"by\":", DatumGetInt32(plan_value(row, COLUMN_STEP, &isnull)) + 1,
					 DatumGetInt32(plan_value(row, COLUMN_RECORD_VERSION, &isnull)), DatumGetBool(plan_value(row, COLUMN_APPROVED, &isnull)) ? "approved" : "rejected");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_ACTOR_ID, &isnull)));
	json_literal(out, ",\"onBehalfOf\":");
	value = plan_value(row, COLUMN_ON_BEHALF_OF, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		context_write_actor(out, context->tenant_id, DatumGetUUIDP(value));
	json_literal(out, ",\"at\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, COLUMN_AT, &isnull)));
	json_literal(out, ",\"comment\":");
	value = plan_value(row, COLUMN_COMMENT, &isnull);
	json_string(out, isnull ? NULL : TextDatumGetCString(value));
	json_literal(out, ",\"signature\":");
	value = plan_value(row, COLUMN_SIGNATURE, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_jsonb(out, DatumGetJsonbP(value));
	appendStringInfoChar(out, '}');
}

void
approval_write_history(StringInfo out, const RequestContext *context, const Record *record)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id)};
	uint64		rows = plan_execute(&select_history, values, NULL, true, 200);

	for (uint64 i = 0; i < rows; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		write_decision(out, context, i);
	}
}
