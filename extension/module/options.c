/*
 * options.c
 *	  Checking the options of a field, whatever its type.
 *
 * Patterns and raw schemas are compiled here alone, so that a fault names its
 * place in the definition; the whole schema is compiled when it is published.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/zone.h"
#include "miscadmin.h"
#include "module/check.h"
#include "module/definition.h"
#include "module/index.h"
#include "module/locale.h"
#include "module/members.h"
#include "schema/jsonschema.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define OF(type) (UINT64CONST(1) << FIELD_##type)
#define LINES (OF(TEXT) | OF(EMAIL) | OF(PHONE) | OF(URL) | OF(IDENTIFIER) | OF(LOOKUP) | OF(LOCATION))
#define TIMES (OF(DATE) | OF(DATETIME) | OF(DURATION))
#define IDS (OF(RECORD_REFERENCE) | OF(USER))
#define NUMBERS (OF(NUMBER) | OF(INTEGER) | OF(PERCENTAGE))
#define LENGTHS (LINES | OF(RICH_TEXT) | TIMES | IDS | OF(TAGS))
#define RECORDS (OF(RECORD_REFERENCE) | OF(RECORD_REFERENCES))
#define LIMITED (NUMBERS | OF(QUANTITY) | OF(CURRENCY))

/* Which types an option is for: elsewhere it would be ignored. */
static const struct
{
	const char *option;
	uint64		types;
}			uses[] = {
	{"options", OF(SELECT) | OF(MULTI_SELECT)},
	{"ordered", OF(SELECT)},
	{"min", LIMITED},
	{"max", LIMITED},
	{"step", LIMITED},
	{"minLength", LENGTHS},
	{"maxLength", LENGTHS},
	{"pattern", LENGTHS},
	{"unit", NUMBERS | OF(QUANTITY) | OF(COMPUTED)},
	{"units", OF(QUANTITY)},
	{"comparators", OF(QUANTITY)},
	{"timeZone", OF(DATETIME)},
	{"unique", LINES | TIMES | OF(TIME) | IDS | NUMBERS | OF(SELECT) | OF(COMPUTED)},
	{"searchable", LINES | OF(RICH_TEXT) | OF(SELECT) | OF(MULTI_SELECT) | OF(TAGS) | OF(COMPUTED) | OF(TABLE) | OF(OBJECT)},
	{"references", RECORDS},
	{"acyclic", RECORDS},
	{"onDelete", RECORDS},
	{"mediaTypes", OF(FILE) | OF(IMAGE) | OF(SIGNATURE)},
	{"maxSizeBytes", OF(FILE) | OF(IMAGE) | OF(SIGNATURE)},
	{"size", OF(MATRIX_SCORE)},
	{"bands", OF(MATRIX_SCORE)},
	{"fields", OF(TABLE) | OF(OBJECT)},
	{"computed", OF(COMPUTED)},
	{"expression", OF(COMPUTED)},
	{"readOnly", ~OF(COMPUTED)},
	{"writeOnce", ~OF(COMPUTED)},
	{"required", ~OF(COMPUTED)},
	{"requiredWhen", ~OF(COMPUTED)},
};

bool
definition_type_takes(FieldType type, const char *option)
{
	for (int i = 0; i < (int) lengthof(uses); i++)
		if (strcmp(uses[i].option, option) == 0)
			return (uses[i].types & (UINT64CONST(1) << type)) != 0;
	return true;
}

/* An option that is for other types; one that says no is none. */
static void
check_uses(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	for (int i = 0; i < (int) lengthof(uses); i++)
	{
		JsonbValue	value;

		if (json_member(field, uses[i].option, strlen(uses[i].option), &value) &&
			!(value.type == jbvBool && !value.val.boolean) && !(uses[i].types & (UINT64CONST(1) << type)))
			violation_add(faults, psprintf("%s/%s", path, uses[i].option), "type", "is not for fields of type %s",
						  module_field_types[type].name);
	}
}

static void
check_numbers(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"min", "max", "step"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!json_member(field, names[i], strlen(names[i]), &value))
			continue;
		if (value.type != jbvNumeric)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be a number");
		else if (i == 2 && !DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(value.val.numeric),
															 DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))))
			violation_add(faults, psprintf("%s/%s", path, names[i]), "range", "must be above 0");
	}
}

static void
check_lengths(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"minLength", "maxLength"};
	JsonbValue	value;
	int32		length;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (json_member(field, names[i], strlen(names[i]), &value) &&
			(!json_member_int(field, names[i], &length) || length < 0))
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be an integer of at least 0");
	if (definition_max_length(type) > 0 && !json_member(field, "maxLength", 9, &value) &&
		json_member_int(field, "minLength", &length) && length > definition_max_length(type))
		violation_add(faults, psprintf("%s/minLength", path), "range", "must not be greater than the %d characters of its type",
					  definition_max_length(type));
}

static void
check_flags(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"required", "unique", "indexed", "searchable", "deprecated", "ordered", "acyclic", "readOnly",
	"writeOnce", "personalData"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
		if (json_member(field, names[i], strlen(names[i]), &value) && value.type != jbvBool)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be true or false");
}

static void
check_texts(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const names[] = {"unit", "pattern"};
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!json_member(field, names[i], strlen(names[i]), &value))
			continue;
		if (value.type != jbvString)
			violation_add(faults, psprintf("%s/%s", path, names[i]), "type", "must be a string");
		else if (i == 0 && (value.val.string.len < 1 || value.val.string.len > QEHS_UNIT_LENGTH))
			violation_add(faults, psprintf("%s/unit", path), "length", "must be 1 to %d bytes", QEHS_UNIT_LENGTH);
	}
}

/* "references": the key of a module, or several. */
static void
check_referenced(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count = 0;

	if (!json_member(field, "references", 10, &value) || value.type == jbvString)
		return;
	path = psprintf("%s/references", path);
	if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		count = JsonContainerSize(value.val.binary.data);
	if (count == 0 || count > QEHS_MAX_REFERENCED)
		violation_add(faults, path, "type", "must be the key of a module, or an array of 1 to %d", QEHS_MAX_REFERENCED);
	for (uint32 i = 0; count <= QEHS_MAX_REFERENCED && i < count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(value.val.binary.data, i);

		if (item->type != jbvString)
			violation_add(faults, psprintf("%s/%u", path, i), "type", "must be the key of a module");
		for (uint32 j = 0; j < i; j++)
			if (json_values_equal(item, getIthJsonbValueFromContainer(value.val.binary.data, j)))
				violation_add_first(faults, psprintf("%s/%u", path, i), "unique", "is listed twice");
	}
}

/* Texts without white space, as the codes of UCUM are, so that a list can be dropped for any unit later. */
static bool
is_unit(const JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len < 1 || value->val.string.len > QEHS_UNIT_LENGTH)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
		if ((unsigned char) value->val.string.val[i] <= ' ' || value->val.string.val[i] == 0x7f)
			return false;
	return true;
}

/* An entry of a list: its text and where it stands. */
typedef struct Entry
{
	char	   *text;
	uint32		index;
} Entry;

static int
compare_entries(const void *left, const void *right)
{
	const Entry *a = left;
	const Entry *b = right;
	int			order = strcmp(a->text, b->text);

	return order ? order : a->index < b->index ? -1 : 1;
}

/* "options" or "units": texts, or objects with a text as member "value" and perhaps a label, no value twice. */
static void
check_list(const JsonbContainer *field, const char *list, uint32 most, const char *path, ViolationList *faults)
{
	bool		units = strcmp(list, "units") == 0;
	JsonbValue	value;
	Entry	   *entries;
	uint32		count = 0;
	uint32		known = 0;

	path = psprintf("%s/%s", path, list);
	if (json_member(field, list, strlen(list), &value) && value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		count = JsonContainerSize(value.val.binary.data);
	if (count == 0 || count > most)
	{
		violation_add(faults, path, count == 0 ? "required" : "maxItems", "must be an array of 1 to %u %s", most, list);
		return;
	}
	entries = palloc(sizeof(Entry) * count);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *entry = getIthJsonbValueFromContainer(value.val.binary.data, i);
		const JsonbContainer *object = entry->type == jbvBinary && JsonContainerIsObject(entry->val.binary.data) ?
			entry->val.binary.data : NULL;
		JsonbValue	text = *entry;

		CHECK_FOR_INTERRUPTS();
		if ((object && !json_member(object, "value", 5, &text)) || text.type != jbvString || text.val.string.len > QEHS_OPTION_BYTES)
			violation_add(faults, psprintf("%s/%u", path, i), "type", "must be a string of at most %d bytes, or an object with"
						  " such a member \"value\"", QEHS_OPTION_BYTES);
		else if (units && !is_unit(&text))
			violation_add(faults, psprintf("%s/%u", path, i), "pattern", "must be 1 to %d bytes without white space", QEHS_UNIT_LENGTH);
		else
			entries[known++] = (Entry) {json_text_copy(&text), i};
		if (object)
		{
			members_check(object, option_members, psprintf("%s/%u", path, i), faults);
			label_check(object, psprintf("%s/%u", path, i), faults);
		}
	}
	qsort(entries, known, sizeof(Entry), compare_entries);
	for (uint32 i = 1; i < known; i++)
		if (strcmp(entries[i].text, entries[i - 1].text) == 0)
			violation_add(faults, psprintf("%s/%u", path, entries[i].index), "unique", "is listed twice");
}

/* A time zone of the IANA database, and none that is an offset, which others write with the opposite sign. */
static void
check_zone(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (json_member(field, "timeZone", 8, &value) && (value.type != jbvString || !time_zone_find(json_text_copy(&value))))
		violation_add(faults, psprintf("%s/timeZone", path), "format", "must be a time zone of the IANA database, such as Europe/Berlin");
}

/* Codes of FHIR's Quantity.comparator: between what bounds the true value lies. */
static void
check_comparators(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	static const char *const known[] = {"<", "<=", ">=", ">"};
	JsonbValue	value;

	if (!json_member(field, "comparators", 11, &value))
		return;
	check_list(field, "comparators", QEHS_MAX_COMPARATORS, path, faults);
	for (uint32 i = 0; value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data) && i < JsonContainerSize(value.val.binary.data); i++)
	{
		const JsonbValue *item = getIthJsonbValueFromContainer(value.val.binary.data, i);
		bool		found = false;

		for (int j = 0; j < (int) lengthof(known); j++)
			found = found || json_text_is(item, known[j]);
		if (!found)
			violation_add_first(faults, psprintf("%s/comparators/%u", path, i), "enum", "must be one of <, <=, >=, >");
	}
}

/* The options of a choice; the unit of a quantity, or the list of its units, or neither for any unit. */
static void
check_lists(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (type == FIELD_SELECT || type == FIELD_MULTI_SELECT)
		check_list(field, "options", QEHS_MAX_OPTIONS, path, faults);
	if (type != FIELD_QUANTITY)
		return;
	if (json_member(field, "unit", 4, &value) && value.type == jbvString && !is_unit(&value))
		violation_add(faults, psprintf("%s/unit", path), "pattern", "must be 1 to %d bytes without white space", QEHS_UNIT_LENGTH);
	if (!json_member(field, "units", 5, &value))
		return;
	if (json_member_text(field, "unit"))
		violation_add(faults, psprintf("%s/units", path), "type", "cannot stand beside \"unit\"");
	else
		check_list(field, "units", QEHS_MAX_UNITS, path, faults);
}

/* Is it type/subtype, or a type with any subtype, of tokens (RFC 9110 section 5.6.2)? */
static bool
is_media_type(const char *text)
{
	static const char token[] = "!#$%&'+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t		type = strspn(text, token);
	const char *subtype = text + type + 1;

	return type > 0 && text[type] == '/' && strlen(text) <= QEHS_MEDIA_TYPE_LENGTH &&
		(strcmp(subtype, "*") == 0 || (*subtype && subtype[strspn(subtype, token)] == '\0'));
}

void
check_media_types(const JsonbContainer *object, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count = 0;

	if (!json_member(object, "mediaTypes", 10, &value))
		return;
	if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		count = JsonContainerSize(value.val.binary.data);
	if (count == 0 || count > QEHS_MAX_MEDIA_TYPES)
	{
		violation_add(faults, psprintf("%s/mediaTypes", path), count == 0 ? "required" : "maxItems", "must be an array of 1 to %d media types",
					  QEHS_MAX_MEDIA_TYPES);
		return;
	}
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(value.val.binary.data, i);

		if (item->type != jbvString || !is_media_type(json_text_copy(item)))
			violation_add(faults, psprintf("%s/mediaTypes/%u", path, i), "format", "must be a media type such as image/png or image/*");
	}
}

/* Which files a field takes. */
static void
check_media(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (json_member(field, "maxSizeBytes", 12, &value) &&
		(value.type != jbvNumeric || !DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(value.val.numeric),
			DirectFunctionCall2(numeric_trunc, NumericGetDatum(value.val.numeric), Int32GetDatum(0)))) ||
		 !DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(value.val.numeric), DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))) ||
		 !DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(value.val.numeric),
			DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MAX))))))
		violation_add(faults, psprintf("%s/maxSizeBytes", path), "type", "must be an integer of at least 1");
	check_media_types(field, path, faults);
}

/* A schema that cannot be checked, whatever the value (one that refers to itself without end), would refuse every record. */
static void
check_samples(const Schema *schema, const char *at, ViolationList *faults)
{
	static const char *const samples[] = {"null", "true", "0", "\"\"", "[]", "{}"};

	for (int i = 0; i < (int) lengthof(samples); i++)
	{
		const char *fault = NULL;

		schema_holds(schema, DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(samples[i]))), &fault);
		if (fault == NULL)
			continue;
		violation_add(faults, at, "schema", "cannot be checked: %s", fault);
		return;
	}
}

/* Add the faults of a schema; at is where it stands in the definition, prefix what stands before it in the document. */
static void
check_schema(Jsonb *schema, const char *at, const char *prefix, ViolationList *faults)
{
	SchemaOptions options = {.assert_formats = true, .lookup = jsonschema_find_registered};
	SchemaErrors errors;
	Schema	   *compiled;

	schema_errors_init(&errors);
	compiled = schema_compile(schema, &options, CurrentMemoryContext, &errors);
	if (compiled)
	{
		check_samples(compiled, at, faults);
		schema_free(compiled);
	}
	for (int i = 0; i < errors.count && compiled == NULL; i++)
	{
		const char *place = errors.items[i].instance_location;

		if (strncmp(place, prefix, strlen(prefix)) == 0)
			place += strlen(prefix);
		violation_add(faults, psprintf("%s%s", at, place), errors.items[i].keyword, "%s", errors.items[i].message);
	}
}

static void
check_pattern(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	StringInfoData schema;
	JsonbValue	value;

	if (!json_member(field, "pattern", 7, &value) || value.type != jbvString)
		return;
	initStringInfo(&schema);
	json_literal(&schema, "{\"pattern\":");
	json_jsonb_value(&schema, &value);
	appendStringInfoChar(&schema, '}');
	check_schema(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(schema.data))),
				 psprintf("%s/pattern", path), "/pattern", faults);
}

static void
check_fragment(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(field, "schema", 6, &value))
		return;
	if (value.type != jbvBool && (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data)))
		violation_add(faults, psprintf("%s/schema", path), "type", "must be an object or a boolean");
	else
		check_schema(json_value_to_jsonb(&value), psprintf("%s/schema", path), "", faults);
}

/* Types whose value is the server's, or another one in each record, take no default. */
static void
check_default(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(field, "default", 7, &value))
		return;
	if (type == FIELD_COMPUTED)
		violation_add(faults, psprintf("%s/default", path), "computed", "cannot be set for a computed field");
	else if (type == FIELD_IDENTIFIER || json_member_bool(field, "unique", false))
		violation_add(faults, psprintf("%s/default", path), "unique", "cannot be set for a field that is unique");
	else if (value.type == jbvString && definition_default_variable(field) == NULL &&
			 (json_text_is(&value, "$today") || json_text_is(&value, "$now") || json_text_is(&value, "$user")))
		violation_add(faults, psprintf("%s/default", path), "type", "must be of the field's type: $today is a date, $now a datetime, $user a user");
}

/* Who may write a field, whatever roles say: the server alone, or whoever is first. */
static void
check_kept(const JsonbContainer *field, int depth, const char *path, ViolationList *faults)
{
	bool		read_only = json_member_bool(field, "readOnly", false);
	bool		write_once = json_member_bool(field, "writeOnce", false);
	JsonbValue	value;

	if ((read_only || write_once) && depth > 0)
		violation_add(faults, psprintf("%s/%s", path, read_only ? "readOnly" : "writeOnce"), "type", "cannot be set below a table or object");
	if (read_only && write_once)
		violation_add(faults, psprintf("%s/writeOnce", path), "type", "cannot stand beside \"readOnly\"");
	if (read_only && (json_member(field, "requiredWhen", 12, &value) ||
					  (json_member_bool(field, "required", false) && !json_member(field, "default", 7, &value))))
		violation_add(faults, psprintf("%s/readOnly", path), "required", "is for fields that are not required, or have a default: nobody could fill it");
}

/* What becomes of a reference whose record is to be deleted, in the terms of SQL; without it the record goes, and the reference stays. */
static void
check_on_delete(const JsonbContainer *field, int depth, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(field, "onDelete", 8, &value))
		return;
	if (!json_text_is(&value, "restrict"))
		violation_add(faults, psprintf("%s/onDelete", path), "enum", "must be \"restrict\"");
	if (depth > 0)
		violation_add_first(faults, psprintf("%s/onDelete", path), "type", "cannot be set below a table or object");
}

void
definition_check_options(const JsonbContainer *field, FieldType type, int depth, const char *path, ViolationList *faults)
{
	check_uses(field, type, path, faults);
	check_numbers(field, path, faults);
	check_lengths(field, type, path, faults);
	check_flags(field, path, faults);
	check_texts(field, path, faults);
	check_referenced(field, path, faults);
	check_lists(field, type, path, faults);
	check_comparators(field, path, faults);
	check_zone(field, path, faults);
	check_media(field, path, faults);
	check_pattern(field, path, faults);
	check_fragment(field, path, faults);
	check_default(field, type, path, faults);
	check_kept(field, depth, path, faults);
	check_on_delete(field, depth, path, faults);
	if (depth > 0 && json_member_bool(field, "unique", false))
		violation_add(faults, psprintf("%s/unique", path), "unique", "cannot be set below a table or object");
	if (depth > 0 && json_member_bool(field, "personalData", false))
		violation_add(faults, psprintf("%s/personalData", path), "type", "cannot be set below a table or object: the whole of it is erased");
	if (depth > 0 && json_member_bool(field, "acyclic", false))
		violation_add(faults, psprintf("%s/acyclic", path), "type", "cannot be set below a table or object");
	if (depth > 0 && json_member_bool(field, "searchable", false))
		violation_add(faults, psprintf("%s/searchable", path), "searchable",
					  "cannot be true below a table or object: say it of the whole, and false of what is left out");
	if (depth == 0 && (type == FIELD_TABLE || type == FIELD_OBJECT) && json_member_bool(field, "searchable", false) &&
		!index_searches(field, false))
		violation_add(faults, psprintf("%s/searchable", path), "searchable", "cannot be true of a %s without a text that is searched",
					  type == FIELD_TABLE ? "table" : "object");
	if (depth > 0 && type == FIELD_IDENTIFIER)
		violation_add(faults, psprintf("%s/type", path), "unique", "cannot be \"identifier\" below a table or object");
}
