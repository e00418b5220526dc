/*
 * model.c
 *	  The schema of a tenant as a caller sees it, made from its definitions and
 *	  kept until one of them changes.
 *
 * What a caller sees follows from roles, scopes and modules of its key: two callers
 * with the same share a schema.  Types and fields that the caller may read of no
 * record are not in it, so introspection does not tell of them.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/sha256.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "graphql/build.h"
#include "graphql/names.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct ModelKey
{
	int32		tenant_id;
	uint32		scopes;
	uint8		digest[32];		/* of roles and modules, and who may do everything */
} ModelKey;

static Cache models = {"graphql schema", sizeof(ModelKey), WATCH_MODULE, NULL};

static KeptPlan select_modules = {
	"SELECT key FROM qehs.module WHERE tenant_id = $1 ORDER BY key", 1, {INT4OID}, NULL
};

static KeptPlan select_introspection = {
	"SELECT graphql_introspection FROM qehs.tenant WHERE id = $1", 1, {INT4OID}, NULL
};

/* Who sees the same as this caller. */
static void
make_key(const RequestContext *context, ModelKey *key)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%d\n%d\n", permission_is_administrator(context), context->module_count);
	for (int i = 0; i < context->role_count; i++)
		appendStringInfo(&text, "%s\n", context->roles[i]);
	for (int i = 0; i < context->module_count; i++)
		appendStringInfo(&text, "\t%s\n", context->modules[i]);
	memset(key, 0, sizeof(*key));
	key->tenant_id = context->tenant_id;
	key->scopes = context->scopes;
	sha256_bytes(text.data, text.len, key->digest);
	pfree(text.data);
}

/* Whether the tenant's callers are told the schema. */
static bool
has_introspection(int32 tenant_id)
{
	Datum		values[1] = {Int32GetDatum(tenant_id)};
	bool		isnull;
	bool		result;

	SPI_connect();
	result = plan_execute_latest(&select_introspection, values, NULL, 1) == 0 || DatumGetBool(plan_value(0, 1, &isnull));
	SPI_finish();
	return result;
}

/* The modules that the caller may read some record of. */
static ModuleView *
read_views(const RequestContext *context, MemoryContext memory, int *count)
{
	Datum		values[1] = {Int32GetDatum(context->tenant_id)};
	ModuleView *views;
	uint64		rows;
	bool		isnull;

	*count = 0;
	SPI_connect();
	rows = plan_execute_latest(&select_modules, values, NULL, 0);
	views = MemoryContextAllocZero(memory, Max(rows, 1) * sizeof(ModuleView));
	for (uint64 i = 0; i < rows; i++)
		views[i].plural = MemoryContextStrdup(memory, TextDatumGetCString(plan_value(i, 1, &isnull)));
	SPI_finish();
	for (uint64 i = 0; i < rows; i++)
	{
		const ModuleDef *module = module_lookup(context->tenant_id, views[i].plural);
		uint32		actions = module ? permission_actions(context, module, &permission_some_record) : 0;

		if (!(actions & ACTION_READ))
			continue;
		views[*count].module = module;
		views[(*count)++].actions = actions;
	}
	return views;
}

static int
compare_types(const void *a, const void *b)
{
	return graphql_text_compare((*(GraphqlType *const *) a)->name, (*(GraphqlType *const *) b)->name);
}

/* The interfaces of records, of which all modules' types are. */
static GraphqlType *
add_interfaces(ModelBuilder *builder, ModuleView *views, int count, const FieldList *fields)
{
	GraphqlType *node = build_type(builder, GRAPHQL_TYPE_INTERFACE, "Node", "What has an id (Relay).");
	GraphqlType *record = build_type(builder, GRAPHQL_TYPE_INTERFACE, "Record", "A record of whatever module.");
	const GraphqlType **possible = palloc(Max(count, 1) * sizeof(GraphqlType *));
	const GraphqlType **both = palloc(2 * sizeof(GraphqlType *));
	FieldList	id = {0};

	both[0] = record;
	both[1] = node;
	build_field(builder, &id, "id", "ID!", NULL, (GraphqlSource) {ORIGIN_ID, NULL, NULL, NULL}, "The id.");
	build_finish(node, &id);
	build_finish(record, fields);
	record->interface_count = 1;
	record->interfaces = both + 1;
	for (int i = 0; i < count; i++)
	{
		possible[i] = views[i].type;
		views[i].type->interface_count = 2;
		views[i].type->interfaces = both;
	}
	node->possible_count = record->possible_count = count;
	node->possible = record->possible = possible;
	return record;
}

static void
add_root_fields(ModelBuilder *builder, FieldList *query, bool has_records)
{
	if (has_records)
	{
		GraphqlType *page = build_type(builder, GRAPHQL_TYPE_OBJECT, "RecordPage", "A page of records.");
		FieldList	fields = {0};

		build_field(builder, &fields, "items", "[Record!]!", NULL, (GraphqlSource) {ORIGIN_MEMBER, NULL, NULL, "items"}, "The records.");
		build_field(builder, &fields, "nextCursor", "String", NULL, (GraphqlSource) {ORIGIN_MEMBER, NULL, NULL, "nextCursor"},
					"The cursor of what follows, or null.");
		build_finish(page, &fields);
		build_field(builder, query, "records", "RecordPage!", "moduleKey: String!, filter: JSON, sort: String, limit: Int = 50, cursor: String, q: String",
					(GraphqlSource) {ORIGIN_RECORDS, NULL, NULL, NULL}, "Records of a module.");
		build_field(builder, query, "node", "Node", "id: ID!", (GraphqlSource) {ORIGIN_NODE, NULL, NULL, NULL}, "A record of whatever module.");
	}
	build_field(builder, query, "me", "Caller!", NULL, (GraphqlSource) {ORIGIN_ME, NULL, NULL, NULL}, "Who asks.");
	build_field(builder, query, "activeTenant", "Tenant!", NULL, (GraphqlSource) {ORIGIN_TENANT, NULL, NULL, NULL}, "The tenant of the key.");
	build_field(builder, query, "myTenants", "[Tenant!]!", NULL, (GraphqlSource) {ORIGIN_TENANTS, NULL, NULL, NULL}, "The same, as a list.");
	build_field(builder, query, "modules", "[Module!]!", NULL, (GraphqlSource) {ORIGIN_MODULES, NULL, NULL, NULL}, "Modules that the caller may read.");
}

/* Fields with two underscores, which no list of fields shows. */
static void
add_meta_fields(ModelBuilder *builder, GraphqlSchema *schema)
{
	FieldList	list = {0};

	build_field(builder, &list, "__schema", "__Schema!", NULL, (GraphqlSource) {ORIGIN_SCHEMA, NULL, NULL, NULL}, NULL);
	build_field(builder, &list, "__type", "__Type", "name: String!", (GraphqlSource) {ORIGIN_TYPE, NULL, NULL, NULL}, NULL);
	build_field(builder, &list, "__typename", "String!", NULL, (GraphqlSource) {ORIGIN_TYPENAME, NULL, NULL, NULL}, NULL);
	schema->schema_field = list.items;
	schema->type_field = list.items + 1;
	schema->typename_field = list.items + 2;
}

/* Keys and types of the modules, copied: the views' definitions may go before the schema does. */
static void
keep_modules(GraphqlModel *model, const ModuleView *views, int count)
{
	const char **keys = palloc(Max(count, 1) * sizeof(char *));
	const GraphqlType **types = palloc(Max(count, 1) * sizeof(GraphqlType *));

	for (int i = 0; i < count; i++)
	{
		keys[i] = pstrdup(views[i].module->key);
		types[i] = views[i].type;
	}
	model->module_count = count;
	model->module_keys = keys;
	model->module_types = types;
}

/* Build a schema in the current memory context. */
static GraphqlModel *
build_model(const RequestContext *context, ModuleView *views, int count)
{
	static uint64 serial = 0;
	GraphqlModel *model = palloc0(sizeof(GraphqlModel));
	ModelBuilder builder = {0};
	FieldList	query = {0};
	FieldList	mutation = {0};
	FieldList	common = {0};
	GraphqlType *query_type;

	model->serial = ++serial;
	build_static_types(&builder);
	if (count > 0)
		build_type(&builder, GRAPHQL_TYPE_OBJECT, "RecordLink", "A record that another one names in a field.");
	for (int i = 0; i < count; i++)
		build_module_type(&builder, &views[i]);
	if (count > 0)
	{
		common.items = palloc(views[0].fields.count * sizeof(GraphqlField));
		common.count = views[0].fields.count;
		memcpy(common.items, views[0].fields.items, common.count * sizeof(GraphqlField));
		model->record = add_interfaces(&builder, views, count, &common);
		build_link_fields(&builder);
	}
	query_type = build_type(&builder, GRAPHQL_TYPE_OBJECT, "Query", "What can be read.");
	add_root_fields(&builder, &query, count > 0);
	for (int i = 0; i < count; i++)
		build_module_fields(&builder, context, views, count, &views[i], &query, &mutation);
	build_finish(query_type, &query);
	model->schema.query = query_type;
	if (mutation.count > 0)
	{
		GraphqlType *type = build_type(&builder, GRAPHQL_TYPE_OBJECT, "Mutation", "What can be changed; one after the other, in one transaction.");

		build_finish(type, &mutation);
		model->schema.mutation = type;
	}
	add_meta_fields(&builder, &model->schema);
	model->schema.directives = build_directives(&builder, &model->schema.directive_count);
	qsort(builder.types, builder.type_count, sizeof(GraphqlType *), compare_types);
	model->schema.type_count = builder.type_count;
	model->schema.types = (const GraphqlType *const *) builder.types;
	keep_modules(model, views, count);
	return model;
}

const GraphqlModel *
graphql_model(const RequestContext *context)
{
	ModelKey	key;
	GraphqlModel *model;
	CacheFill	fill;
	MemoryContext caller;
	ModuleView *views;
	bool		introspection;
	int			count;

	make_key(context, &key);
	if ((model = cache_find(&models, &key)) != NULL)
		return model;
	fill = cache_begin();
	views = read_views(context, CurrentMemoryContext, &count);
	introspection = has_introspection(context->tenant_id);
	caller = MemoryContextSwitchTo(fill.memory);
	model = build_model(context, views, count);
	if (!introspection)
		model->schema.schema_field = model->schema.type_field = NULL;
	MemoryContextSwitchTo(caller);
	cache_keep(&models, &fill, &key, context->tenant_id, model, 0);
	return model;
}

const GraphqlType *
graphql_model_type(const GraphqlModel *model, const char *module_key)
{
	for (int i = 0; i < model->module_count; i++)
		if (strcmp(model->module_keys[i], module_key) == 0)
			return model->module_types[i];
	return NULL;
}

/* Two fields of one name in a type. */
static void
check_fields(const GraphqlType *type, ViolationList *faults)
{
	for (int i = 0; i < type->field_count; i++)
		for (int j = 0; j < i; j++)
			if (graphql_text_compare(type->fields[i].name, type->fields[j].name) == 0)
			{
				violation_add(faults, "/fields", "name", "give GraphQL two fields \"%.*s\" of type \"%.*s\": two keys, or two modules, are too alike",
							  (int) type->fields[i].name.length, type->fields[i].name.data, (int) type->name.length, type->name.data);
				return;
			}
}

void
graphql_check_names(int32 tenant_id, const char *key, ViolationList *faults)
{
	RequestContext everything = {.tenant_id = tenant_id,.actor_type = ACTOR_SYSTEM,.scopes = SCOPE_ALL,.module_count = -1};
	GraphqlModel *model;
	ModuleView *views;
	int			count;

	views = read_views(&everything, CurrentMemoryContext, &count);
	model = build_model(&everything, views, count);
	for (int i = 0; i < model->schema.type_count; i++)
	{
		const GraphqlType *type = model->schema.types[i];

		if (i > 0 && graphql_text_compare(type->name, model->schema.types[i - 1]->name) == 0)
			violation_add(faults, "/key", "name", "gives GraphQL a second type \"%.*s\": the key \"%s\", or a field's, is too like another",
						  (int) type->name.length, type->name.data, key);
		check_fields(type, faults);
	}
}
