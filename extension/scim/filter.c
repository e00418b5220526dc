/*
 * filter.c
 *	  SCIM filters as SQL.
 *
 * A comparison with an absent attribute is NULL, which is false at the top and below
 * and/or; not(…) makes it false first.  Values are parameters; names come
 * from the schemas and are quoted.  Conditions on userName, externalId, id and the
 * displayName of a group have the form of an index.
 */
#include "base/compat.h"

#include "scim/filter.h"

#include "base/id.h"
#include "base/json.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* What an attribute is in SQL; members that do not apply are NULL. */
typedef struct Expression
{
	const char *text;
	const char *uuid;
	const char *boolean;
	const char *json;
	const char *time;			/* timestamptz */
} Expression;

/* Where the names of a condition are looked up. */
typedef enum Place
{
	IN_RESOURCE, IN_ELEMENT, IN_GROUP, IN_MEMBER, IN_UNRESOLVED
} Place;

static void append_node(ScimSql *sql, const ScimFilter *filter, int at, Place place, const ScimAttribute *attribute);

void
filter_begin(ScimSql *sql, const ScimResourceType *type, int32 tenant_id, const char *base_url)
{
	memset(sql, 0, sizeof(*sql));
	sql->type = type;
	sql->base_url = base_url;
	initStringInfo(&sql->query.sql);
	sql->query.types[0] = INT4OID;
	sql->query.values[0] = Int32GetDatum(tenant_id);
	sql->query.count = 1;
}

static int
add_argument(ScimSql *sql, Oid type, Datum value)
{
	if (sql->query.count == QEHS_QUERY_ARGUMENTS)
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the filter has more values than the server takes");
	sql->query.types[sql->query.count] = type;
	sql->query.values[sql->query.count] = value;
	return ++sql->query.count;
}

int
filter_text(ScimSql *sql, const char *text)
{
	return add_argument(sql, TEXTOID, CStringGetTextDatum(text));
}

int
filter_int(ScimSql *sql, int64 value)
{
	return add_argument(sql, INT8OID, Int64GetDatum(value));
}

int
filter_uuid(ScimSql *sql, const pg_uuid_t *id)
{
	pg_uuid_t  *copy = palloc(sizeof(pg_uuid_t));

	*copy = *id;
	return add_argument(sql, UUIDOID, UUIDPGetDatum(copy));
}

bool
filter_is_uuid(const char *text, pg_uuid_t *id)
{
	return strlen(text) == 36 && id_parse(text, 36, "", id);
}

static char *
quoted(const char *name)
{
	return quote_literal_cstr(name);
}

/* ---- what names are in SQL ---- */

/* An expression over jsonb. */
static Expression
of_json(const char *json, const char *text)
{
	return (Expression) {.json = json,.text = text,.boolean = psprintf("(%s = 'true'::pg_catalog.jsonb)", json)};
}

/* The sub-attribute of an element. */
static Expression
of_element(const ScimAttribute *attribute, const ScimAttribute *sub)
{
	if (sub == attribute)
		return of_json("e.v", "(e.v #>> '{}')");
	return of_json(psprintf("(e.v -> %s)", quoted(sub->name)), psprintf("(e.v ->> %s)", quoted(sub->name)));
}

/* value, display, type and $ref of something that has an id. */
static Expression
of_linked(const ScimSql *sql, const ScimAttribute *sub, const char *id, const char *display, const char *type, const char *endpoint)
{
	if (strcmp(sub->name, "value") == 0)
		return (Expression) {.uuid = id,.text = psprintf("(%s)::pg_catalog.text", id)};
	if (strcmp(sub->name, "display") == 0)
		return (Expression) {.text = display};
	if (strcmp(sub->name, "type") == 0)
		return (Expression) {.text = psprintf("%s::pg_catalog.text", quoted(type))};
	return (Expression) {.text = psprintf("(%s || (%s)::pg_catalog.text)", quoted(psprintf("%s/api/scim/v2/%s/", sql->base_url, endpoint)), id)};
}

static Expression
of_meta(const ScimSql *sql, const ScimAttribute *sub)
{
	if (strcmp(sub->name, "created") == 0)
		return (Expression) {.time = "pg_catalog.date_trunc('milliseconds', x.created_at)",
			.text = "pg_catalog.to_char(x.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"};
	if (strcmp(sub->name, "lastModified") == 0)
		return (Expression) {.time = "pg_catalog.date_trunc('milliseconds', x.updated_at)",
			.text = "pg_catalog.to_char(x.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"};
	if (strcmp(sub->name, "version") == 0)
		return (Expression) {.text = "('W/\"' || x.version::pg_catalog.text || '\"')"};
	if (strcmp(sub->name, "resourceType") == 0)
		return (Expression) {.text = psprintf("%s::pg_catalog.text", quoted(sql->type->name))};
	return (Expression) {.text = psprintf("(%s || x.id::pg_catalog.text)",
										  quoted(psprintf("%s/api/scim/v2%s/", sql->base_url, sql->type->endpoint)))};
}

/* Attributes that are columns; false for those that are in the jsonb. */
static bool
of_column(const ScimSql *sql, const ScimTarget *target, Expression *found)
{
	const char *name = target->attribute->name;

	if (target->extension)
		return false;
	if (strcmp(name, "id") == 0)
		*found = (Expression) {.uuid = "x.id",.text = "x.id::pg_catalog.text"};
	else if (strcmp(name, "externalId") == 0)
		*found = (Expression) {.text = "x.external_id"};
	else if (strcmp(name, "meta") == 0 && target->sub)
		*found = of_meta(sql, target->sub);
	else if (sql->type->storage == SCIM_IN_USERS && strcmp(name, "userName") == 0)
		*found = (Expression) {.text = "x.user_name"};
	else if (sql->type->storage == SCIM_IN_USERS && strcmp(name, "active") == 0)
		*found = (Expression) {.boolean = "x.active",.text = "x.active::pg_catalog.text"};
	else if (sql->type->storage != SCIM_IN_RESOURCES && strcmp(name, "displayName") == 0)
		*found = (Expression) {.text = "x.display_name"};
	else
		return false;
	return true;
}

/* The jsonb of an attribute; of a role, which has none, NULL. */
static const char *
json_of(const ScimSql *sql, const ScimTarget *target)
{
	const char *all = sql->type->storage == SCIM_IN_ROLES ? "NULL::pg_catalog.jsonb" : "x.attributes";

	return target->extension ? psprintf("(%s -> %s -> %s)", all, quoted(target->extension->urn), quoted(target->attribute->name)) :
		psprintf("(%s -> %s)", all, quoted(target->attribute->name));
}

/* ---- comparisons ---- */

static const char *
sql_operator(ScimOperator op)
{
	static const char *const names[] = {[SCIM_EQ] = "=",[SCIM_NE] = "<>",[SCIM_GT] = ">",[SCIM_GE] = ">=",[SCIM_LT] = "<",[SCIM_LE] = "<="};

	return names[op];
}

static void
append_text(ScimSql *sql, const ScimAttribute *attribute, const ScimNode *node, const Expression *x)
{
	StringInfo	out = &sql->query.sql;
	char	   *left = attribute->case_exact ? pstrdup(x->text) : psprintf("pg_catalog.lower(%s)", x->text);
	int			number = filter_text(sql, node->value);
	char	   *right = attribute->case_exact ? psprintf("$%d", number) : psprintf("pg_catalog.lower($%d)", number);

	switch (node->op)
	{
		case SCIM_CO:
			appendStringInfo(out, "(pg_catalog.strpos(%s, %s) > 0)", left, right);
			break;
		case SCIM_SW:
			appendStringInfo(out, "pg_catalog.starts_with(%s, %s)", left, right);
			break;
		case SCIM_EW:
			appendStringInfo(out, "(pg_catalog.right(%s, pg_catalog.length(%s)) = %s)", left, right, right);
			break;
		case SCIM_EQ:
		case SCIM_NE:
			appendStringInfo(out, "(%s %s %s)", left, sql_operator(node->op), right);
			break;
		default:
			appendStringInfo(out, "(%s COLLATE \"C\" %s %s)", left, sql_operator(node->op), right);
	}
}

static void
append_time(ScimSql *sql, const ScimNode *node, const Expression *x)
{
	TimestampTz time;
	StringInfoData text;

	json_time_parse(node->value, (int) strlen(node->value), &time);
	if (x->time)
	{
		appendStringInfo(&sql->query.sql, "(%s %s $%d)", x->time, sql_operator(node->op), add_argument(sql, TIMESTAMPTZOID, TimestampTzGetDatum(time)));
		return;
	}
	/* kept in UTC with milliseconds: texts compare as times do */
	initStringInfo(&text);
	json_time_raw(&text, time);
	appendStringInfo(&sql->query.sql, "(%s COLLATE \"C\" %s $%d)", x->text, sql_operator(node->op), filter_text(sql, text.data));
}

/* Whether an attribute is there at all, of whatever parts. */
static bool
asks_presence(const ScimNode *node)
{
	return node->op == SCIM_PR || node->literal == SCIM_LITERAL_NULL;
}

/* A comparison of a single value. */
static void
append_value(ScimSql *sql, const ScimAttribute *attribute, const ScimNode *node, const Expression *x)
{
	StringInfo	out = &sql->query.sql;
	const char *any = x->text ? x->text : x->json;
	pg_uuid_t	id;
	bool		truth;

	if (asks_presence(node))
		appendStringInfo(out, "(%s %s)", any, node->op == SCIM_EQ ? "IS NULL" : "IS NOT NULL");
	else if (attribute->type == SCIM_BOOLEAN)
	{
		match_truth(node, &truth);
		appendStringInfo(out, "(%s%s)", truth == (node->op == SCIM_EQ) ? "" : "NOT ", x->boolean);
	}
	else if (attribute->type == SCIM_INTEGER || attribute->type == SCIM_DECIMAL)
		appendStringInfo(out, "(CASE WHEN pg_catalog.jsonb_typeof(%s) = 'number' THEN (%s)::pg_catalog.numeric END %s $%d::pg_catalog.numeric)",
						 x->json, x->json, sql_operator(node->op), filter_text(sql, node->value));
	else if (attribute->type == SCIM_DATETIME)
		append_time(sql, node, x);
	else if (x->uuid && (node->op == SCIM_EQ || node->op == SCIM_NE))
	{
		/* as text an id has one form, in lower case */
		if (filter_is_uuid(node->value, &id) && strspn(node->value, "0123456789abcdef-") == 36)
			appendStringInfo(out, "(%s %s $%d)", x->uuid, sql_operator(node->op), filter_uuid(sql, &id));
		else
			appendStringInfoString(out, node->op == SCIM_NE ? "true" : "false");
	}
	else
		append_text(sql, attribute, node, x);
}

/* ---- elements of multi-valued attributes ---- */

/* Are its elements rows of qehs.role_member? */
static bool
is_linked(const ScimSql *sql, const ScimTarget *target)
{
	const char *name = sql->type->storage == SCIM_IN_USERS ? "groups" : "members";

	return target->extension == NULL && sql->type->storage != SCIM_IN_RESOURCES && strcmp(target->attribute->name, name) == 0;
}

/* EXISTS over the elements of an attribute, with a condition that the caller appends; returns how it ends. */
static void
append_elements(ScimSql *sql, const ScimTarget *target, const ScimFilter *filter, int at)
{
	StringInfo	out = &sql->query.sql;
	const ScimAttribute *attribute = target->attribute;

	if (is_linked(sql, target) && sql->type->storage == SCIM_IN_USERS)
	{
		appendStringInfoString(out, "EXISTS (SELECT FROM qehs.role_member AS m JOIN qehs.role AS r ON r.tenant_id = $1 AND r.id = m.role_id"
							   " AND r.provisioned WHERE m.tenant_id = $1 AND m.user_id = x.id AND ");
		append_node(sql, filter, at, IN_GROUP, attribute);
	}
	else if (is_linked(sql, target))
	{
		appendStringInfoString(out, "(EXISTS (SELECT FROM qehs.role_member AS m JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.id = m.user_id"
							   " WHERE m.tenant_id = $1 AND m.role_id = x.id AND ");
		append_node(sql, filter, at, IN_MEMBER, attribute);
		appendStringInfoString(out, ") OR EXISTS (SELECT FROM qehs.scim_unresolved_member AS n WHERE n.tenant_id = $1 AND n.role_id = x.id AND ");
		append_node(sql, filter, at, IN_UNRESOLVED, attribute);
		appendStringInfoChar(out, ')');
	}
	else if (attribute == &schema_common[3])
	{
		appendStringInfo(out, "EXISTS (SELECT FROM (VALUES (pg_catalog.to_jsonb(%s::pg_catalog.text))", quoted(sql->type->schema->urn));
		for (int i = 0; i < sql->type->extension_count && sql->type->storage != SCIM_IN_ROLES; i++)
			appendStringInfo(out, ", (CASE WHEN x.attributes ? %s THEN pg_catalog.to_jsonb(%s::pg_catalog.text) END)",
							 quoted(sql->type->extensions[i]->urn), quoted(sql->type->extensions[i]->urn));
		appendStringInfoString(out, ") AS e (v) WHERE e.v IS NOT NULL AND ");
		append_node(sql, filter, at, IN_ELEMENT, attribute);
	}
	else
	{
		appendStringInfo(out, "EXISTS (SELECT FROM pg_catalog.jsonb_path_query(%s, '$[*]') AS e (v) WHERE ", json_of(sql, target));
		append_node(sql, filter, at, IN_ELEMENT, attribute);
	}
	appendStringInfoChar(out, ')');
}

static Expression
expression_of(ScimSql *sql, Place place, const ScimAttribute *attribute, const ScimAttribute *sub)
{
	switch (place)
	{
		case IN_GROUP:
			return of_linked(sql, sub, "r.id", "r.display_name", "direct", "Groups");
		case IN_MEMBER:
			return of_linked(sql, sub, "m.user_id", "u.display_name", "User", "Users");
		case IN_UNRESOLVED:
			return (Expression) {.text = strcmp(sub->name, "value") == 0 ? "n.value" : "NULL::pg_catalog.text"};
		default:
			return of_element(attribute, sub);
	}
}

/* A comparison inside brackets, or of the value of each element. */
static void
append_inner(ScimSql *sql, const ScimNode *node, Place place, const ScimAttribute *attribute)
{
	const ScimAttribute *sub = match_sub(attribute, node->name);
	Expression	x = expression_of(sql, place, attribute, sub);

	match_check(sub, node);
	append_value(sql, sub, node, &x);
}

/* ---- nodes ---- */

static bool
known_to_any_type(ScimName name)
{
	const ScimCatalogue *all = schema_catalogue();
	ScimTarget	target;

	for (int i = 0; i < all->type_count; i++)
		if (schema_find(&all->types[i], name, &target) && target.attribute)
			return true;
	return false;
}

/* In a search over all types an attribute that only others have is one without value here (RFC 7644 section 3.4.2.1): false. */
static bool
find_target(const ScimSql *sql, ScimName name, ScimTarget *target)
{
	if (!schema_find(sql->type, name, target) || target->attribute == NULL)
	{
		if (sql->all_types && known_to_any_type(name))
			return false;
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the resource type %s has no attribute \"%.*s\"", sql->type->name, name.length, name.text);
	}
	if (target->attribute->returned == SCIM_NEVER)
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the attribute \"%s\" cannot be filtered by", target->attribute->name);
	return true;
}

/* attribute or attribute.sub of a multi-valued attribute: of any of its elements. */
static void
append_any_element(ScimSql *sql, const ScimTarget *target, const ScimNode *node)
{
	const ScimAttribute *sub = target->sub ? target->sub : schema_value_of(target->attribute);
	ScimFilter *one = palloc(sizeof(ScimFilter));
	const char *name = sub ? sub->name : "value";

	if (target->attribute->type == SCIM_COMPLEX && sub == NULL)
		problem_raise(PROBLEM_INVALID_FILTER, "Name a sub-attribute.", "the attribute \"%s\" has no value of its own", target->attribute->name);
	one->count = 1;
	one->root = 0;
	one->nodes[0] = *node;
	one->nodes[0].name = (ScimName) {name, (int) strlen(name)};
	/* absent as a whole */
	if (node->op == SCIM_EQ && node->literal == SCIM_LITERAL_NULL)
	{
		appendStringInfoString(&sql->query.sql, "NOT ");
		one->nodes[0].op = SCIM_PR;
	}
	append_elements(sql, target, one, 0);
}

/* attribute or attribute.sub of the resource. */
static void
append_outer(ScimSql *sql, const ScimNode *node)
{
	ScimTarget	target;
	const ScimAttribute *leaf;
	Expression	x;

	if (!find_target(sql, node->name, &target))
	{
		appendStringInfoString(&sql->query.sql, node->op == SCIM_EQ && node->literal == SCIM_LITERAL_NULL ? "true" : "false");
		return;
	}
	if (target.attribute->multi_valued && (target.sub || target.attribute->type != SCIM_COMPLEX || !asks_presence(node) || is_linked(sql, &target)))
	{
		append_any_element(sql, &target, node);
		return;
	}
	/* manager eq "…", as Entra ID asks */
	if (target.attribute->type == SCIM_COMPLEX && target.sub == NULL && !asks_presence(node))
		target.sub = schema_value_of(target.attribute);
	leaf = target.sub ? target.sub : target.attribute;
	if (!of_column(sql, &target, &x))
	{
		const char *json = json_of(sql, &target);

		if (target.sub)
			x = of_json(psprintf("(%s -> %s)", json, quoted(target.sub->name)), psprintf("(%s ->> %s)", json, quoted(target.sub->name)));
		else if (target.attribute == &schema_common[2])
			x = (Expression) {.text = "x.id::pg_catalog.text"};
		else
			x = of_json(json, psprintf("(%s #>> '{}')", json));
	}
	match_check(leaf, node);
	append_value(sql, leaf, node, &x);
}

static void
append_node(ScimSql *sql, const ScimFilter *filter, int at, Place place, const ScimAttribute *attribute)
{
	const ScimNode *node = &filter->nodes[at];
	StringInfo	out = &sql->query.sql;
	ScimTarget	target;

	check_stack_depth();
	switch (node->kind)
	{
		case SCIM_NODE_AND:
		case SCIM_NODE_OR:
			appendStringInfoChar(out, '(');
			append_node(sql, filter, node->left, place, attribute);
			appendStringInfoString(out, node->kind == SCIM_NODE_AND ? " AND " : " OR ");
			append_node(sql, filter, node->right, place, attribute);
			appendStringInfoChar(out, ')');
			break;
		case SCIM_NODE_NOT:
			appendStringInfoString(out, "NOT COALESCE(");
			append_node(sql, filter, node->left, place, attribute);
			appendStringInfoString(out, ", false)");
			break;
		case SCIM_NODE_ELEMENT:
			if (!find_target(sql, node->name, &target))
			{
				appendStringInfoString(out, "false");
				break;
			}
			if (target.sub || target.attribute == &schema_common[2] || !(target.attribute->multi_valued || target.attribute->type == SCIM_COMPLEX))
				problem_raise(PROBLEM_INVALID_FILTER, NULL, "\"%.*s\" has no elements", node->name.length, node->name.text);
			append_elements(sql, &target, filter, node->left);
			break;
		default:
			if (place == IN_RESOURCE)
				append_outer(sql, node);
			else
				append_inner(sql, node, place, attribute);
	}
}

/* The attribute of which the whole filter wants one value, or NULL. */
static const ScimAttribute *
only_attribute(const ScimResourceType *type, const ScimFilter *filter)
{
	const ScimNode *node = &filter->nodes[filter->root];
	ScimTarget	target;

	if (node->kind != SCIM_NODE_COMPARE || node->op != SCIM_EQ || node->literal != SCIM_LITERAL_TEXT || !schema_find(type, node->name, &target) ||
		target.extension || target.sub)
		return NULL;
	return target.attribute;
}

const char *
filter_user_name(const ScimResourceType *type, const ScimFilter *filter)
{
	const ScimAttribute *attribute = type->storage == SCIM_IN_USERS ? only_attribute(type, filter) : NULL;

	return attribute && strcmp(attribute->name, "userName") == 0 && !attribute->case_exact ? filter->nodes[filter->root].value : NULL;
}

const ScimFilter *
filter_read(const char *text)
{
	ScimFilter *filter = palloc(sizeof(ScimFilter));
	int			length = (int) strlen(text);

	if (!scim_parse_filter(text, length, palloc(length + 1), filter))
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the filter cannot be read at character %d: %s", filter->fault_at + 1, filter->fault);
	return filter;
}

void
filter_append(ScimSql *sql, const ScimFilter *filter)
{
	append_node(sql, filter, filter->root, IN_RESOURCE, NULL);
	sql->one = filter_user_name(sql->type, filter) || only_attribute(sql->type, filter) == &schema_common[0];
}

void
filter_append_member(ScimSql *sql, const ScimFilter *filter, int node, const ScimAttribute *members, bool unresolved)
{
	append_node(sql, filter, node, unresolved ? IN_UNRESOLVED : IN_MEMBER, members);
}

/* ---- order ---- */

/* Of a multi-valued attribute the primary element, or the first (RFC 7644 section 3.4.2.3). */
static const char *
first_element(const ScimSql *sql, const ScimTarget *target, const ScimAttribute *sub)
{
	Expression	x = of_element(target->attribute, sub ? sub : target->attribute);

	return psprintf("(SELECT %s FROM pg_catalog.jsonb_path_query(%s, '$[*]') WITH ORDINALITY AS e (v, n)"
					" ORDER BY (e.v -> 'primary') = 'true'::pg_catalog.jsonb DESC NULLS LAST, e.n LIMIT 1)", x.text, json_of(sql, target));
}

const char *
filter_sort_key(ScimSql *sql, const char *sort_by, bool *is_number)
{
	ScimTarget	target;
	const ScimAttribute *sub;
	const ScimAttribute *leaf;
	Expression	x;
	const char *text;

	if (!schema_find(sql->type, (ScimName) {sort_by, (int) strlen(sort_by)}, &target) || target.attribute == NULL)
		problem_raise(PROBLEM_INVALID_PATH, NULL, "the resource type %s has no attribute \"%s\"", sql->type->name, sort_by);
	sub = target.sub ? target.sub : target.attribute->type == SCIM_COMPLEX ? schema_value_of(target.attribute) : NULL;
	leaf = sub ? sub : target.attribute;
	if (leaf->type == SCIM_COMPLEX || leaf->returned == SCIM_NEVER ||
		strcmp(target.attribute->name, "groups") == 0 || strcmp(target.attribute->name, "members") == 0 || target.attribute == &schema_common[3])
		problem_raise(PROBLEM_INVALID_PATH, NULL, "resources cannot be sorted by \"%s\"", sort_by);
	if (target.attribute->multi_valued)
		text = first_element(sql, &target, sub);
	else if (of_column(sql, &target, &x))
		text = x.text;
	else
		text = sub ? psprintf("(%s ->> %s)", json_of(sql, &target), quoted(sub->name)) : psprintf("(%s #>> '{}')", json_of(sql, &target));
	*is_number = leaf->type == SCIM_INTEGER || leaf->type == SCIM_DECIMAL;
	if (*is_number)
		return psprintf("(%s)::pg_catalog.numeric", text);
	return leaf->case_exact || leaf->type == SCIM_DATETIME ? psprintf("(%s) COLLATE \"C\"", text) : psprintf("pg_catalog.lower(%s) COLLATE \"C\"", text);
}
