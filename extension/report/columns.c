/*
 * columns.c
 *	  What a field becomes in a view: columns with SQL types, names and comments.
 *
 * text, email, lookup …	x text
 * number, integer …		x numeric; a quantity x_unit too, a currency x_currency, a matrix x_band,
 *							x_likelihood and x_severity
 * date, datetime			x date, timestamptz; a date range x_from and x_to
 * duration					x interval (a month is 30 days)
 * boolean					x boolean
 * select, multi-select		x text, text[] with the keys and x_label, x_labels text with what people read
 * reference, user			x_id uuid, and x_code or x_name; a list of references x_ids uuid[] and x_codes text, and a view of its own
 * file, image				x_count integer
 * geolocation				x_lat, x_lon numeric
 * object, signature		x jsonb; a table is a view of its own
 *
 * The functions payload_… read NULL where a value has another type than the
 * field's, as older records may, and raise no errors.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "module/locale.h"
#include "report/report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

/* A text of at most this many characters is whole in its slot (QEHS_TEXT_SLOT_BYTES of UTF-8). */
#define WHOLE_CHARACTERS (QEHS_TEXT_SLOT_BYTES / 4)

static const char *const slot_columns[QEHS_SLOTS] = {"r.t1", "r.t2", "r.t3", "r.t4", "r.t5", "r.t6", "r.n1", "r.n2", "r.n3", "r.n4",
"r.d1", "r.d2", "r.d3", "r.d4"};

/* Where values stand: members of the record's payload, or of a row of its table. */
typedef struct Place
{
	const ModuleDef *module;
	const char *object;			/* "r.payload", "e.row" */
	bool		nested;			/* fields of rows have one key in all versions */
	bool		is_current;
	bool		with_slots;
	const ModuleField *top;		/* of a nested one, the table */
} Place;

ReportColumn *
report_find(List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		ReportColumn *column = lfirst(cell);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

void
report_write_name(char *out, const char *name, const char *suffix)
{
	int			length = strlen(name);
	int			room = NAMEDATALEN - 1 - strlen(suffix);

	if (length > room)
		length = pg_mbcliplen(name, length, room);
	snprintf(out, NAMEDATALEN, "%.*s%s", length, name, suffix);
}

List *
report_add(List *columns, const char *name, const char *type, const char *comment, const char *sql)
{
	ReportColumn *column = palloc0(sizeof(ReportColumn));

	report_write_name(column->wanted, name, "");
	strlcpy(column->name, column->wanted, NAMEDATALEN);
	for (int i = 2; report_find(columns, column->name); i++)
		report_write_name(column->name, name, psprintf("_%d", i));
	column->suffix = column->wanted;
	column->type = type;
	column->comment = comment;
	column->sql = sql;
	return lappend(columns, column);
}

/* Name of who has the id that the expression is. */
static const char *
name_of(int32 tenant_id, const char *id)
{
	return psprintf("qehs.report_name(%d, %s)", tenant_id, id);
}

/* The display code of the live record that has the id, as far as the login may read its module. */
static const char *
code_of(int32 tenant_id, const char *id)
{
	return psprintf("(SELECT qehs.display_code(m.display_prefix, x.display_no) FROM qehs.record AS x JOIN qehs.module AS m"
					" ON m.tenant_id = %d AND m.id = x.module_id WHERE x.tenant_id = %d AND x.id = %s AND x.deleted_at IS NULL"
					" AND x.module_id = ANY ((SELECT qehs.report_modules(%d))::pg_catalog.int4[]))", tenant_id, tenant_id, id, tenant_id);
}

/* A field by a format that has its key as the one %s. */
static const char *
read_field(const Place *place, const ModuleField *field, const char *format)
{
	const char *sql = place->nested ? psprintf(format, field->key) : module_field_sql(field, "r.", format);

	if (!place->is_current)
		sql = psprintf("CASE WHEN r.definition_version <= %d THEN %s END", place->module->version, sql);
	return sql;
}

/* What a login may not read is NULL; asked once a query. */
static const char *
guard(const Place *place, const ModuleField *field, const char *sql)
{
	const ModuleDef *module = place->module;

	if (place->nested || report_is_open(module, field))
		return sql;
	return psprintf("CASE WHEN (SELECT qehs.report_reads(%d, %d, %d, %s)) THEN %s END", module->tenant_id, module->module_id,
					module->version, quote_literal_cstr(field->key), sql);
}

/* The slot of a field that has its whole value, or NULL. */
static const char *
slot_of(const Place *place, const ModuleField *field)
{
	int32		length;

	if (!place->with_slots || place->nested || field->slot < 0)
		return NULL;
	if (field->kind == VALUE_TEXT && (!json_member_int(field->definition, "maxLength", &length) || length > WHOLE_CHARACTERS))
		return NULL;
	return slot_columns[field->slot];
}

/* A call of one of the functions that read a payload. */
static const char *
call(const Place *place, const ModuleField *field, const char *function, const char *below, int type)
{
	return read_field(place, field, type < 0 ? psprintf("qehs.%s(%s, '%%s%s')", function, place->object, below) :
					  psprintf("qehs.%s(%s, '%%s%s', %d)", function, place->object, below, type));
}

static const char *
text_of(const Place *place, const ModuleField *field, const char *below)
{
	return call(place, field, "payload_text", below, *below ? FIELD_TEXT : field->value_type);
}

static const char *
number_of(const Place *place, const ModuleField *field, const char *below)
{
	return call(place, field, "payload_number", below, *below ? FIELD_NUMBER : field->value_type);
}

/* What the expression's value is called, by labels of type text: value, label, value, label …; itself where there are none. */
static const char *
labelled(const char *sql, const List *labels)
{
	Datum	   *texts = palloc(sizeof(Datum) * Max(list_length(labels), 1));
	int			count = 0;
	ListCell   *cell;

	if (labels == NIL)
		return sql;
	foreach(cell, labels)
		texts[count++] = CStringGetTextDatum(lfirst(cell));
	return psprintf("qehs.report_label(%s, %s)", sql, quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT,
		PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT)))));
}

/* What the value of a choice is called. */
static const char *
label_of(const ModuleField *field, const char *sql)
{
	List	   *labels = NIL;
	JsonbValue	options;

	if (json_member(field->definition, "options", 7, &options) && options.type == jbvBinary)
	{
		for (uint32 i = 0; i < JsonContainerSize(options.val.binary.data); i++)
		{
			JsonbValue *option = getIthJsonbValueFromContainer(options.val.binary.data, i);
			char	   *label = option->type == jbvBinary ? label_default(option->val.binary.data) : NULL;
			char	   *value = option->type == jbvBinary ? json_member_text(option->val.binary.data, "value") : NULL;

			if (label && value)
				labels = lappend(lappend(labels, value), label);
		}
	}
	return labelled(sql, labels);
}

/* Add a column of the field. */
static List *
add(List *columns, const Place *place, const ModuleField *field, const char *suffix, const char *type, const char *about, const char *sql)
{
	const char *label = field->label ? field->label : field->key;
	ReportColumn *column;

	columns = report_add(columns, psprintf("%s%s", field->key, suffix), type, *about ? psprintf("%s: %s", label, about) : label,
						 guard(place, field, sql));
	column = llast(columns);
	column->field = field;
	column->suffix = suffix;
	return columns;
}

static List *
add_choice(List *columns, const Place *place, const ModuleField *field)
{
	const char *slot = slot_of(place, field);
	const char *sql = slot ? slot : psprintf("%s COLLATE \"C\"", text_of(place, field, ""));

	columns = add(columns, place, field, "", "text", "", sql);
	return add(columns, place, field, "_label", "text", "as people read it", psprintf("(%s) COLLATE \"default\"", label_of(field, sql)));
}

static List *
add_list(List *columns, const Place *place, const ModuleField *field)
{
	const char *sql = call(place, field, "payload_list", "", -1);

	if (field->type == FIELD_FILE || field->type == FIELD_IMAGE)
		return add(columns, place, field, "_count", "integer", "number of files", psprintf("pg_catalog.cardinality(%s)", sql));
	if (field->type == FIELD_RECORD_REFERENCES)
	{
		columns = add(columns, place, field, "_ids", "uuid[]", "ids", psprintf("(SELECT pg_catalog.array_agg(qehs.id_uuid(o.v) ORDER BY o.n)"
			" FROM pg_catalog.unnest(%s) WITH ORDINALITY AS o (v, n))", sql));
		return add(columns, place, field, "_codes", "text", "display codes", psprintf("(SELECT pg_catalog.string_agg(%s, ', ' ORDER BY o.n)"
			" FROM pg_catalog.unnest(%s) WITH ORDINALITY AS o (v, n))", code_of(place->module->tenant_id, "qehs.id_uuid(o.v)"), sql));
	}
	columns = add(columns, place, field, "", "text[]", "", sql);
	if (field->type == FIELD_TAGS)
		return columns;
	return add(columns, place, field, "_labels", "text", "as people read them",
			   psprintf("(SELECT pg_catalog.string_agg(%s, ', ' ORDER BY o.n) FROM pg_catalog.unnest(%s) WITH ORDINALITY AS o (v, n))",
						label_of(field, "o.v"), sql));
}

static List *
add_id(List *columns, const Place *place, const ModuleField *field)
{
	const char *slot = slot_of(place, field);
	const char *id = psprintf("qehs.id_uuid(%s)", slot ? slot : text_of(place, field, ""));

	columns = add(columns, place, field, "_id", "uuid", "id", id);
	if (field->value_type == FIELD_USER)
		return add(columns, place, field, "_name", "text", "name", name_of(place->module->tenant_id, id));
	return add(columns, place, field, "_code", "text", "display code", code_of(place->module->tenant_id, id));
}

static List *
add_number(List *columns, const Place *place, const ModuleField *field)
{
	const char *slot = slot_of(place, field);

	columns = add(columns, place, field, "", "numeric", "", slot ? slot : number_of(place, field, ""));
	if (field->type == FIELD_QUANTITY)
	{
		columns = add(columns, place, field, "_unit", "text", "unit", text_of(place, field, ".unit"));
		if (field->has_comparators)
			columns = add(columns, place, field, "_comparator", "text", "how the true value compares", text_of(place, field, ".comparator"));
	}
	else if (field->type == FIELD_CURRENCY)
		columns = add(columns, place, field, "_currency", "text", "currency (ISO 4217)", text_of(place, field, ".currency"));
	else if (field->type == FIELD_MATRIX_SCORE)
	{
		columns = add(columns, place, field, "_band", "text", "band", text_of(place, field, ".band"));
		columns = add(columns, place, field, "_likelihood", "numeric", "likelihood", number_of(place, field, ".likelihood"));
		columns = add(columns, place, field, "_severity", "numeric", "severity", number_of(place, field, ".severity"));
	}
	return columns;
}

static List *
add_time(List *columns, const Place *place, const ModuleField *field)
{
	const char *slot = slot_of(place, field);
	const char *sql = slot ? slot : call(place, field, "payload_time", "", field->value_type);

	if (field->value_type == FIELD_DATETIME)
		return add(columns, place, field, "", "timestamp with time zone", "", sql);
	return add(columns, place, field, "", "date", "", psprintf("qehs.utc_day(%s)", sql));
}

static List *
add_object(List *columns, const Place *place, const ModuleField *field)
{
	if (field->type == FIELD_DATE_RANGE)
	{
		columns = add(columns, place, field, "_from", "date", "first day",
					  psprintf("qehs.utc_day(%s)", call(place, field, "payload_time", ".from", FIELD_DATE)));
		return add(columns, place, field, "_to", "date", "last day",
				   psprintf("qehs.utc_day(%s)", call(place, field, "payload_time", ".to", FIELD_DATE)));
	}
	if (field->type == FIELD_GEOLOCATION)
	{
		columns = add(columns, place, field, "_lat", "numeric", "latitude (WGS 84)", number_of(place, field, ".lat"));
		return add(columns, place, field, "_lon", "numeric", "longitude (WGS 84)", number_of(place, field, ".lon"));
	}
	return add(columns, place, field, "", "jsonb", "", read_field(place, field, psprintf("%s -> '%%s'", place->object)));
}

static List *
add_field(List *columns, const Place *place, const ModuleField *field)
{
	const char *slot = slot_of(place, field);

	switch (field->kind)
	{
		case VALUE_TEXT:
			return add(columns, place, field, "", "text", "", slot ? slot : psprintf("%s COLLATE \"C\"", text_of(place, field, "")));
		case VALUE_ID:
			return add_id(columns, place, field);
		case VALUE_BOOLEAN:
			return add(columns, place, field, "", "boolean", "", psprintf("%s = 'true'", slot ? slot : text_of(place, field, "")));
		case VALUE_OPTION:
			return add_choice(columns, place, field);
		case VALUE_NUMBER:
			return add_number(columns, place, field);
		case VALUE_TIME:
			return add_time(columns, place, field);
		case VALUE_DURATION:
			return add(columns, place, field, "", "interval", "a month is 30 days",
					   psprintf("(SELECT pg_catalog.make_interval(secs => (n / 1000000)::pg_catalog.float8) FROM (SELECT %s) AS s (n) WHERE n < 1e17)",
								number_of(place, field, "")));
		case VALUE_TIME_OF_DAY:
			return add(columns, place, field, "", "time", "",
					   psprintf("pg_catalog.make_time(0, 0, 0) + (SELECT pg_catalog.make_interval(secs => (%s / 1000000)::pg_catalog.float8))",
								slot_of(place, field) ? slot_of(place, field) : number_of(place, field, "")));
		case VALUE_LIST:
			return add_list(columns, place, field);
		default:
			return field->type == FIELD_TABLE ? columns : add_object(columns, place, field);
	}
}

/* Add the fields of a list in the order of the definition that they were written in. */
static List *
add_fields(List *columns, const Place *place, const ModuleFields *fields, const JsonbContainer *definition)
{
	JsonbValue	list;

	if (!json_member(definition, "fields", 6, &list) || list.type != jbvBinary)
		return columns;
	for (uint32 i = 0; i < JsonContainerSize(list.val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(list.val.binary.data, i);
		char	   *key = json_member_text(item->val.binary.data, "key");
		const ModuleField *field = module_fields_find(fields, key, strlen(key));

		if (field)
			columns = add_field(columns, place, field);
	}
	return columns;
}

/* The state as people read it; a state without a label, or of an older version, by its name. */
static const char *
state_label(const ModuleDef *module)
{
	List	   *labels = NIL;

	for (int i = 0; i < module->state_count; i++)
	{
		char	   *label = label_state(&module->definition->root, module->states[i]);

		if (label)
			labels = lappend(lappend(labels, unconstify(char *, module->states[i])), label);
	}
	return psprintf("%s COLLATE \"default\"", labelled("r.workflow_state", labels));
}

List *
report_columns(const ModuleDef *module, bool is_current, bool with_slots)
{
	const Place place = {.module = module, .object = "r.payload", .is_current = is_current, .with_slots = with_slots};
	int32		tenant_id = module->tenant_id;
	List	   *columns = NIL;

	columns = report_add(columns, "id", "uuid", "Id of the record", "r.id");
	columns = report_add(columns, "display_code", "text", "Display code",
						 psprintf("qehs.display_code(%s, r.display_no)", quote_literal_cstr(module->prefix)));
	columns = report_add(columns, "workflow_state", "text", "Workflow state", "r.workflow_state COLLATE \"C\"");
	columns = report_add(columns, "workflow_state_label", "text", "Workflow state: as people read it", state_label(module));
	columns = report_add(columns, "created_at", "timestamp with time zone", "When the record was created", "r.created_at");
	columns = report_add(columns, "created_by_id", "uuid", "Id of who created it", "r.created_by");
	columns = report_add(columns, "created_by_name", "text", "Name of who created it", name_of(tenant_id, "r.created_by"));
	columns = report_add(columns, "updated_at", "timestamp with time zone", "When it was changed last", "r.updated_at");
	columns = report_add(columns, "updated_by_name", "text", "Name of who changed it last", name_of(tenant_id, "r.updated_by"));
	columns = report_add(columns, "version", "integer", "Version of the record", "r.version");
	columns = report_add(columns, "definition_version", "integer", "Version of the module's definition that it was written against",
						 "r.definition_version");
	columns = report_add(columns, "due_at", "timestamp with time zone", "When it is due to leave its state", "r.due_at");
	return add_fields(columns, &place, &module->all, &module->definition->root);
}

/* The id and the display code of an element of a list of references. */
static List *
add_named(List *columns, const Place *place, const ModuleField *field)
{
	static const char *const id = "qehs.id_uuid(e.row #>> '{}')";

	columns = add(columns, place, field, "_id", "uuid", "id", id);
	return add(columns, place, field, "_code", "text", "display code", code_of(place->module->tenant_id, id));
}

List *
report_row_columns(const ModuleDef *module, const ModuleField *table)
{
	const Place place = {.module = module, .object = "e.row", .nested = true, .is_current = true};
	List	   *columns = NIL;

	columns = report_add(columns, "record_id", "uuid", "Id of the record", "r.id");
	columns = report_add(columns, "display_code", "text", "Display code of the record",
						 psprintf("qehs.display_code(%s, r.display_no)", quote_literal_cstr(module->prefix)));
	columns = report_add(columns, "row_no", "bigint", "Number of the row, from 1", "e.n");
	if (table->type == FIELD_RECORD_REFERENCES)
		return add_named(columns, &place, table);
	return add_fields(columns, &place, &table->nested, table->definition);
}

const char *
report_rows(const ModuleDef *module, const ModuleField *table, bool is_current)
{
	const Place place = {.module = module, .object = "r.payload", .is_current = is_current};
	const char *sql = read_field(&place, table, "r.payload -> '%s'");

	return guard(&place, table, psprintf("CASE pg_catalog.jsonb_typeof(%s) WHEN 'array' THEN %s END", sql, sql));
}
