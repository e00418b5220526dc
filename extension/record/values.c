/*
 * values.c
 *	  Checking what a JSON Schema cannot say: requiredWhen and visibleWhen, the
 *	  order of a range, currencies, users and records that a payload names.
 *
 * A table's rows and an object's members are checked as the payload itself is;
 * their expressions see the row or the object as $.  An id that the record held
 * in the same field before stays allowed: who may change a record need not be
 * able to read all that it names.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "permission/location.h"
#include "record/attached.h"
#include "record/check.h"
#include "record/cycle.h"
#include "record/value.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

/* An object that is checked: the payload, a row or a nested object. */
typedef struct Place
{
	const ModuleFields *fields;
	const JsonbContainer *object;
	int			length;			/* bytes of object */
	Jsonb	   *document;		/* the same for expressions; NULL until one needs it */
	List	   *before;			/* JsonbContainer: what stood in this place, all rows of it */
	const char *path;
} Place;

static void check_object(const PayloadCheck *check, Place *place);

static bool
holds(const PayloadCheck *check, Place *place, JsonPath *expression)
{
	if (place->document == NULL)
	{
		JsonbValue	value = {.type = jbvBinary};

		value.val.binary.data = unconstify(JsonbContainer *, place->object);
		value.val.binary.len = place->length;
		place->document = json_value_to_jsonb(&value);
	}
	return guard_is_true(check->guard, expression, place->document);
}

static void
check_range(const PayloadCheck *check, const JsonbContainer *range, const char *path)
{
	char	   *from = json_member_text(range, "from");
	char	   *to = json_member_text(range, "to");

	TimestampTz time;

	/* full dates compare as text; others the schema has refused */
	if (from && to && json_date_parse(from, strlen(from), &time) && json_date_parse(to, strlen(to), &time) && strcmp(from, to) > 0)
		violation_add(check->violations, psprintf("%s/to", path), "range_order", "must not be before \"from\"");
}

/* An amount as numeric; false when it has more than 15 digits or 4 decimals, or (*shaped false) is none, which the schema has refused. */
static bool
read_amount(const JsonbValue *amount, Datum *number, bool *shaped)
{
	char	   *text = amount->type == jbvNumeric ?
		DatumGetCString(DirectFunctionCall1(numeric_out, DirectFunctionCall1(numeric_trim_scale,
																			 NumericGetDatum(amount->val.numeric)))) :
		json_text_copy(amount);
	int			sign = *text == '-';
	int			digits = strspn(text + sign, "0123456789");
	int			decimals = text[sign + digits] == '.' ? (int) strspn(text + sign + digits + 1, "0123456789") : -1;

	*shaped = digits > 0 && decimals != 0 && text[sign + digits + 1 + decimals] == '\0';
	if (!*shaped || digits > 15 || decimals > 4)
		return false;
	*number = DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

/* An amount that is a string meets the limits that the schema holds a number to. */
static void
check_limits(const PayloadCheck *check, const ModuleField *field, Datum amount, const char *path)
{
	static const struct
	{
		const char *option;
		const char *keyword;
		const char *message;
	}			limits[] = {
		{"min", "minimum", "must be at least %s"},
		{"max", "maximum", "must be at most %s"},
		{"step", "multipleOf", "must be a multiple of %s"},
	};
	Datum		zero = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));

	for (int i = 0; i < (int) lengthof(limits); i++)
	{
		JsonbValue	limit;
		Datum		left = amount;
		Datum		right;

		if (!json_member(field->definition, limits[i].option, strlen(limits[i].option), &limit) || limit.type != jbvNumeric)
			continue;
		right = NumericGetDatum(limit.val.numeric);
		if (i == 2)
			left = DirectFunctionCall2(numeric_mod, amount, right);
		if (i == 2 ? DatumGetBool(DirectFunctionCall2(numeric_ne, left, zero)) :
			DatumGetBool(DirectFunctionCall2(i == 0 ? numeric_lt : numeric_gt, left, right)))
			violation_add(check->violations, psprintf("%s/amount", path), limits[i].keyword, limits[i].message,
						  DatumGetCString(DirectFunctionCall1(numeric_out, right)));
	}
}

static void
check_currency(const PayloadCheck *check, const ModuleField *field, const JsonbContainer *money, const char *path)
{
	char	   *code = json_member_text(money, "currency");
	JsonbValue	amount;
	Datum		number;
	bool		shaped;

	if (json_member(money, "amount", 6, &amount) && (amount.type == jbvNumeric || amount.type == jbvString))
	{
		if (read_amount(&amount, &number, &shaped))
		{
			if (amount.type == jbvString)
				check_limits(check, field, number, path);
		}
		else if (shaped && amount.type == jbvNumeric)
			violation_add(check->violations, psprintf("%s/amount", path), "pattern", "must be a number of at most 15 digits and 4 decimals");
	}
	/* other shapes the schema has refused */
	if (code && strlen(code) == 3 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 && !currency_is_known(code, 3))
		violation_add(check->violations, psprintf("%s/currency", path), "currency", "must be a currency code of ISO 4217");
}

/* Whether the record had the value in the field, or in the list that the field is. */
static bool
held_before(const Place *place, const ModuleField *field, const JsonbValue *value)
{
	ListCell   *cell;

	foreach(cell, place->before)
	{
		JsonbValue	old;

		if (!json_member(lfirst(cell), field->key, field->key_length, &old))
			continue;
		if (json_values_equal(&old, value) || (old.type == jbvBinary && value->type == jbvString && JsonContainerIsArray(old.val.binary.data) &&
			findJsonbValueFromContainer(old.val.binary.data, JB_FARRAY, unconstify(JsonbValue *, value))))
			return true;
	}
	return false;
}

/* The record that is named must not lead back to this one. */
static void
check_chain(const PayloadCheck *check, const ModuleField *field, const pg_uuid_t *id, const char *path)
{
	CycleOutcome outcome = cycle_look(check->module, field, id, check->record_id);

	if (outcome == CYCLE_FOUND)
		violation_add(check->violations, path, "cycle", "must not lead back to the record itself");
	else if (outcome == CYCLE_TOO_DEEP)
		violation_add(check->violations, path, "cycle", "must not begin a chain of more than %d records", QEHS_CYCLE_DEPTH);
}

/* A user must be one of the tenant and active; a record must live and be readable by the caller. */
static void
check_id(const PayloadCheck *check, const Place *place, const ModuleField *field, const JsonbValue *value, const char *path)
{
	bool		is_user = field->type == FIELD_USER;
	pg_uuid_t	id;
	int32		tenant_id = check->context->tenant_id;
	const ModuleDef *module;
	const char *key;
	const char *modules = NULL;
	CodeOutcome outcome;

	if (value->type != jbvString || held_before(place, field, value))
		return;					/* the schema has refused what is no text */
	if (!id_parse(value->val.string.val, value->val.string.len, is_user ? QEHS_ID_USER : QEHS_ID_RECORD, &id))
	{
		if (is_user)
			return;
		/* what is left of a display code (fill.c); the schema has refused what is no code */
		outcome = named_record_of_code(check->context, field, value->val.string.val, value->val.string.len, &id, &modules);
		named_code_fault(check->violations, path, field, outcome, modules);
		return;
	}
	if (is_user)
	{
		if (!named_user_is_active(tenant_id, &id))
			violation_add(check->violations, path, "not_found", "names no active user");
		return;
	}
	key = named_record_module(tenant_id, check->module, &id);
	module = key ? module_lookup(tenant_id, key) : NULL;
	/* what may not be read looks like what does not exist */
	if (module == NULL || !named_may_read(check->context, module, &id))
		violation_add(check->violations, path, "not_found", "names no record");
	else if (!module_field_refers_to(field, key))
		violation_add(check->violations, path, "references", "must name a record of module %s", named_modules(field));
	else if (field->acyclic && check->record_id)
		check_chain(check, field, &id, path);
}

/* A location must be one of the tenant's, if the tenant has any: then it is a key of its tree, and else a text. */
static void
check_location(const PayloadCheck *check, const Place *place, const ModuleField *field, const JsonbValue *value, const char *path)
{
	int32		tenant_id = check->context->tenant_id;

	if (value->type == jbvString && location_is_used(tenant_id) && !held_before(place, field, value) &&
		!location_exists(tenant_id, value->val.string.val, value->val.string.len))
		violation_add(check->violations, path, "not_found", "names no location");
}

List *
payload_nested_before(const List *before, const ModuleField *field)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, before)
	{
		JsonbValue	old;

		if (!json_member(lfirst(cell), field->key, field->key_length, &old) || old.type != jbvBinary)
			continue;
		if (JsonContainerIsObject(old.val.binary.data))
			result = lappend(result, old.val.binary.data);
		for (uint32 i = 0; JsonContainerIsArray(old.val.binary.data) && i < JsonContainerSize(old.val.binary.data); i++)
		{
			JsonbValue *row = getIthJsonbValueFromContainer(old.val.binary.data, i);

			if (row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data))
				result = lappend(result, row->val.binary.data);
		}
	}
	return result;
}

static void
check_rows(const PayloadCheck *check, const Place *place, const ModuleField *field, const JsonbContainer *rows,
		   const char *path)
{
	List	   *before = payload_nested_before(place->before, field);
	uint32		count = JsonContainerSize(rows);

	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, rows), i);

		CHECK_FOR_INTERRUPTS();
		if (row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data))
		{
			Place		inner = {&field->nested, row->val.binary.data, row->val.binary.len, NULL, before,
			psprintf("%s/%u", path, i)};

			check_object(check, &inner);
		}
	}
}

/* A number that has more digits than a slot keeps. */
static void
check_digits(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, const char *path)
{
	const char *compared = module_compared_member(field->type);
	JsonbValue	member;

	if (field->kind != VALUE_NUMBER)
		return;
	if (compared && value->type == jbvBinary && json_member(value->val.binary.data, compared, strlen(compared), &member))
	{
		value = &member;
		path = psprintf("%s/%s", path, compared);
	}
	/* four digits take two bytes */
	if (value->type == jbvNumeric && VARSIZE_ANY(value->val.numeric) > QEHS_NUMBER_DIGITS / 2)
		violation_add_first(check->violations, path, "maxDigits", "must have at most %d significant digits", QEHS_NUMBER_DIGITS - 20);
}

static void
check_value(const PayloadCheck *check, const Place *place, const ModuleField *field, const JsonbValue *value, const char *path)
{
	const JsonbContainer *container = value->type == jbvBinary ? value->val.binary.data : NULL;

	check_digits(check, field, value, path);
	if (module_takes_attachments(field->type))
		attached_check(check, field, value, place->before, path);
	else if (field->type == FIELD_USER || field->type == FIELD_RECORD_REFERENCE)
		check_id(check, place, field, value, path);
	else if (field->type == FIELD_RECORD_REFERENCES)
	{
		for (uint32 i = 0; container && JsonContainerIsArray(container) && i < JsonContainerSize(container); i++)
			check_id(check, place, field, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, container), i), psprintf("%s/%u", path, i));
	}
	else if (field->type == FIELD_LOCATION)
		check_location(check, place, field, value, path);
	else if (field->type == FIELD_TABLE)
	{
		if (container && JsonContainerIsArray(container))
			check_rows(check, place, field, container, path);
	}
	else if (container == NULL || !JsonContainerIsObject(container))
		return;
	else if (field->type == FIELD_DATE_RANGE)
		check_range(check, container, path);
	else if (field->type == FIELD_CURRENCY)
		check_currency(check, field, container, path);
	else if (field->type == FIELD_OBJECT)
	{
		Place		inner = {&field->nested, container, value->val.binary.len, NULL, payload_nested_before(place->before, field), path};

		check_object(check, &inner);
	}
}

/* A hidden value is not checked, but for what kind of value it is: the field may be shown again. */
static void
check_hidden(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, const char *path)
{
	const char *wanted = NULL;

	if (!value_has_shape(field->type, value, &wanted))
		violation_add(check->violations, path, "type", "must be %s, hidden as the field is now; null removes it", wanted);
}

/* Whether a text that is required shows nothing, but for what the schema says of an empty one and one of white space. */
static bool
is_blank_text(const ModuleField *field, const JsonbValue *value)
{
	return field->required && field->kind == VALUE_TEXT && value->type == jbvString && value->val.string.len > 0 &&
		value_is_empty(field->type, value);
}

static void
check_object(const PayloadCheck *check, Place *place)
{
	check_stack_depth();
	for (int i = 0; i < place->fields->count; i++)
	{
		const ModuleField *field = &place->fields->items[i];
		JsonbValue	value;

		if (!field->checked)
			continue;
		if (!json_member(place->object, field->key, field->key_length, &value))
			value.type = jbvNull;
		if (field->visible_when && !holds(check, place, field->visible_when))
		{
			if (value.type != jbvNull)
				check_hidden(check, field, &value, psprintf("%s/%s", place->path, field->key));
			continue;
		}
		if (value.type != jbvNull)
			check_value(check, place, field, &value, psprintf("%s/%s", place->path, field->key));
		if ((field->required && field->visible_when && value.type == jbvNull) || is_blank_text(field, &value) ||
			(field->required_when && value_is_empty(field->type, &value) && holds(check, place, field->required_when)))
			violation_add_first(check->violations, psprintf("%s/%s", place->path, field->key), "required", "is required");
	}
}

void
payload_check_values(const PayloadCheck *check, Jsonb *payload)
{
	Place		place = {&check->module->all, &payload->root, VARSIZE(payload) - VARHDRSZ, payload, NIL, "/payload"};

	if (check->before)
		place.before = list_make1(unconstify(JsonbContainer *, &check->before->root));
	check_object(check, &place);
}

void
payload_check_value(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, const char *path)
{
	Place		place = {0};

	check_value(check, &place, field, value, path);
}

bool
payload_is_hidden(const PayloadCheck *check, Jsonb *payload, const char *path, const ModuleField **innermost)
{
	Place		place = {&check->module->all, &payload->root, VARSIZE(payload) - VARHDRSZ, payload, NIL, path};

	*innermost = NULL;
	while (*place.path == '/')
	{
		const char *key = place.path + 1;
		int			length = strcspn(key, "/");
		const ModuleField *field = module_fields_find(place.fields, key, length);
		JsonbValue	value;

		if (field == NULL)
			return false;
		*innermost = field;
		if (field->visible_when && !holds(check, &place, field->visible_when))
			return true;
		place.path = key + length;
		if (field->nested.count == 0 || !json_member(place.object, key, length, &value) || value.type != jbvBinary)
			return false;
		if (JsonContainerIsArray(value.val.binary.data))
		{
			unsigned long row = strtoul(place.path + (*place.path == '/'), NULL, 10);
			JsonbValue *element = getIthJsonbValueFromContainer(value.val.binary.data, Min(row, PG_UINT32_MAX));

			if (element == NULL || *place.path != '/')
				return false;
			place.path += 1 + strcspn(place.path + 1, "/");
			value = *element;
		}
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			return false;
		place.fields = &field->nested;
		place.object = value.val.binary.data;
		place.length = value.val.binary.len;
		place.document = NULL;
	}
	return false;
}
