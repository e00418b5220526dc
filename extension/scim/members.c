/*
 * members.c
 *	  Members of groups as rows.
 */
#include "base/compat.h"

#include "scim/members.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define MEMBERS_AT_ONCE 1000

/* A user that is being deleted is waited for, and then is none. */
static KeptPlan insert_members = {
	"INSERT INTO qehs.role_member (tenant_id, role_id, user_id) SELECT $1, $2, u.id FROM (SELECT id FROM qehs.user_account"
	" WHERE tenant_id = $1 AND id = ANY ($3) AND deleted_at IS NULL FOR SHARE) AS u ON CONFLICT DO NOTHING",
	3, {INT4OID, UUIDOID, UUIDARRAYOID}, NULL
};
static KeptPlan users_missing = {
	"SELECT i.id::pg_catalog.text FROM pg_catalog.unnest($2) AS i (id) WHERE NOT EXISTS (SELECT FROM qehs.user_account AS u"
	" WHERE u.tenant_id = $1 AND u.id = i.id AND u.deleted_at IS NULL)",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
static KeptPlan delete_members = {
	"DELETE FROM qehs.role_member WHERE tenant_id = $1 AND role_id = $2 AND user_id = ANY ($3)", 3, {INT4OID, UUIDOID, UUIDARRAYOID}, NULL
};
static KeptPlan delete_others = {
	"DELETE FROM qehs.role_member WHERE tenant_id = $1 AND role_id = $2 AND user_id <> ALL ($3)", 3, {INT4OID, UUIDOID, UUIDARRAYOID}, NULL
};
static KeptPlan keeps_unresolved = {"SELECT 1 FROM qehs.scim_setting WHERE tenant_id = $1 AND keep_unresolved_members", 1, {INT4OID}, NULL};
static KeptPlan insert_unresolved = {
	"INSERT INTO qehs.scim_unresolved_member (tenant_id, role_id, value) SELECT DISTINCT $1, $2, v FROM pg_catalog.unnest($3) AS v"
	" ON CONFLICT DO NOTHING",
	3, {INT4OID, UUIDOID, TEXTARRAYOID}, NULL
};
static KeptPlan delete_unresolved = {
	"DELETE FROM qehs.scim_unresolved_member WHERE tenant_id = $1 AND role_id = $2 AND value = ANY ($3)", 3, {INT4OID, UUIDOID, TEXTARRAYOID}, NULL
};
static KeptPlan delete_other_unresolved = {
	"DELETE FROM qehs.scim_unresolved_member WHERE tenant_id = $1 AND role_id = $2 AND value <> ALL ($3)",
	3, {INT4OID, UUIDOID, TEXTARRAYOID}, NULL
};
static KeptPlan select_members = {
	"SELECT m.user_id, u.display_name FROM qehs.role_member AS m JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.id = m.user_id"
	" WHERE m.tenant_id = $1 AND m.role_id = $2 AND m.user_id > $3 ORDER BY m.user_id LIMIT $4",
	4, {INT4OID, UUIDOID, UUIDOID, INT4OID}, NULL
};
/* The columns of select_members. */
enum
{
	COLUMN_USER_ID = 1, COLUMN_DISPLAY_NAME
};
static KeptPlan select_unresolved = {
	"SELECT value FROM qehs.scim_unresolved_member WHERE tenant_id = $1 AND role_id = $2 ORDER BY value", 2, {INT4OID, UUIDOID}, NULL
};

/* What a list names: ids, and texts that are none. */
typedef struct Named
{
	int			id_count;
	Datum	   *ids;
	int			text_count;
	Datum	   *texts;
} Named;

static Named
read_list(const ScimValue *list)
{
	Named		named = {0};
	int			count = list ? list->count : 0;

	named.ids = palloc(sizeof(Datum) * Max(count, 1));
	named.texts = palloc(sizeof(Datum) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		const ScimValue *value = tree_get(list->items[i], "value");
		pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

		if (value == NULL || *value->text == '\0')
			problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "a member has no \"value\"");
		if (strlen(value->text) > 1024)
			problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the value of a member must be at most 1024 bytes long");
		if (filter_is_uuid(value->text, id))
			named.ids[named.id_count++] = UUIDPGetDatum(id);
		else
			named.texts[named.text_count++] = CStringGetTextDatum(value->text);
	}
	return named;
}

static Datum
text_array(const Named *named)
{
	return PointerGetDatum(construct_array(named->texts, named->text_count, TEXTOID, -1, false, TYPALIGN_INT));
}

static bool
change(KeptPlan *plan, const RequestContext *context, const pg_uuid_t *group, Datum array)
{
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(group), array};

	return plan_execute(plan, values, NULL, false, 0) > 0;
}

/* Move ids that are of no user to the texts. */
static void
find_missing(const RequestContext *context, Named *named)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), id_array(named->ids, named->id_count)};
	uint64		rows = named->id_count > 0 ? plan_execute(&users_missing, values, NULL, false, 0) : 0;
	bool		isnull;

	if (rows == 0)
		return;
	named->texts = repalloc(named->texts, sizeof(Datum) * (named->text_count + rows));
	for (uint64 i = 0; i < rows; i++)
		named->texts[named->text_count++] = CStringGetTextDatum(TextDatumGetCString(plan_value(i, 1, &isnull)));
}

bool
members_add(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list)
{
	Named		named = read_list(list);
	Datum		tenant = Int32GetDatum(context->tenant_id);
	bool		changed = false;

	find_missing(context, &named);
	if (named.text_count > 0 && plan_execute(&keeps_unresolved, &tenant, NULL, false, 1) == 0)
		problem_raise(PROBLEM_VALIDATION_FAILED, "qehs.scim_configure makes the server keep such members.",
					  "the member \"%s\" is no user of the tenant", TextDatumGetCString(named.texts[0]));
	if (named.id_count > 0)
		changed = change(&insert_members, context, group, id_array(named.ids, named.id_count));
	if (named.text_count > 0)
		changed = change(&insert_unresolved, context, group, text_array(&named)) || changed;
	return changed;
}

bool
members_remove(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list)
{
	Named		named = read_list(list);
	bool		changed = named.id_count > 0 && change(&delete_members, context, group, id_array(named.ids, named.id_count));

	/* an id of a user that is gone may have been kept as a text */
	for (int i = 0; i < named.id_count; i++)
		named.texts = repalloc(named.texts, sizeof(Datum) * (named.text_count + 1)),
			named.texts[named.text_count++] = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, named.ids[i])));
	return (named.text_count > 0 && change(&delete_unresolved, context, group, text_array(&named))) || changed;
}

bool
members_keep(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list)
{
	Named		named = read_list(list);
	bool		changed = change(&delete_others, context, group, id_array(named.ids, named.id_count));

	find_missing(context, &named);
	return change(&delete_other_unresolved, context, group, text_array(&named)) || changed;
}

static bool
remove_where(const ScimResourceType *type, const RequestContext *context, const pg_uuid_t *group, const ScimFilter *filter, int node,
			 const ScimAttribute *members, const char *base_url, bool unresolved)
{
	ScimSql		sql;
	StringInfo	out = &sql.query.sql;

	filter_begin(&sql, type, context->tenant_id, base_url);
	filter_uuid(&sql, group);
	appendStringInfoString(out, unresolved ? "DELETE FROM qehs.scim_unresolved_member AS n WHERE n.tenant_id = $1 AND n.role_id = $2 AND " :
						   "DELETE FROM qehs.role_member AS m USING qehs.user_account AS u WHERE u.tenant_id = $1 AND u.id = m.user_id"
						   " AND m.tenant_id = $1 AND m.role_id = $2 AND ");
	filter_append_member(&sql, filter, node, members, unresolved);
	if (SPI_execute_with_args(out->data, sql.query.count, sql.query.types, sql.query.values, NULL, false, 0) < 0)
		elog(ERROR, "could not delete members");
	return SPI_processed > 0;
}

bool
members_remove_where(const ScimResourceType *type, const RequestContext *context, const pg_uuid_t *group, const ScimFilter *filter, int node,
					 const ScimAttribute *members, const char *base_url)
{
	bool		changed = remove_where(type, context, group, filter, node, members, base_url, false);

	return remove_where(type, context, group, filter, node, members, base_url, true) || changed;
}

static ScimValue *
make_member(const char *id, const char *display, const char *base_url)
{
	ScimValue  *member = tree_make(SCIM_VALUE_OBJECT);

	tree_set(member, "value", tree_text(id));
	if (display == NULL)
		return member;
	tree_set(member, "$ref", tree_text(psprintf("%s/api/scim/v2/Users/%s", base_url, id)));
	tree_set(member, "display", tree_text(display));
	tree_set(member, "type", tree_text("User"));
	return member;
}

void
members_write(StringInfo out, const RequestContext *context, const pg_uuid_t *group, const char *base_url,
			  void (*write) (StringInfo out, void *owner, const ScimValue *member), void *owner)
{
	pg_uuid_t	last = {{0}};
	Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(group), UUIDPGetDatum(&last), Int32GetDatum(MEMBERS_AT_ONCE)};
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "qehs SCIM members", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(batch);
	uint64		rows;
	bool		isnull;

	do
	{
		CHECK_FOR_INTERRUPTS();
		rows = plan_execute(&select_members, values, NULL, false, 0);
		for (uint64 i = 0; i < rows; i++)
		{
			const char *display = TextDatumGetCString(plan_value(i, COLUMN_DISPLAY_NAME, &isnull));

			last = *DatumGetUUIDP(plan_value(i, COLUMN_USER_ID, &isnull));
			write(out, owner, make_member(DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&last))), display, base_url));
		}
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(batch);
	} while (rows == MEMBERS_AT_ONCE);
	rows = plan_execute(&select_unresolved, values, NULL, false, 0);
	for (uint64 i = 0; i < rows; i++)
		write(out, owner, make_member(TextDatumGetCString(plan_value(i, 1, &isnull)), NULL, base_url));
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(batch);
}
