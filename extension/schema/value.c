/*
 * value.c
 *	  Members, numbers and equality of jsonb values, without JsonbValue.
 */
#include "base/compat.h"

#include "base/json.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "miscadmin.h"
#include "schema/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define DIGIT_BASE 10000
#define SCALE_DIGITS 2			/* 10^8 in base 10000 */

Value
value_of(const Jsonb *document)
{
	Value		value = {.data = (const char *) &document->root,.length = VARSIZE(document) - VARHDRSZ};

	if (JB_ROOT_IS_SCALAR(document))
	{
		ValueWalk	walk = value_walk(&document->root, 0);

		value_next(&walk, &value);
	}
	else
		value.type = JB_ROOT_IS_OBJECT(document) ? VALUE_OBJECT : VALUE_ARRAY;
	return value;
}

bool
value_member(const Value *object, const char *key, uint32 length, Value *member)
{
	const JsonbContainer *container = VALUE_CONTAINER(object);
	const char *base = (const char *) &container->children[value_children(container)];
	uint32		low = 0;
	uint32		high = JsonContainerSize(container);

	while (low < high)
	{
		uint32		middle = (low + high) / 2;
		uint32		key_length = getJsonbLength(container, middle);
		int			order = value_compare_keys(base + getJsonbOffset(container, middle), key_length, key, length);

		if (order == 0)
		{
			ValueWalk	walk = value_walk(container, JsonContainerSize(container) + middle);

			value_next(&walk, member);
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool
value_item(const Value *array, uint32 index, Value *item)
{
	ValueWalk	walk;

	if (index >= VALUE_COUNT(array))
		return false;
	walk = value_walk(VALUE_CONTAINER(array), index);
	value_next(&walk, item);
	return true;
}

/*
 * A numeric's short form: a 16-bit header of sign, display scale and weight, then
 * digits of base 10000 (numeric.c, "short header").  The form on disk has been the
 * same since 9.1.  False for the long form and the special values.
 */
static inline bool
read_short_numeric(const Value *number, const int16 **digits, int *count, int *weight, bool *negative)
{
	const char *data = VARDATA_ANY(number->data);
	uint16		header;

	memcpy(&header, data, sizeof(header));
	if ((header & 0xC000) != 0x8000)
		return false;
	*negative = (header & 0x2000) != 0;
	*weight = (header & 0x003F) | (header & 0x0040 ? ~0x003F : 0);
	*digits = (const int16 *) (data + sizeof(header));
	*count = (VARSIZE_ANY_EXHDR(number->data) - sizeof(header)) / sizeof(int16);
	return true;
}

bool
value_scaled(const Value *number, int64 *scaled)
{
	const int16 *digits;
	int			count;
	int			weight;
	bool		negative;
	int64		result = 0;

	if (!read_short_numeric(number, &digits, &count, &weight, &negative) || weight > 2 || count - weight - 1 > SCALE_DIGITS)
		return false;
	for (int i = 0; i <= weight + SCALE_DIGITS; i++)
		if (pg_mul_s64_overflow(result, DIGIT_BASE, &result) ||
			pg_add_s64_overflow(result, i < count ? digits[i] : 0, &result))
			return false;
	*scaled = negative ? -result : result;
	return true;
}

bool
value_is_integer(const Value *number)
{
	const int16 *digits;
	int			count;
	int			weight;
	bool		negative;
	Datum		numeric = NumericGetDatum(VALUE_NUMERIC(number));

	/* trailing zero digits are never stored */
	if (read_short_numeric(number, &digits, &count, &weight, &negative))
		return count <= weight + 1;
	return DatumGetBool(DirectFunctionCall2(numeric_eq, numeric, DirectFunctionCall2(numeric_trunc, numeric, Int32GetDatum(0))));
}

static int
compare_numbers(const Value *left, const Value *right)
{
	int64		a;
	int64		b;

	if (value_scaled(left, &a) && value_scaled(right, &b))
		return (a > b) - (a < b);
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(VALUE_NUMERIC(left)), NumericGetDatum(VALUE_NUMERIC(right))));
}

/* Keys are stored sorted, so equal objects have equal children in order. */
static int
compare_containers(const Value *left, const Value *right)
{
	uint32		count = VALUE_COUNT(left);
	ValueWalk	left_walk;
	ValueWalk	right_walk;
	uint32		children;

	if (count != VALUE_COUNT(right))
		return count < VALUE_COUNT(right) ? -1 : 1;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	left_walk = value_walk(VALUE_CONTAINER(left), 0);
	right_walk = value_walk(VALUE_CONTAINER(right), 0);
	children = value_children(VALUE_CONTAINER(left));
	for (uint32 i = 0; i < children; i++)
	{
		Value		a;
		Value		b;
		int			order;

		value_next(&left_walk, &a);
		value_next(&right_walk, &b);
		order = value_compare(&a, &b);
		if (order != 0)
			return order;
	}
	return 0;
}

int
value_compare(const Value *left, const Value *right)
{
	if (left->type != right->type)
	{
		if (left->type == VALUE_STRING || right->type == VALUE_STRING)
			return left->type == VALUE_STRING ? -1 : 1;
		return left->type < right->type ? -1 : 1;
	}
	switch (left->type)
	{
		case VALUE_NULL:
			return 0;
		case VALUE_BOOLEAN:
			return left->truth - right->truth;
		case VALUE_STRING:
			return value_compare_keys(left->data, left->length, right->data, right->length);
		case VALUE_NUMBER:
			return compare_numbers(left, right);
		default:
			return compare_containers(left, right);
	}
}

uint32
value_hash(const Value *value)
{
	uint32		hash = value->type;

	switch (value->type)
	{
		case VALUE_BOOLEAN:
			return hash + value->truth;
		case VALUE_STRING:
			return hash_bytes((const unsigned char *) value->data, value->length);
		case VALUE_NUMBER:
			return DatumGetUInt32(DirectFunctionCall1(hash_numeric, NumericGetDatum(VALUE_NUMERIC(value))));
		case VALUE_ARRAY:
		case VALUE_OBJECT:
			{
				ValueWalk	walk = value_walk(VALUE_CONTAINER(value), 0);
				uint32		children = value_children(VALUE_CONTAINER(value));

				check_stack_depth();
				CHECK_FOR_INTERRUPTS();
				for (uint32 i = 0; i < children; i++)
				{
					Value		child;

					value_next(&walk, &child);
					hash = hash_combine(hash, value_hash(&child));
				}
				return hash;
			}
		default:
			return hash;
	}
}

char *
value_text(const Value *value)
{
	StringInfoData out;

	switch (value->type)
	{
		case VALUE_NULL:
			return pstrdup("null");
		case VALUE_BOOLEAN:
			return pstrdup(value->truth ? "true" : "false");
		case VALUE_NUMBER:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(VALUE_NUMERIC(value))));
		case VALUE_STRING:
			initStringInfo(&out);
			json_string_n(&out, value->data, value->length);
			return out.data;
		default:
			return JsonbToCString(NULL, VALUE_CONTAINER(value), 0);
	}
}
