/*
 * filter.c
 *	  A filter document as SQL conditions.
 *
 * {"field":value} is eq; {"field":{"op":value}}; and, or, not combine.  Over HTTP
 * all values are strings, and in and nin hold a comma-separated one.  A value is
 * read by the field's type.  Fields with a slot compare by it, others by the
 * payload; a field that a record lacks matches ne and nin, and no other operator.
 */
#include "base/compat.h"

#include <math.h>

#include "base/id.h"
#include "base/json.h"
#include "catalog/pg_type.h"
#include "record/query.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static void append_object(ListQuery *query, const RequestContext *context, const JsonbContainer *object,
						  const char *joint, int depth);

int
query_argument(ListQuery *query, Oid type, Datum value)
{
	if (query->count >= QEHS_QUERY_ARGUMENTS)
	{
		violation_add_first(query->faults, "?filter", "maxItems", "has too many conditions");
		return query->count;
	}
	query->types[query->count] = type;
	query->values[query->count] = value;
	return ++query->count;
}

static const struct
{
	const char *name;
	const char *expression;
	SlotKind	kind;
	bool		is_uuid;
}			system_fields[] = {
	{"workflowState", "workflow_state COLLATE \"C\"", SLOT_TEXT, false},
	{"createdAt", "created_at", SLOT_TIME, false},
	{"updatedAt", "updated_at", SLOT_TIME, false},
	{"createdBy", "created_by", SLOT_TEXT, true},
	{"displayCode", "display_no", SLOT_NUMBER, false},
	{"id", "id", SLOT_TEXT, true},
	{"version", "version::float8", SLOT_NUMBER, false},
};

static const char *const slot_columns[QEHS_SLOTS] = {"t1", "t2", "t3", "t4", "t5", "t6", "n1", "n2", "n3", "n4",
"d1", "d2", "d3", "d4"};

static const char *
missing_of(SlotKind kind)
{
	switch (kind)
	{
		case SLOT_TEXT:
			return "'" QEHS_SLOT_MISSING_TEXT "'";
		case SLOT_NUMBER:
			return "'NaN'::float8";
		default:
			return "'infinity'::timestamptz";
	}
}

/* The field's member of any version's payload: format has the key as its one %s. */
static const char *
payload_member(const ModuleField *field, const char *format)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (field->old_key_count > 0)
		appendStringInfoString(&sql, "coalesce(");
	for (int i = -1; i < field->old_key_count; i++)
	{
		const char *key = i < 0 ? field->key : field->old_keys[i];
		const char *place = strstr(format, "%s");

		if (i >= 0)
			appendStringInfoString(&sql, ", ");
		appendBinaryStringInfo(&sql, format, place - format);
		appendStringInfo(&sql, "%s%s", key, place + strlen("%s"));
	}
	if (field->old_key_count > 0)
		appendStringInfoChar(&sql, ')');
	return sql.data;
}

const char *
query_payload_text(const ModuleField *field)
{
	return payload_member(field, "payload->>'%s'");
}

/* The amount of a currency may be a string of digits. */
static const char *
amount_text(const char *member)
{
	return psprintf(" WHEN 'string' THEN coalesce(pg_catalog.substring(%s->>'amount', '^-?[0-9]{1,15}(?:[.][0-9]{1,4})?$')::float8,"
					" 'NaN')", member);
}

/* A field without slot, from the payload, absent as the missing value. */
static const char *
payload_expression(const ModuleField *field)
{
	const char *compared = module_compared_member(field->type);
	const char *part = compared ? psprintf("->'%s'", compared) : "";
	const char *member;

	switch (field->kind)
	{
		case SLOT_TEXT:
			return psprintf("coalesce(pg_catalog.left(%s, 255), '" QEHS_SLOT_MISSING_TEXT "') COLLATE \"C\"",
							query_payload_text(field));
		case SLOT_NUMBER:
			member = payload_member(field, "payload->'%s'");
			return psprintf("(CASE pg_catalog.jsonb_typeof(%s%s) WHEN 'number' THEN (%s%s)::float8%s ELSE 'NaN' END)",
							member, part, member, part, field->type == FIELD_CURRENCY ? amount_text(member) : "");
		default:
			return psprintf("coalesce(%s, 'infinity')", payload_member(field, "qehs.payload_time(payload, '%s')"));
	}
}

bool
query_field(const ModuleDef *module, const char *name, QueryField *found)
{
	memset(found, 0, sizeof(*found));
	found->field = module_field(module, name, strlen(name));
	if (found->field == NULL && strcmp(name, "status") == 0)
		name = "workflowState";
	if (found->field)
	{
		found->kind = found->field->kind;
		if (found->kind != SLOT_NONE)
		{
			found->missing = missing_of(found->kind);
			found->expression = found->field->slot >= 0 ? slot_columns[found->field->slot] : payload_expression(found->field);
		}
		return true;
	}
	for (int i = 0; i < (int) lengthof(system_fields); i++)
	{
		if (strcmp(system_fields[i].name, name) != 0)
			continue;
		found->expression = system_fields[i].expression;
		found->kind = system_fields[i].kind;
		found->is_uuid = system_fields[i].is_uuid;
		found->is_display_code = strcmp(name, "displayCode") == 0;
		return true;
	}
	return false;
}

void
query_require_readable(const ListQuery *query, const QueryField *field, const char *path)
{
	if (field->field && !permission_reads_field(query->context, query->module, field->field, NULL))
		problem_raise_at(PROBLEM_FORBIDDEN, path, "forbidden", "is a field that the caller may not read");
}

static void
bad_value(const ListQuery *query, const char *path, const char *what)
{
	violation_add_first(query->faults, path, "type", "must be %s", what);
}

/* Scalar as text. */
static char *
value_text(const ListQuery *query, const JsonbValue *value, const char *path)
{
	StringInfoData text;

	if (value->type == jbvString)
		return json_text_copy(value);
	initStringInfo(&text);
	if (value->type == jbvBinary || value->type == jbvNull)
	{
		bad_value(query, path, "a string, number or boolean");
		return text.data;
	}
	json_jsonb_value(&text, value);
	return text.data;
}

/* PREFIX-2026-0001 as display_no; -1, which no record has, for anything else. */
static int64
display_number(const ModuleDef *module, const char *text)
{
	size_t		length = strlen(module->prefix);
	size_t		digits;
	char	   *end;
	long		year;

	if (strncmp(text, module->prefix, length) != 0 || text[length] != '-' || strspn(text + length + 1, "0123456789") != 4)
		return -1;
	year = strtol(text + length + 1, &end, 10);
	digits = *end == '-' ? strspn(end + 1, "0123456789") : 0;
	if (digits < 4 || digits > 9 || end[1 + digits] != '\0')
		return -1;
	return year * QEHS_DISPLAY_YEAR + strtol(end + 1, NULL, 10);
}

/* An id as records hold it, whichever form the filter has. */
static const char *
canonical_text(const ModuleField *field, const char *text)
{
	const char *prefix = module_id_prefix(field->type);
	pg_uuid_t	id;
	char	   *canonical;

	if (prefix == NULL || !id_parse(text, strlen(text), prefix, &id))
		return text;
	canonical = palloc(QEHS_ID_LENGTH + 1);
	id_format(&id, prefix, canonical);
	return canonical;
}

static Datum
uuid_value(const ListQuery *query, const char *name, const char *text, const char *path)
{
	pg_uuid_t  *id = palloc0(sizeof(pg_uuid_t));
	int			length = strlen(text);

	if (strcmp(name, "id") == 0 ? !id_parse(text, length, QEHS_ID_RECORD, id) :
		!id_parse(text, length, QEHS_ID_USER, id) && !id_parse(text, length, QEHS_ID_KEY, id))
		bad_value(query, path, "an id");
	return UUIDPGetDatum(id);
}

/* Read a value by the field's kind. */
static Datum
typed_value(const ListQuery *query, const char *name, const QueryField *field, const char *text, const char *path, Oid *type)
{
	char	   *end;
	double		number;
	TimestampTz time;
	int			length = strlen(text);

	if (field->is_uuid)
	{
		*type = UUIDOID;
		return uuid_value(query, name, text, path);
	}
	if (field->is_display_code)
	{
		*type = INT8OID;
		return Int64GetDatum(display_number(query->module, text));
	}
	switch (field->kind)
	{
		case SLOT_NUMBER:
			*type = FLOAT8OID;
			number = strtod(text, &end);
			if (end == text || *end != '\0' || !isfinite(number) || strspn(text, "+-.0123456789eE") != (size_t) length)
				bad_value(query, path, "a number");
			return Float8GetDatum(number);
		case SLOT_TIME:
			*type = TIMESTAMPTZOID;
			if (!json_time_parse(text, length, &time) && !json_date_parse(text, length, &time))
				bad_value(query, path, "an RFC 3339 time with offset, or a date");
			return TimestampTzGetDatum(time);
		default:
			*type = TEXTOID;
			if (field->field && field->field->type == FIELD_BOOLEAN && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
				bad_value(query, path, "true or false");
			return CStringGetTextDatum(field->field ? canonical_text(field->field, text) : text);
	}
}

/* Values of in and nin: an array, or a comma-separated string. */
static ArrayType *
typed_array(ListQuery *query, const char *name, const QueryField *field, const JsonbValue *value, const char *path, Oid *type)
{
	Datum		items[200];
	int			count = 0;
	int16		length;
	bool		by_value;
	char		align;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		uint32		size = JsonContainerSize(value->val.binary.data);

		if (size > lengthof(items))
			violation_add_first(query->faults, path, "maxItems", "must have at most %d values", (int) lengthof(items));
		for (uint32 i = 0; i < Min(size, lengthof(items)); i++)
			items[count++] = typed_value(query, name, field,
										 value_text(query, getIthJsonbValueFromContainer(value->val.binary.data, i), path), path, type);
	}
	else
	{
		char	   *rest = value_text(query, value, path);

		for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ","))
		{
			if (count >= (int) lengthof(items))
			{
				violation_add_first(query->faults, path, "maxItems", "must have at most %d values", (int) lengthof(items));
				break;
			}
			items[count++] = typed_value(query, name, field, item, path, type);
		}
	}
	if (count == 0)
		violation_add_first(query->faults, path, "minItems", "must have at least 1 value");
	length = *type == UUIDOID ? 16 : *type == TEXTOID ? -1 : 8;
	by_value = length == 8 && FLOAT8PASSBYVAL;
	align = *type == UUIDOID ? TYPALIGN_CHAR : *type == TEXTOID ? TYPALIGN_INT : TYPALIGN_DOUBLE;
	return construct_array(items, count, *type, length, by_value, align);
}

static void
append_list(ListQuery *query, const char *name, const QueryField *field, bool negated, const JsonbValue *value, const char *path)
{
	Oid			type = TEXTOID;
	ArrayType  *array = typed_array(query, name, field, value, path, &type);
	Oid			array_type = type == UUIDOID ? UUIDARRAYOID : type == INT8OID ? INT8ARRAYOID :
		type == FLOAT8OID ? FLOAT8ARRAYOID : type == TIMESTAMPTZOID ? TIMESTAMPTZARRAYOID : TEXTARRAYOID;

	appendStringInfo(&query->sql, "%s (%s = ANY ($%d))", negated ? "NOT" : "", field->expression,
					 query_argument(query, array_type, PointerGetDatum(array)));
}

static void
append_text_match(ListQuery *query, const QueryField *field, const char *op, const JsonbValue *value, const char *path)
{
	const char *text = value_text(query, value, path);
	int			number = query_argument(query, TEXTOID, CStringGetTextDatum(field->field ? canonical_text(field->field, text) : text));

	if (field->field && field->kind == SLOT_NONE)
		appendStringInfo(&query->sql, "pg_catalog.jsonb_exists(%s, $%d)",
						 payload_member(field->field, "payload->'%s'"), number);
	else if (field->kind != SLOT_TEXT || field->is_uuid)
		violation_add_first(query->faults, path, "operator", "cannot be used with this field");
	else
	{
		const char *member = field->field ? query_payload_text(field->field) : field->expression;

		if (strcmp(op, "contains") == 0)
			appendStringInfo(&query->sql, "coalesce(pg_catalog.strpos(pg_catalog.lower(%s), pg_catalog.lower($%d)) > 0, false)",
							 member, number);
		else
			appendStringInfo(&query->sql, "coalesce(pg_catalog.starts_with(%s, $%d), false)", member, number);
	}
}

static void
append_exists(ListQuery *query, const QueryField *field, const JsonbValue *value, const char *path)
{
	char	   *text = value_text(query, value, path);
	bool		wanted = strcmp(text, "true") == 0;

	if (!wanted && strcmp(text, "false") != 0)
		bad_value(query, path, "true or false");
	if (field->field == NULL)
		appendStringInfoString(&query->sql, wanted ? "true" : "false");
	else
		appendStringInfo(&query->sql, "(%s IS %s NULL)", payload_member(field->field, "payload->'%s'"), wanted ? "NOT" : "");
}

static void
append_comparison(ListQuery *query, const char *name, const QueryField *field, const char *operator,
				  const JsonbValue *value, const char *path)
{
	char	   *text = value_text(query, value, path);
	Oid			type;
	Datum		typed = typed_value(query, name, field, text, path, &type);
	int			number = query_argument(query, type, typed);
	bool		is_ne = strcmp(operator, "<>") == 0;

	appendStringInfo(&query->sql, "(%s %s $%d", field->expression, operator, number);
	/* the missing value is the greatest: it must not match gt */
	if (field->missing && operator[0] == '>')
		appendStringInfo(&query->sql, " AND %s < %s", field->expression, field->missing);
	/* a slot holds the first bytes only */
	if (field->field && type == TEXTOID && strlen(text) > QEHS_TEXT_SLOT_BYTES / 4 && (is_ne || strcmp(operator, "=") == 0))
	{
		query->sql.len -= strlen(psprintf("(%s %s $%d", field->expression, operator, number));
		query->sql.data[query->sql.len] = '\0';
		appendStringInfo(&query->sql, "(%s IS %s DISTINCT FROM $%d", query_payload_text(field->field),
						 is_ne ? "" : "NOT", number);
	}
	appendStringInfoChar(&query->sql, ')');
}

static void
append_condition(ListQuery *query, const char *name, const QueryField *field, const char *op, const JsonbValue *value)
{
	static const char *const comparisons[][2] = {{"eq", "="}, {"ne", "<>"}, {"lt", "<"}, {"lte", "<="}, {"gt", ">"}, {"gte", ">="}};
	const char *path = psprintf("?filter[%s][%s]", name, op);

	if (strcmp(op, "exists") == 0)
	{
		append_exists(query, field, value, path);
		return;
	}
	if (strcmp(op, "contains") == 0 || strcmp(op, "startsWith") == 0 || (strcmp(op, "eq") == 0 && field->kind == SLOT_NONE))
	{
		append_text_match(query, field, op, value, path);
		return;
	}
	if (field->kind == SLOT_NONE)
	{
		violation_add_first(query->faults, path, "operator", "cannot be used with this field");
		return;
	}
	if (strcmp(op, "in") == 0 || strcmp(op, "nin") == 0)
	{
		append_list(query, name, field, op[0] == 'n', value, path);
		return;
	}
	for (int i = 0; i < (int) lengthof(comparisons); i++)
	{
		if (strcmp(op, comparisons[i][0]) == 0)
		{
			append_comparison(query, name, field, comparisons[i][1], value, path);
			return;
		}
	}
	violation_add_first(query->faults, path, "operator",
						"is not an operator: use eq, ne, lt, lte, gt, gte, in, nin, contains, startsWith or exists");
}

/* All conditions on one field, joined by AND. */
static void
append_field(ListQuery *query, const char *name, const JsonbValue *value)
{
	QueryField	field;
	JsonbIterator *iterator;
	JsonbValue	item;
	JsonbIteratorToken token;
	char	   *op = pstrdup("");
	bool		first = true;

	if (!query_field(query->module, name, &field))
	{
		violation_add_first(query->faults, psprintf("?filter[%s]", name), "unknown_field",
							"is not a field of module \"%s\"", query->module->key);
		return;
	}
	query_require_readable(query, &field, psprintf("?filter[%s]", name));
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
	{
		append_condition(query, name, &field, "eq", value);
		return;
	}
	appendStringInfoString(&query->sql, "(true");
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			op = json_text_copy(&item);
		else if (token == WJB_VALUE)
		{
			appendStringInfoString(&query->sql, " AND ");
			append_condition(query, name, &field, op, &item);
			first = false;
		}
	}
	if (first)
		violation_add_first(query->faults, psprintf("?filter[%s]", name), "required", "must name an operator");
	appendStringInfoChar(&query->sql, ')');
}

/* The members of and / or: an array of filters. */
static void
append_branches(ListQuery *query, const RequestContext *context, const JsonbValue *value, const char *joint, int depth)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) || JsonContainerSize(value->val.binary.data) == 0)
	{
		violation_add_first(query->faults, psprintf("?filter[%s]", joint), "type", "must be an array of filters");
		return;
	}
	appendStringInfoChar(&query->sql, '(');
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
	{
		JsonbValue *branch = getIthJsonbValueFromContainer(value->val.binary.data, i);

		if (branch->type != jbvBinary || !JsonContainerIsObject(branch->val.binary.data))
		{
			violation_add_first(query->faults, psprintf("?filter[%s]", joint), "type", "must be an array of filters");
			continue;
		}
		if (i > 0)
			appendStringInfo(&query->sql, " %s ", joint);
		append_object(query, context, branch->val.binary.data, "AND", depth + 1);
	}
	appendStringInfoChar(&query->sql, ')');
}

static void
append_object(ListQuery *query, const RequestContext *context, const JsonbContainer *object, const char *joint, int depth)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = pstrdup("");

	if (depth > QEHS_FILTER_DEPTH)
	{
		violation_add_first(query->faults, "?filter", "depth", "must not be nested deeper than %d levels", QEHS_FILTER_DEPTH);
		return;
	}
	appendStringInfoString(&query->sql, "(true");
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = json_text_copy(&value);
		if (token != WJB_VALUE)
			continue;
		appendStringInfo(&query->sql, " %s ", joint);
		if (strcmp(name, "and") == 0)
			append_branches(query, context, &value, "AND", depth);
		else if (strcmp(name, "or") == 0)
			append_branches(query, context, &value, "OR", depth);
		else if (strcmp(name, "not") == 0)
		{
			if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			{
				violation_add_first(query->faults, "?filter[not]", "type", "must be a filter");
				continue;
			}
			appendStringInfoString(&query->sql, "NOT ");
			append_object(query, context, value.val.binary.data, "AND", depth + 1);
		}
		else
			append_field(query, name, &value);
	}
	appendStringInfoChar(&query->sql, ')');
}

void
query_filter(ListQuery *query, const RequestContext *context, Jsonb *filter)
{
	if (!JB_ROOT_IS_OBJECT(filter))
	{
		violation_add_first(query->faults, "?filter", "type", "must be an object");
		return;
	}
	appendStringInfoString(&query->sql, " AND ");
	append_object(query, context, &filter->root, "AND", 0);
}
