/*
 * payload_value.c
 *	  The SQL functions that read from a payload what a field without a slot
 *	  compares as.
 *
 * They take the place of a member as one text: keys with dots between them
 * ("site.city").  Those that views of reports call are leakproof: they raise no
 * errors, whatever their arguments are.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "record/value.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(qehs_payload_text);
PG_FUNCTION_INFO_V1(qehs_payload_clip);
PG_FUNCTION_INFO_V1(qehs_payload_number);
PG_FUNCTION_INFO_V1(qehs_payload_time);
PG_FUNCTION_INFO_V1(qehs_payload_list);
PG_FUNCTION_INFO_V1(qehs_payload_exists);

/* The arguments of these functions; payload_exists has no type. */
enum
{
	ARGUMENT_PAYLOAD, ARGUMENT_PLACE, ARGUMENT_TYPE
};

/* Finds the member at a place such as "location.site"; returns false if there is none or it is null. */
static bool
find_member(FunctionCallInfo fcinfo, JsonbValue *value)
{
	Jsonb	   *payload = PG_GETARG_JSONB_P(ARGUMENT_PAYLOAD);
	text	   *place = PG_GETARG_TEXT_PP(ARGUMENT_PLACE);
	const JsonbContainer *object = &payload->root;
	const char *at = VARDATA_ANY(place);
	int			length = VARSIZE_ANY_EXHDR(place);

	for (;;)
	{
		const char *dot = memchr(at, '.', length);
		int			key = dot ? (int) (dot - at) : length;

		if (!json_member(object, at, key, value))
			return false;
		if (dot == NULL)
			return value->type != jbvNull;
		if (value->type != jbvBinary)
			return false;
		object = value->val.binary.data;
		at += key + 1;
		length -= key + 1;
	}
}

/* The value at the place as a field type's; false when there is none, or no type of that number has such values. */
static bool
payload_value(FunctionCallInfo fcinfo, Oid oid, Datum *value)
{
	int32		type = PG_GETARG_INT32(ARGUMENT_TYPE);
	JsonbValue	json;

	return type >= 0 && type < FIELD_TYPE_COUNT && value_oid(module_field_types[type].kind) == oid &&
		find_member(fcinfo, &json) && value_read((FieldType) type, &json, value);
}

/* payload_text(payload, place, type) */
Datum
qehs_payload_text(PG_FUNCTION_ARGS)
{
	Datum		value;

	if (!payload_value(fcinfo, TEXTOID, &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* payload_clip(payload, place, type) */
Datum
qehs_payload_clip(PG_FUNCTION_ARGS)
{
	Datum		value;

	if (!payload_value(fcinfo, TEXTOID, &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value_slot(VALUE_TEXT, value));
}

/* payload_number(payload, place, type) */
Datum
qehs_payload_number(PG_FUNCTION_ARGS)
{
	Datum		value;

	if (!payload_value(fcinfo, NUMERICOID, &value))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(DatumGetNumericCopy(value));
}

/* payload_time(payload, place, type) */
Datum
qehs_payload_time(PG_FUNCTION_ARGS)
{
	Datum		value;

	if (!payload_value(fcinfo, TIMESTAMPTZOID, &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* payload_list(payload, place) */
Datum
qehs_payload_list(PG_FUNCTION_ARGS)
{
	JsonbValue	json;
	Datum		value;

	if (!find_member(fcinfo, &json) || !value_read_list(&json, &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* payload_exists(payload, place) */
Datum
qehs_payload_exists(PG_FUNCTION_ARGS)
{
	JsonbValue	json;

	PG_RETURN_BOOL(find_member(fcinfo, &json));
}
