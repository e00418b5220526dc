/*
 * line.c
 *	  What one line asks for: envelope or payload, checked as record_create does.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/json.h"
#include "bulk/bulk.h"
#include "common/hashfn.h"
#include "module/locale.h"
#include "record/value.h"
#include "utils/memutils.h"

#define OWN_KEY "idempotencyKey"

typedef struct Envelope
{
	Jsonb	   *payload;
	JsonbValue	key;			/* type jbvNull when absent */
	JsonbValue	state;
	JsonbValue	created_at;
} Envelope;

void
bulk_fail(BulkLoad *load, BulkRow *row, ViolationList *violations)
{
	MemoryContext previous = MemoryContextSwitchTo(load->memory);

	if (!load->has_labels)
		load->labels = locale_labels(load->module->definition, load->accept_language);
	load->has_labels = true;
	if (load->labels)
		locale_name_with(load->labels, violations);
	row->status = BULK_FAILED;
	row->errors = violation_json(violations);
	MemoryContextSwitchTo(previous);
}

void
bulk_fail_at(BulkLoad *load, BulkRow *row, const char *path, const char *code, const char *message)
{
	ViolationList violations = {.count = 1, .items = {{path, code, message}}};

	bulk_fail(load, row, &violations);
}

void
bulk_fail_taken(BulkLoad *load, BulkRow *row, const ModuleUnique *unique, int32 version, const pg_uuid_t *holder)
{
	ViolationList violations = {0};

	taken_tell(load->context, unique, load->module, version, holder, &violations);
	bulk_fail(load, row, &violations);
}

/* An escape may spell the member's name, too. */
bool
bulk_has_own_key(const BulkLoad *load, const BulkRow *row)
{
	if (load->header)
		return load->header->has_key;
	return memmem(row->text, row->length, OWN_KEY, sizeof(OWN_KEY) - 1) != NULL ||
		memmem(row->text, row->length, "\\u00", 4) != NULL;
}

/* The member of an envelope that a name stands for, or NULL. */
static JsonbValue *
envelope_slot(Envelope *envelope, JsonbValue *payload, const JsonbValue *name)
{
	const struct
	{
		const char *name;
		JsonbValue *slot;
	}			members[] = {
		{"payload", payload}, {OWN_KEY, &envelope->key}, {"workflowState", &envelope->state},
		{"createdAt", &envelope->created_at}
	};

	for (int i = 0; i < (int) lengthof(members); i++)
		if ((int) strlen(members[i].name) == name->val.string.len &&
			memcmp(members[i].name, name->val.string.val, name->val.string.len) == 0)
			return members[i].slot;
	return NULL;
}

/*
 * An object whose only members are among an envelope's, with an object payload,
 * is one; any other object is a payload.
 */
static void
open_envelope(Jsonb *line, Envelope *envelope)
{
	JsonbIterator *iterator = JsonbIteratorInit(&line->root);
	JsonbIteratorToken token;
	JsonbValue	name;
	JsonbValue	value;
	JsonbValue	payload = {.type = jbvNull};
	bool		is_envelope = true;

	memset(envelope, 0, sizeof(*envelope));
	while (is_envelope && (token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE)
	{
		JsonbValue *slot;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		slot = envelope_slot(envelope, &payload, &name);
		if (slot)
			*slot = value;
		else
			is_envelope = false;
	}
	if (is_envelope && payload.type == jbvBinary && JsonContainerIsObject(payload.val.binary.data))
	{
		envelope->payload = json_value_to_jsonb(&payload);
		return;
	}
	memset(envelope, 0, sizeof(*envelope));
	envelope->payload = line;
}

/* The line as jsonb, an object; NULL when the row was settled as failed. */
static Jsonb *
parse_line(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	Jsonb	   *line;

	violations.count = 0;
	/* an empty cell removes a value that the record has (RFC 7396) */
	line = load->header ? csv_read_row(load->header, row->text, row->length, row->to_update, &violations) :
		bulk_parse(row->text, row->length, &violations);
	if (line && !JB_ROOT_IS_OBJECT(line))
	{
		violation_add(&violations, "", "type", "%s", bulk_form_of_line(row->text, row->length));
		line = NULL;
	}
	if (line == NULL)
		bulk_fail(load, row, &violations);
	return line;
}

/* A key of the line's own takes the place of the batch's. */
static bool
read_key(BulkLoad *load, BulkRow *row, const JsonbValue *key)
{
	if (key->type == jbvNull)
		return true;
	if (key->type != jbvString || key->val.string.len == 0 || key->val.string.len > QEHS_BULK_KEY_BYTES)
	{
		bulk_fail_at(load, row, "/" OWN_KEY, "length", "must be a text of 1 to 255 characters");
		return false;
	}
	for (int i = 0; i < key->val.string.len; i++)
	{
		if (key->val.string.val[i] < ' ' || key->val.string.val[i] > '~')
		{
			bulk_fail_at(load, row, "/" OWN_KEY, "pattern", "must have printable ASCII characters only");
			return false;
		}
	}
	row->key = MemoryContextStrdup(load->memory, json_text_copy(key));
	return true;
}

void
bulk_parse_ahead(BulkLoad *load, BulkRow *row)
{
	MemoryContext previous = MemoryContextSwitchTo(load->line_memory);
	Jsonb	   *line = parse_line(load, row);
	Envelope	envelope;

	if (line)
	{
		row->parsed = MemoryContextAlloc(load->memory, VARSIZE(line));
		memcpy(row->parsed, line, VARSIZE(line));
		open_envelope(line, &envelope);
		if (load->module->has_references)
			record_remember_payload(load->module, envelope.payload);
		if (read_key(load, row, &envelope.key) && load->options.external)
		{
			char	   *text = value_unique(load->options.external, record_fill_unique(load->context, load->module, load->options.external, envelope.payload));

			row->external = text ? MemoryContextStrdup(load->memory, text) : NULL;
		}
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(load->line_memory);
}

/* The state to start in: the initial one, or another with the permission for it. */
static const char *
read_state(const BulkLoad *load, const BulkRow *row, const JsonbValue *wanted, ViolationList *violations)
{
	char	   *state;

	if (wanted->type == jbvNull)
		return row->to_update ? NULL : load->module->initial;
	if (wanted->type != jbvString)
	{
		violation_add(violations, "/workflowState", "type", "must be a text");
		return load->module->initial;
	}
	state = json_text_copy(wanted);
	if (!row->to_update && strcmp(state, load->module->initial) == 0)
		return load->module->initial;
	if (!module_has_state(load->module, state))
		violation_add(violations, "/workflowState", "enum", "is not a state of module \"%s\"", load->module->key);
	else if (!load->may_set_state)
		violation_add(violations, "/workflowState", "forbidden",
					  "may be other than \"%s\" with the permission bulk.state only", load->module->initial);
	return state;
}

/* When the record says that it was created; a record's code shows the year. */
static TimestampTz
read_created_at(const BulkLoad *load, const BulkRow *row, const JsonbValue *wanted, ViolationList *violations)
{
	TimestampTz time = load->now;

	if (wanted->type == jbvNull)
		return load->now;
	if (wanted->type != jbvString)
		violation_add(violations, "/createdAt", "type", "must be a text");
	else if (!json_time_parse(wanted->val.string.val, wanted->val.string.len, &time))
		violation_add(violations, "/createdAt", "format", "must be an RFC 3339 date-time with an offset");
	else if (time > load->now)
		violation_add(violations, "/createdAt", "maximum", "must not be in the future");
	else if (row->to_update)
		violation_add(violations, "/createdAt", "exists", "cannot be set on a record that exists");
	else if (!load->may_set_state)
		violation_add(violations, "/createdAt", "forbidden", "may be set with the permission bulk.state only");
	return clock_told(time);
}

/* Move what is to be stored out of the line's memory. */
static void
keep(BulkLoad *load, BulkRow *row, Jsonb *payload, const char *state)
{
	row->payload = MemoryContextAlloc(load->memory, VARSIZE(payload));
	memcpy(row->payload, payload, VARSIZE(payload));
	row->state = state == NULL || state == load->module->initial ? state : MemoryContextStrdup(load->memory, state);
}

/* What a cell is to be, of a field whose values are objects that cells write otherwise (csv_value.c); NULL of others. */
static const char *
cell_form(const ModuleField *field)
{
	switch (field ? field->value_type : FIELD_TEXT)
	{
		case FIELD_QUANTITY:
			return "must be a number and its unit, such as 12.5 mg/m3";
		case FIELD_CURRENCY:
			return "must be an amount and its currency, such as 12.50 EUR";
		case FIELD_DATE_RANGE:
			return "must be two dates, such as 2026-01-01/2026-01-31";
		case FIELD_GEOLOCATION:
			return "must be a latitude and a longitude, such as 48.1, 11.6";
		case FIELD_OBJECT:
		case FIELD_TABLE:
			return field->value_type == FIELD_TABLE ? "must be an array of objects in JSON" : "must be an object in JSON";
		default:
			return NULL;
	}
}

void
bulk_fail_payload(BulkLoad *load, BulkRow *row, const Jsonb *payload, ViolationList *violations)
{
	/* who wrote a cell wrote no object */
	for (int i = 0; i < violations->count && load->header; i++)
	{
		Violation  *violation = &violations->items[i];
		const char *key = strncmp(violation->path, "/payload/", 9) == 0 ? violation->path + 9 : "";
		const char *form = cell_form(module_field(load->module, key, strlen(key)));
		JsonbValue	value;

		if (form && strcmp(violation->code, "type") == 0 && json_member(&payload->root, key, strlen(key), &value) &&
			value.type == jbvString && value.val.string.len <= 100)
			violation->message = psprintf("%s, not \"%s\"", form, json_text_copy(&value));
	}
	bulk_fail(load, row, violations);
}

/* Check an opened line; an update's payload is checked once it is merged (upsert.c). */
static void
check_envelope(BulkLoad *load, BulkRow *row, const Envelope *envelope)
{
	ViolationList violations;
	const char *state;
	Jsonb	   *payload = envelope->payload;

	violations.count = 0;
	state = read_state(load, row, &envelope->state, &violations);
	row->created_at = read_created_at(load, row, &envelope->created_at, &violations);
	if (!row->to_update)
		payload = record_check_payload(load->context, load->module, payload, state, &violations);
	if (violations.count > 0)
		bulk_fail_payload(load, row, envelope->payload, &violations);
	else
		keep(load, row, payload, state);
}

void
bulk_check_line(BulkLoad *load, BulkRow *row)
{
	MemoryContext previous = MemoryContextSwitchTo(load->line_memory);
	bool		parsed = row->parsed && !(load->header && row->to_update);
	Jsonb	   *line = parsed ? row->parsed : parse_line(load, row);
	Envelope	envelope;

	if (line)
	{
		open_envelope(line, &envelope);
		check_envelope(load, row, &envelope);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(load->line_memory);
}
