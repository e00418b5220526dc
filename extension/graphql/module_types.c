/*
 * module_types.c
 *	  The types and fields that a module's definition gives.
 *
 * A module "incidents" has the type Incident, with what every record has, and its
 * fields in camelCase.  Where a record has that name by itself, the field is
 * payloadName.  A field that names a user or records gives the object, or a list of them,
 * of the interface Record where it may be of several modules, and the same name with Id (Ids) behind it the id.  A field that the caller may read of no
 * record is not there.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/build.h"
#include "graphql/names.h"
#include "module/definition.h"
#include "miscadmin.h"

/* Fields that every record has. */
static const struct
{
	const char *name;
	const char *type;
	const char *arguments;
	GraphqlOrigin origin;
	const char *description;
}			record_fields[] = {
	{"id", "ID!", NULL, ORIGIN_ID, "The record's id."},
	{"moduleKey", "String!", NULL, ORIGIN_MODULE_KEY, "The key of its module."},
	{"displayCode", "String!", NULL, ORIGIN_DISPLAY_CODE, "The code for people, such as INC-2026-0001."},
	{"workflowState", "String!", NULL, ORIGIN_STATE, "The state of its workflow."},
	{"version", "Int!", NULL, ORIGIN_VERSION, "Rises with every change."},
	{"definitionVersion", "Int!", NULL, ORIGIN_DEFINITION_VERSION, "The version of the definition that it is of."},
	{"createdAt", "DateTime!", NULL, ORIGIN_CREATED_AT, "When it was created."},
	{"updatedAt", "DateTime!", NULL, ORIGIN_UPDATED_AT, "When it was changed last."},
	{"dueAt", "DateTime", NULL, ORIGIN_DUE_AT, "When it is due to leave its state; null where that has no deadline."},
	{"createdBy", "Actor", NULL, ORIGIN_CREATED_BY, "Who created it."},
	{"updatedBy", "Actor", NULL, ORIGIN_UPDATED_BY, "Who changed it last."},
	{"payload", "JSON!", NULL, ORIGIN_PAYLOAD, "All fields that the caller may read, by their keys."},
	{"data", "JSON!", NULL, ORIGIN_PAYLOAD, "The same as payload."},
	{"activity", "[ActivityItem!]!", "limit: Int = 50", ORIGIN_ACTIVITY, "The newest events first."},
	{"attachments", "[Attachment!]!", NULL, ORIGIN_ATTACHMENTS, "Its files."},
	{"comments", "[RecordComment!]!", "after: ID, limit: Int = 50", ORIGIN_COMMENTS, "What is said of it, the oldest first, behind the comment after."},
	{"links", "[RecordLink!]!", "cursor: String, limit: Int = 50", ORIGIN_LINKS,
	"The records that it names, and those that name it; cursor is that of the link before."},
	{"availableTransitions", "[AvailableTransition!]!", NULL, ORIGIN_TRANSITIONS, "What the caller may do next."},
};

void
build_field_name(const char *key, char *out)
{
	char		pascal[GRAPHQL_NAME_BYTES];

	graphql_camel_name(key, out);
	for (int i = 0; i < (int) lengthof(record_fields); i++)
	{
		if (strcmp(record_fields[i].name, out) != 0)
			continue;
		graphql_pascal_name(key, pascal);
		snprintf(out, GRAPHQL_NAME_BYTES, "payload%.200s", pascal);
		return;
	}
}

static void
add_record_fields(ModelBuilder *builder, FieldList *list)
{
	for (int i = 0; i < (int) lengthof(record_fields); i++)
		build_field(builder, list, record_fields[i].name, record_fields[i].type, record_fields[i].arguments,
					(GraphqlSource) {record_fields[i].origin, NULL, NULL, NULL}, record_fields[i].description);
}

/* ---- values of the payload ---- */

/* The options of a select as an enum, or NULL where they are not names of their own. */
static const char *
option_type(ModelBuilder *builder, const ModuleField *field, const char *name)
{
	JsonbValue	options;
	GraphqlEnumValue *values;
	GraphqlType *type;
	int			count;

	if (!json_member(field->definition, "options", 7, &options) || options.type != jbvBinary || !JsonContainerIsArray(options.val.binary.data))
		return NULL;
	count = JsonContainerSize(options.val.binary.data);
	values = palloc0(Max(count, 1) * sizeof(GraphqlEnumValue));
	for (int i = 0; i < count; i++)
	{
		JsonbValue *option = getIthJsonbValueFromContainer(options.val.binary.data, i);
		char	   *text = option->type == jbvString ? json_text_copy(option) :
			option->type == jbvBinary ? json_member_text(option->val.binary.data, "value") : NULL;
		char		room[GRAPHQL_NAME_BYTES];

		if (text == NULL || !graphql_enum_name(text, room))
			return NULL;
		values[i].name = (GraphqlText) {pstrdup(room), strlen(room)};
		values[i].value = text;
		for (int j = 0; j < i; j++)
			if (graphql_text_compare(values[j].name, values[i].name) == 0)
				return NULL;
	}
	if (count == 0)
		return NULL;
	type = build_type(builder, GRAPHQL_TYPE_ENUM, name, psprintf("Options of %s.", field->key));
	type->value_count = count;
	type->values = values;
	return name;
}

/* Whether the definition keeps an integer in what Int holds. */
static bool
is_int(const ModuleField *field)
{
	int32		least;
	int32		most;

	return json_member_int(field->definition, "min", &least) && json_member_int(field->definition, "max", &most);
}

static const char *nested_type(ModelBuilder *builder, const ModuleField *field, const char *name);

/* The type of a field's value as it is written; name is for one of its own. */
static const char *
value_type(ModelBuilder *builder, const ModuleField *field, const char *name)
{
	const char *own;

	switch (field->type)
	{
		case FIELD_NUMBER:
		case FIELD_PERCENTAGE:
			return "Decimal";
		case FIELD_INTEGER:
			return is_int(field) ? "Int" : "BigInt";
		case FIELD_QUANTITY:
			return "Quantity";
		case FIELD_CURRENCY:
			return "Money";
		case FIELD_DATE:
			return "Date";
		case FIELD_DATETIME:
			return "DateTime";
		case FIELD_DATE_RANGE:
			return "DateRange";
		case FIELD_BOOLEAN:
			return "Boolean";
		case FIELD_SELECT:
			own = option_type(builder, field, name);
			return own ? own : "String";
		case FIELD_TAGS:
			return "[String!]";
		case FIELD_MULTI_SELECT:
			own = option_type(builder, field, name);
			return psprintf("[%s!]", own ? own : "String");
		case FIELD_RECORD_REFERENCE:
		case FIELD_USER:
			return "ID";
		case FIELD_RECORD_REFERENCES:
		case FIELD_FILE:
		case FIELD_IMAGE:
			return "[ID!]";
		case FIELD_GEOLOCATION:
			return "GeoLocation";
		case FIELD_SIGNATURE:
			return "SignatureMark";
		case FIELD_MATRIX_SCORE:
			return "MatrixScore";
		case FIELD_TABLE:
			own = nested_type(builder, field, name);
			return own ? psprintf("[%s!]", own) : "JSON";
		case FIELD_OBJECT:
			own = nested_type(builder, field, name);
			return own ? own : "JSON";
		case FIELD_COMPUTED:
			return "JSON";
		default:
			return "String";
	}
}

static const char *
description_of(const ModuleField *field)
{
	char	   *text = json_member_text(field->definition, "description");

	return text ? text : field->label;
}

static void
deprecate(GraphqlField *field, const ModuleField *definition)
{
	if (json_member_bool(definition->definition, "deprecated", false))
		field->deprecation_reason = "The definition calls it deprecated.";
}

/* An object of the rows of a table, or of an object; NULL for one without fields. */
static const char *
nested_type(ModelBuilder *builder, const ModuleField *field, const char *name)
{
	FieldList	list = {0};
	GraphqlType *type;

	check_stack_depth();
	if (field->nested.count == 0)
		return NULL;
	type = build_type(builder, GRAPHQL_TYPE_OBJECT, name, description_of(field));
	for (int i = 0; i < field->nested.count; i++)
	{
		const ModuleField *part = &field->nested.items[i];
		char		room[GRAPHQL_NAME_BYTES];
		const char *result;

		graphql_pascal_name(part->key, room);
		result = value_type(builder, part, psprintf("%s%s", name, room));
		graphql_camel_name(part->key, room);
		deprecate(build_field(builder, &list, pstrdup(room), result, NULL, (GraphqlSource) {ORIGIN_MEMBER, NULL, NULL, part->key},
							  description_of(part)), part);
	}
	build_finish(type, &list);
	return name;
}

static const ModuleView *
find_view(const ModuleView *views, int count, const char *key)
{
	for (int i = 0; i < count; i++)
		if (strcmp(views[i].module->key, key) == 0)
			return &views[i];
	return NULL;
}

/* The type of a record that a field names: that of its module, Record of several; NULL where the caller may read none of them, or any is meant. */
static const char *
target_type(const ModuleView *views, int count, const ModuleField *field)
{
	const ModuleView *only = NULL;
	int			found = 0;

	for (int i = 0; i < field->reference_count; i++)
	{
		const ModuleView *view = find_view(views, count, field->references[i]);

		only = view ? view : only;
		found += view != NULL;
	}
	return found == 0 ? NULL : field->reference_count == 1 ? only->type_name : "Record";
}

/* One field of the payload, as one or two fields of the type. */
static void
add_payload_field(ModelBuilder *builder, const ModuleView *views, int count, ModuleView *view, const ModuleField *field)
{
	char		name[GRAPHQL_NAME_BYTES];
	char		pascal[GRAPHQL_NAME_BYTES];
	const char *target = target_type(views, count, field);
	bool		is_list = field->type == FIELD_RECORD_REFERENCES;
	const char *result;

	build_field_name(field->key, name);
	graphql_pascal_name(field->key, pascal);
	result = value_type(builder, field, psprintf("%s%s", view->type_name, pascal));
	if (field->type == FIELD_USER)
		deprecate(build_field(builder, &view->fields, pstrdup(name), "User", NULL, (GraphqlSource) {ORIGIN_USER, NULL, field->key, NULL},
							  description_of(field)), field);
	else if (target)
		deprecate(build_field(builder, &view->fields, pstrdup(name), is_list ? psprintf("[%s!]!", target) : target,
							  is_list ? psprintf("limit: Int = %d", QEHS_MAX_REFERENCES) : NULL,
							  (GraphqlSource) {ORIGIN_REFERENCE, field->reference_count == 1 ? field->references[0] : NULL, field->key, NULL},
							  description_of(field)), field);
	deprecate(build_field(builder, &view->fields, field->type == FIELD_USER || module_names_records(field->type) ?
						  psprintf("%sId%s", name, is_list ? "s" : "") : pstrdup(name),
						  result, NULL, (GraphqlSource) {ORIGIN_FIELD, NULL, field->key, NULL}, description_of(field)), field);
}

/* Records of other modules that name this one. */
static void
add_back_references(ModelBuilder *builder, const RequestContext *context, const ModuleView *views, int count, ModuleView *view)
{
	for (int i = 0; i < count; i++)
	{
		const ModuleDef *other = views[i].module;

		for (int j = 0; j < other->field_count; j++)
		{
			const ModuleField *field = &other->fields[j];
			char		pascal[GRAPHQL_NAME_BYTES];

			if (field->reference_count == 0 || !module_field_refers_to(field, view->module->key) ||
				!permission_reads_field(context, other, field, &permission_some_record))
				continue;
			graphql_pascal_name(field->key, pascal);
			build_field(builder, &view->fields, psprintf("%sBy%s", views[i].plural, pascal), psprintf("[%s!]!", views[i].type_name),
						"filter: JSON, limit: Int = 50",
						(GraphqlSource) {ORIGIN_BACK_REFERENCE, other->key, field->key, NULL},
						psprintf("%s whose field %s names this record, the newest first.", other->name, field->key));
		}
	}
}

/* ---- the module's own types ---- */

void
build_module_type(ModelBuilder *builder, ModuleView *view)
{
	char		name[GRAPHQL_NAME_BYTES];

	graphql_singular_name(view->module->key, name);
	view->type_name = pstrdup(name);
	graphql_camel_name(view->module->key, name);
	view->plural = pstrdup(name);
	view->type = build_type(builder, GRAPHQL_TYPE_OBJECT, view->type_name, psprintf("A record of %s.", view->module->name));
	add_record_fields(builder, &view->fields);
}

/* A type of JSON: its fields are members of their names. */
static void
add_json_type(ModelBuilder *builder, const char *name, const char *description, const char *const (*fields)[3], int count)
{
	GraphqlType *type = build_type(builder, GRAPHQL_TYPE_OBJECT, name, description);
	FieldList	list = {0};

	for (int i = 0; i < count; i++)
		build_field(builder, &list, fields[i][0], fields[i][1], NULL, (GraphqlSource) {ORIGIN_MEMBER, NULL, NULL, fields[i][0]}, fields[i][2]);
	build_finish(type, &list);
}

static void
add_connection(ModelBuilder *builder, const ModuleView *view)
{
	const char *const edge[][3] = {
		{"node", psprintf("%s!", view->type_name), "The record."},
		{"cursor", "String!", "Where it stands."},
	};
	const char *const connection[][3] = {
		{"edges", psprintf("[%sEdge!]!", view->type_name), "Records with their cursors."},
		{"nodes", psprintf("[%s!]!", view->type_name), "The records alone."},
		{"pageInfo", "PageInfo!", "Where the page stands."},
		{"totalCount", "Int!", "Of all pages; counted only where it is asked for."},
	};

	add_json_type(builder, psprintf("%sEdge", view->type_name), "A record of a page.", edge, lengthof(edge));
	add_json_type(builder, psprintf("%sConnection", view->type_name), "A page of records (Relay).", connection, lengthof(connection));
}

static bool
is_number(const ModuleField *field)
{
	return field->type == FIELD_NUMBER || field->type == FIELD_INTEGER || field->type == FIELD_PERCENTAGE;
}

/* The fields that a function of an aggregate may be of: numbers, and with times dates too.  Returns false without any. */
static bool
add_aggregate_values(ModelBuilder *builder, const RequestContext *context, const ModuleView *view, const char *name, bool times)
{
	FieldList	list = {0};
	GraphqlType *type;

	for (int i = 0; i < view->module->field_count; i++)
	{
		const ModuleField *field = &view->module->fields[i];
		char		room[GRAPHQL_NAME_BYTES];
		bool		is_time = field->type == FIELD_DATE || field->type == FIELD_DATETIME;

		/* a value over several records is of those who may read it of every record */
		if ((!is_number(field) && !(times && is_time)) || !permission_reads_field(context, view->module, field, NULL))
			continue;
		build_field_name(field->key, room);
		build_field(builder, &list, pstrdup(room), is_number(field) ? "Decimal" : field->type == FIELD_DATE ? "Date" : "DateTime", NULL,
					(GraphqlSource) {ORIGIN_MEMBER, NULL, field->key, field->key}, description_of(field));
	}
	if (list.count == 0)
		return false;
	type = build_type(builder, GRAPHQL_TYPE_OBJECT, name, times ? "Bounds of fields." : "Numbers of fields.");
	build_finish(type, &list);
	return true;
}

static void
add_aggregate(ModelBuilder *builder, const RequestContext *context, const ModuleView *view)
{
	const char *numbers = psprintf("%sNumbers", view->type_name);
	const char *bounds = psprintf("%sBounds", view->type_name);
	const char *fields[6][3] = {
		{"key", "JSON", "The values that its records share, by the fields of groupBy; null where nothing was grouped."},
		{"count", "Int!", "How many records."},
	};
	int			count = 2;

	if (add_aggregate_values(builder, context, view, numbers, false))
	{
		memcpy(fields[count++], ((const char *[3]) {"sum", numbers, "Sums."}), sizeof(fields[0]));
		memcpy(fields[count++], ((const char *[3]) {"avg", numbers, "Averages."}), sizeof(fields[0]));
	}
	if (add_aggregate_values(builder, context, view, bounds, true))
	{
		memcpy(fields[count++], ((const char *[3]) {"min", bounds, "The least values."}), sizeof(fields[0]));
		memcpy(fields[count++], ((const char *[3]) {"max", bounds, "The greatest values."}), sizeof(fields[0]));
	}
	add_json_type(builder, psprintf("%sAggregate", view->type_name), "Records that share what they are grouped by.",
				  (const char *const (*)[3]) fields, count);
}

static void
add_queries(ModelBuilder *builder, const ModuleView *view, FieldList *query)
{
	const char *key = view->module->key;
	const char *name = view->module->name;

	build_field(builder, query, psprintf("%sList", view->plural), psprintf("[%s!]!", view->type_name),
				"filter: JSON, orderBy: String, limit: Int = 50, offset: Int = 0, cursor: String, q: String",
				(GraphqlSource) {ORIGIN_LIST, key, NULL, NULL}, psprintf("Records of %s.", name));
	build_field(builder, query, psprintf("%sGet", view->plural), view->type_name, "id: ID!",
				(GraphqlSource) {ORIGIN_GET, key, NULL, NULL}, psprintf("A record of %s, or null where there is none.", name));
	build_field(builder, query, view->plural, psprintf("%sConnection!", view->type_name),
				"first: Int, after: String, last: Int, before: String, filter: JSON, orderBy: String, q: String",
				(GraphqlSource) {ORIGIN_CONNECTION, key, NULL, NULL}, psprintf("A page of %s.", name));
	build_field(builder, query, psprintf("%sAggregate", view->plural), psprintf("[%sAggregate!]!", view->type_name),
				"filter: JSON, groupBy: [String!], q: String", (GraphqlSource) {ORIGIN_AGGREGATE, key, NULL, NULL},
				psprintf("Counts and sums of %s: the 1,000 largest groups.", name));
}

static void
add_mutations(ModelBuilder *builder, const ModuleView *view, FieldList *mutation)
{
	static const struct
	{
		ModuleAction action;
		GraphqlOrigin origin;
		const char *verb;
		const char *arguments;
		const char *description;
		const char *result;		/* NULL: the record */
	}			rows[] = {
		{ACTION_CREATE, ORIGIN_CREATE, "Create", "payload: JSON, data: JSON, workflowState: String", "Creates a record; data is another name of payload.", NULL},
		{ACTION_UPDATE, ORIGIN_UPDATE, "Update", "id: ID!, payload: JSON, data: JSON, comment: String, ifVersion: Int",
		"Merges a payload into a record (RFC 7396).", NULL},
		{ACTION_READ, ORIGIN_TRANSITION, "Transition",
			"id: ID!, transition: String!, payload: JSON, data: JSON, comment: String, signature: JSON, ifVersion: Int",
		"Moves a record along a transition of its workflow; signature is {meaning, credential}.", NULL},
		{ACTION_READ, ORIGIN_APPROVE, "Approve", "id: ID!, transition: String!, comment: String, signature: JSON, ifVersion: Int",
		"Approves a transition for the caller; the last approval fires it.", NULL},
		{ACTION_READ, ORIGIN_REJECT, "Reject", "id: ID!, transition: String!, comment: String, signature: JSON, ifVersion: Int",
		"Rejects a transition for the caller.", NULL},
		{ACTION_DELETE, ORIGIN_DELETE, "Delete", "id: ID!, ifVersion: Int", "Deletes a record softly, and gives its id.", "ID"},
		{ACTION_DELETE, ORIGIN_RESTORE, "Restore", "id: ID!", "Restores a deleted record.", NULL},
		{ACTION_COMMENT, ORIGIN_COMMENT, "Comment", "id: ID!, body: String!, parentId: ID",
		"Says something of a record, as an answer to the comment parentId or as a new thread.", "RecordComment"},
		{ACTION_COMMENT, ORIGIN_DELETE_COMMENT, "DeleteComment", "id: ID!", "Takes back a comment, and gives its id; its place in the thread stays.", "ID"},
	};
	bool		approves = false;

	for (int i = 0; i < view->module->transition_count; i++)
		approves |= view->module->transitions[i].step_count > 0;
	for (int i = 0; i < (int) lengthof(rows); i++)
		if ((view->actions & rows[i].action) && (approves || (rows[i].origin != ORIGIN_APPROVE && rows[i].origin != ORIGIN_REJECT)))
			build_field(builder, mutation, psprintf("%s%s", view->plural, rows[i].verb), rows[i].result ? rows[i].result : view->type_name,
						rows[i].arguments, (GraphqlSource) {rows[i].origin, view->module->key, NULL, NULL}, rows[i].description);
}

void
build_module_fields(ModelBuilder *builder, const RequestContext *context, ModuleView *views, int count, ModuleView *view, FieldList *query,
					FieldList *mutation)
{
	const ModuleDef *module = view->module;

	for (int i = 0; i < module->field_count; i++)
		if (permission_reads_field(context, module, &module->fields[i], &permission_some_record))
			add_payload_field(builder, views, count, view, &module->fields[i]);
	add_back_references(builder, context, views, count, view);
	build_finish(view->type, &view->fields);
	add_connection(builder, view);
	add_aggregate(builder, context, view);
	add_queries(builder, view, query);
	if (context->scopes & SCOPE_RECORDS_WRITE)
		add_mutations(builder, view, mutation);
}
