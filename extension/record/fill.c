/*
 * fill.c
 *	  What the server writes into a payload: defaults, matrix scores, computed
 *	  values, ids in the form of the wire, and refusing other ones from the client.
 *
 * Inside a table or object the expressions see the row or the object as $.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/zone.h"
#include "calendar/calendar.h"
#include "miscadmin.h"
#include "record/check.h"
#include "record/value.h"
#include "utils/builtins.h"

static Jsonb *fill_object(const PayloadCheck *check, const ModuleFields *fields, Jsonb *object, const JsonbContainer *patched);

/* A jsonb as a value to push. */
static void
value_of(Jsonb *source, JsonbValue *value)
{
	JsonbToJsonbValue(source, value);
	if (JsonContainerIsScalar(value->val.binary.data))
		JsonbExtractScalar(value->val.binary.data, value);
}

/* A copy of an object with those members set that have a value, and without the computed ones when drop says so. */
static Jsonb *
with_members(Jsonb *object, const ModuleFields *fields, Jsonb **values, bool drop)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const ModuleField *field;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		field = drop ? module_fields_find(fields, key.val.string.val, key.val.string.len) : NULL;
		if (field && field->computed)
			continue;
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	/* a later twin wins */
	for (int i = 0; i < fields->count; i++)
	{
		if (values[i] == NULL)
			continue;
		key.type = jbvString;
		key.val.string.val = unconstify(char *, fields->items[i].key);
		key.val.string.len = fields->items[i].key_length;
		value_of(values[i], &value);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static Jsonb *
with_integer(Jsonb *object, const char *key, int32 number)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(number)));
	return json_with_member(object, key, strlen(key), &value);
}

/* The matrix with its score and band, which are computed; NULL when a factor is not there. */
static Jsonb *
scored_matrix(const ModuleField *field, const JsonbValue *value)
{
	const JsonbContainer *matrix = value->val.binary.data;
	int32		likelihood;
	int32		severity;
	int			band = 0;
	JsonbValue	name = {.type = jbvString};
	Jsonb	   *result = json_value_to_jsonb(value);

	if (!json_member_int(matrix, "likelihood", &likelihood) || !json_member_int(matrix, "severity", &severity) ||
		likelihood < 1 || likelihood > field->matrix_size || severity < 1 || severity > field->matrix_size)
		return NULL;
	while (band < field->band_count - 1 && likelihood * severity > field->bands[band].max)
		band++;
	name.val.string.val = unconstify(char *, field->bands[band].name);
	name.val.string.len = strlen(field->bands[band].name);
	/* a member that it must not have stays, for the schema to refuse */
	result = with_integer(result, "likelihood", likelihood);
	result = with_integer(result, "severity", severity);
	return json_with_member(with_integer(result, "score", likelihood * severity), "band", 4, &name);
}

/* The rows of a table, each filled. */
static Jsonb *
fill_rows(const PayloadCheck *check, const ModuleFields *fields, const JsonbContainer *rows)
{
	JsonbParseState *state = NULL;
	uint32		count = JsonContainerSize(rows);

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue	row = *getIthJsonbValueFromContainer(unconstify(JsonbContainer *, rows), i);

		CHECK_FOR_INTERRUPTS();
		if (row.type == jbvBinary && JsonContainerIsObject(row.val.binary.data))
			value_of(fill_object(check, fields, json_value_to_jsonb(&row), NULL), &row);
		pushJsonbValue(&state, WJB_ELEM, &row);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Reads an id of what a field names, or the display code of a record; returns false if it is neither. */
static bool
read_named(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, pg_uuid_t *id)
{
	const char *modules;

	if (value->type != jbvString)
		return false;
	return id_parse(value->val.string.val, value->val.string.len, module_id_prefix(field->type), id) ||
		(module_names_records(field->type) && named_record_of_code(check->context, field, value->val.string.val, value->val.string.len, id, &modules) == CODE_FOUND);
}

/* Returns an id in its canonical form, so that it compares and is found in whichever form the client sent it, or NULL if it has that form or is no id. */
static Jsonb *
canonical_id(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value)
{
	char		text[QEHS_ID_LENGTH + 1];
	JsonbValue	canonical = {.type = jbvString, .val.string = {QEHS_ID_LENGTH, text}};
	pg_uuid_t	id;

	if (!read_named(check, field, value, &id))
		return NULL;
	id_format(&id, module_id_prefix(field->type), text);
	return json_values_equal(value, &canonical) ? NULL : json_value_to_jsonb(&canonical);
}

static Jsonb *
canonical_ids(const PayloadCheck *check, const ModuleField *field, const JsonbContainer *array)
{
	JsonbParseState *state = NULL;
	JsonbValue *array_value;
	bool		changed = false;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue	element = *getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), i);
		Jsonb	   *canonical = canonical_id(check, field, &element);

		changed |= canonical != NULL;
		if (canonical)
			value_of(canonical, &element);
		pushJsonbValue(&state, WJB_ELEM, &element);
	}
	array_value = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return changed ? JsonbValueToJsonb(array_value) : NULL;
}

char *
value_complete_time(int32 tenant_id, const ModuleField *field, const char *text, int length)
{
	const char *zone = field->time_zone;

	if (!time_zone_is_missing(text, length))
		return NULL;
	if (zone == NULL)
		zone = calendar_zone_name(tenant_id);
	return zone ? time_zone_complete(zone, text, length) : NULL;
}

/* Returns a local time as value_complete_time completes it, or NULL if it stays as it is. */
static Jsonb *
completed_time(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value)
{
	char	   *text = value_complete_time(check->context->tenant_id, field, value->val.string.val, value->val.string.len);
	JsonbValue	complete = {.type = jbvString};

	if (text == NULL)
		return NULL;
	complete.val.string.val = text;
	complete.val.string.len = strlen(text);
	return json_value_to_jsonb(&complete);
}

/* What a value becomes; NULL: it stays.  patched is the object that it was before a patch, or NULL. */
static Jsonb *
filled(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, const JsonbContainer *patched)
{
	const JsonbContainer *inner = value->type == jbvBinary ? value->val.binary.data : NULL;

	if (!field->fills)
		return NULL;
	if (module_id_prefix(field->type))
		return inner && JsonContainerIsArray(inner) ? canonical_ids(check, field, inner) : canonical_id(check, field, value);
	if (field->type == FIELD_DATETIME && value->type == jbvString)
		return completed_time(check, field, value);
	if (inner == NULL)
		return NULL;
	if (field->type == FIELD_MATRIX_SCORE && JsonContainerIsObject(inner))
		return scored_matrix(field, value);
	if (field->type == FIELD_OBJECT && JsonContainerIsObject(inner))
		return fill_object(check, &field->nested, json_value_to_jsonb(value), patched);
	if (field->type == FIELD_TABLE && JsonContainerIsArray(inner))
		return fill_rows(check, &field->nested, inner);
	return NULL;
}

Jsonb *
payload_fill_value(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value)
{
	Jsonb	   *result = filled(check, field, value, NULL);

	return result ? result : json_value_to_jsonb(value);
}

Jsonb *
record_fill_unique(const RequestContext *context, const ModuleDef *module, const ModuleUnique *unique, Jsonb *payload)
{
	PayloadCheck check = {.context = context,.module = module};

	for (int i = 0; i < unique->field_count; i++)
	{
		const ModuleField *field = unique->fields[i];
		JsonbValue	value;
		Jsonb	   *result = json_member(&payload->root, field->key, field->key_length, &value) ? filled(&check, field, &value, NULL) : NULL;

		if (result == NULL)
			continue;
		value_of(result, &value);
		payload = json_with_member(payload, field->key, field->key_length, &value);
	}
	return payload;
}

Jsonb *
payload_default(const PayloadCheck *check, const ModuleField *field)
{
	JsonbValue	value;

	if (field->default_value == NULL)
		return NULL;
	value_of(field->default_value, &value);
	/* who is no user has none */
	if (field->default_variable && (!json_member(&guard_variables(check->guard)->root, field->default_variable, strlen(field->default_variable), &value) ||
									value.type == jbvNull))
		return NULL;
	return payload_fill_value(check, field, &value);
}

/*
 * The same for what an object has of a field, or lacks.  An object that was there before
 * a patch gets no defaults: a patch changes what it names, and null removes it (RFC 7396).
 */
static Jsonb *
filled_member(const PayloadCheck *check, const ModuleField *field, Jsonb *object, const JsonbContainer *patched)
{
	JsonbValue	value;
	JsonbValue	old;

	if (json_member(&object->root, field->key, field->key_length, &value))
	{
		bool		was_object = patched && json_member(patched, field->key, field->key_length, &old) && old.type == jbvBinary &&
			JsonContainerIsObject(old.val.binary.data);

		return filled(check, field, &value, was_object ? old.val.binary.data : NULL);
	}
	return patched ? NULL : payload_default(check, field);
}

/* Computed values stage by stage: each sees those that it reads, and nothing of what the client sent in their place. */
static Jsonb *
compute(const PayloadCheck *check, const ModuleFields *fields, Jsonb *object, Jsonb **values)
{
	for (int i = 0, next; i < fields->computed_count; i = next)
	{
		memset(values, 0, sizeof(Jsonb *) * fields->count);
		for (next = i; next < fields->computed_count && fields->computed[next]->stage == fields->computed[i]->stage; next++)
			values[fields->computed[next] - fields->items] = guard_value(check->guard, fields->computed[next]->computed, object);
		object = with_members(object, fields, values, false);
	}
	return object;
}

static Jsonb *
fill_object(const PayloadCheck *check, const ModuleFields *fields, Jsonb *object, const JsonbContainer *patched)
{
	Jsonb	  **values = palloc0(sizeof(Jsonb *) * Max(fields->count, 1));
	bool		changed = false;

	check_stack_depth();
	for (int i = 0; i < fields->count; i++)
	{
		const ModuleField *field = &fields->items[i];
		JsonbValue	value;

		if (field->computed)
			changed = changed || json_member(&object->root, field->key, field->key_length, &value);
		else if (field->fills)
			values[i] = filled_member(check, field, object, patched);
		changed |= values[i] != NULL;
	}
	if (changed)
		object = with_members(object, fields, values, true);
	return compute(check, fields, object, values);
}

Jsonb *
payload_fill(const PayloadCheck *check, Jsonb *payload)
{
	return fill_object(check, &check->module->all, payload, check->patched ? &check->patched->root : NULL);
}

/* A place of what the client sent that the server writes in. */
typedef struct Given
{
	const JsonbContainer *sent;
	const JsonbContainer *held; /* what it becomes */
	List	   *shown;			/* JsonbContainer: what stood here before, all rows of it: a form sends back what it has read */
	const char *path;
	bool		told;			/* the client may read it */
} Given;

static void check_given(const PayloadCheck *check, const ModuleFields *fields, const Given *given);

/* Returns whether a member was sent as the client was shown it; null stands for a member that was not there. */
static bool
was_shown(const Given *given, const char *key, int length, const JsonbValue *sent)
{
	ListCell   *cell;

	foreach(cell, given->shown)
	{
		JsonbValue	old;
		bool		had = json_member(lfirst(cell), key, length, &old);

		if (had ? json_values_equal(sent, &old) : sent->type == jbvNull)
			return true;
	}
	return false;
}

/*
 * Add a violation when a member that the server writes was sent and is neither what it becomes, which may be
 * nothing, nor what it was; numbers compare as numbers.  Of what the client may not read nothing is told, not
 * even that it is equal.
 */
static void
check_written(const PayloadCheck *check, const Given *given, const char *key, int length)
{
	char	   *path = psprintf("%s/%.*s", given->path, length, key);
	JsonbValue	sent;
	JsonbValue	held;
	bool		has = json_member(given->held, key, length, &held);
	StringInfoData text;

	if (!json_member(given->sent, key, length, &sent) || (!has && sent.type == jbvNull))
		return;
	if (!given->told)
	{
		violation_add(check->violations, path, "computed", "is written by the server: must be left out");
		return;
	}
	if ((has && json_values_equal(&sent, &held)) || was_shown(given, key, length, &sent))
		return;
	if (!has)
	{
		violation_add(check->violations, path, "computed", "is written by the server and has no value here");
		return;
	}
	initStringInfo(&text);
	json_jsonb_value(&text, &held);
	if (text.len <= 100)
		violation_add(check->violations, path, "computed", "is written by the server: must be %s or left out", text.data);
	else
		violation_add(check->violations, path, "computed", "is written by the server: must be left out");
}

/* Without a score the factors are at fault, which the schema says. */
static void
check_given_matrix(const PayloadCheck *check, const Given *given)
{
	JsonbValue	score;

	if (!json_member(given->held, "score", 5, &score))
		return;
	check_written(check, given, "score", 5);
	check_written(check, given, "band", 4);
}

static void
check_given_rows(const PayloadCheck *check, const ModuleField *field, const Given *given)
{
	uint32		rows = Min(JsonContainerSize(given->sent), JsonContainerSize(given->held));

	for (uint32 i = 0; i < rows; i++)
	{
		JsonbValue *sent = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, given->sent), i);
		JsonbValue *held = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, given->held), i);
		Given		row = *given;

		CHECK_FOR_INTERRUPTS();
		if (sent->type != jbvBinary || !JsonContainerIsObject(sent->val.binary.data) || held->type != jbvBinary)
			continue;
		row.sent = sent->val.binary.data;
		row.held = held->val.binary.data;
		row.path = psprintf("%s/%u", given->path, i);
		check_given(check, &field->nested, &row);
	}
}

/* Check a value in which the server writes: a matrix, an object, the rows of a table. */
static void
check_given_value(const PayloadCheck *check, const ModuleField *field, const Given *given)
{
	JsonbValue	sent;
	JsonbValue	held;
	Given		inner = *given;

	if (!json_member(given->sent, field->key, field->key_length, &sent) || sent.type != jbvBinary ||
		!json_member(given->held, field->key, field->key_length, &held) || held.type != jbvBinary)
		return;
	inner.sent = sent.val.binary.data;
	inner.held = held.val.binary.data;
	inner.shown = payload_nested_before(given->shown, field);
	inner.path = psprintf("%s/%s", given->path, field->key);
	if (JsonContainerIsArray(inner.sent) != (field->type == FIELD_TABLE) || JsonContainerIsArray(inner.held) != (field->type == FIELD_TABLE))
		return;
	if (field->type == FIELD_TABLE)
		check_given_rows(check, field, &inner);
	else if (field->type == FIELD_MATRIX_SCORE)
		check_given_matrix(check, &inner);
	else if (field->type == FIELD_OBJECT)
		check_given(check, &field->nested, &inner);
}

static void
check_given(const PayloadCheck *check, const ModuleFields *fields, const Given *given)
{
	check_stack_depth();
	for (int i = 0; i < fields->count; i++)
	{
		const ModuleField *field = &fields->items[i];

		if (field->computed)
			check_written(check, given, field->key, field->key_length);
		else if (field->fills)
			check_given_value(check, field, given);
	}
}

void
payload_check_given(const PayloadCheck *check, const Jsonb *sent, const Jsonb *payload)
{
	const ModuleFields *fields = &check->module->all;
	Given		given = {&sent->root, &payload->root, NIL, "/payload", true};

	if (check->patched)
		given.shown = list_make1(unconstify(JsonbContainer *, &check->patched->root));
	for (int i = 0; i < fields->count; i++)
	{
		ModuleFields one = {.count = 1,.items = &fields->items[i]};

		if (!one.items->fills)
			continue;
		given.told = permission_reads_key(check->context, check->module, check->subject, check->module->version, one.items->key, one.items->key_length);
		check_given(check, &one, &given);
	}
}
