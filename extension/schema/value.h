/*
 * value.h
 *	  Reading the binary form of jsonb in place.
 *
 * The layout is that of utils/jsonb.h: a header, one JEntry per child (all keys,
 * then all values), the children's bytes.  A walk keeps a running offset, so that
 * visiting all children costs one addition each and not a search for the last
 * stored offset.
 */
#ifndef QEHS_SCHEMA_VALUE_H
#define QEHS_SCHEMA_VALUE_H

#include "base/compat.h"

#include "utils/jsonb.h"
#include "utils/numeric.h"

/* Bits of "type"; those of a value are one of all but VALUE_INTEGER. */
typedef enum ValueType
{
	VALUE_NULL = 1,
	VALUE_BOOLEAN = 2,
	VALUE_STRING = 4,
	VALUE_NUMBER = 8,
	VALUE_INTEGER = 16,
	VALUE_ARRAY = 32,
	VALUE_OBJECT = 64
} ValueType;

typedef struct Value
{
	ValueType	type;
	bool		truth;			/* of a boolean */
	uint32		length;			/* bytes of a string; of a number or container, also of its padding */
	const char *data;			/* text, Numeric or JsonbContainer */
} Value;

#define VALUE_CONTAINER(value) ((JsonbContainer *) (value)->data)
#define VALUE_COUNT(value) JsonContainerSize(VALUE_CONTAINER(value))
#define VALUE_NUMERIC(value) ((Numeric) (value)->data)

/* Walks the children of a container in their stored order. */
typedef struct ValueWalk
{
	const JsonbContainer *container;
	const char *base;
	uint32		index;
	uint32		offset;
} ValueWalk;

static inline void
value_from_entry(JEntry entry, const char *base, uint32 start, uint32 end, Value *value)
{
	value->data = base + start;
	value->length = end - start;
	value->truth = JBE_ISBOOL_TRUE(entry);
	if (JBE_ISSTRING(entry))
		value->type = VALUE_STRING;
	else if (JBE_ISNUMERIC(entry))
	{
		value->type = VALUE_NUMBER;
		value->data = base + INTALIGN(start);
	}
	else if (JBE_ISCONTAINER(entry))
	{
		value->data = base + INTALIGN(start);
		value->type = JsonContainerIsObject(VALUE_CONTAINER(value)) ? VALUE_OBJECT : VALUE_ARRAY;
	}
	else if (JBE_ISNULL(entry))
		value->type = VALUE_NULL;
	else
		value->type = VALUE_BOOLEAN;
}

static inline uint32
value_children(const JsonbContainer *container)
{
	return JsonContainerSize(container) * (JsonContainerIsObject(container) ? 2 : 1);
}

/* Where the child with this index starts: getJsonbOffset, inlined. */
static inline uint32
value_offset(const JsonbContainer *container, uint32 index)
{
	uint32		offset = 0;

	while (index > 0)
	{
		JEntry		entry = container->children[--index];

		offset += JBE_OFFLENFLD(entry);
		if (JBE_HAS_OFF(entry))
			break;
	}
	return offset;
}

/* Start at the child with this index (of an object: keys first, then values). */
static inline ValueWalk
value_walk(const JsonbContainer *container, uint32 index)
{
	return (ValueWalk)
	{
		container, (const char *) &container->children[value_children(container)], index, value_offset(container, index)
	};
}

static inline void
value_next(ValueWalk *walk, Value *value)
{
	JEntry		entry = walk->container->children[walk->index++];
	uint32		end = JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : walk->offset + JBE_OFFLENFLD(entry);

	value_from_entry(entry, walk->base, walk->offset, end, value);
	walk->offset = end;
}

/* The order of keys in jsonb: by length, then by bytes. */
static inline int
value_compare_keys(const char *left, uint32 left_length, const char *right, uint32 right_length)
{
	if (left_length != right_length)
		return left_length < right_length ? -1 : 1;
	return memcmp(left, right, left_length);
}

/* The whole document as a value. */
extern Value value_of(const Jsonb *document);

/* The member of an object; false when there is none. */
extern bool value_member(const Value *object, const char *key, uint32 length, Value *member);

/* The item of an array; false beyond its end. */
extern bool value_item(const Value *array, uint32 index, Value *item);

/*
 * number * 10^8 as an integer, where that is exact and fits: then numbers compare
 * and divide as integers.
 */
extern bool value_scaled(const Value *number, int64 *scaled);

/* Has a number no fraction?  1.0 has none. */
/* Whether a number has no fraction, as 1.0 has none. */
extern bool value_is_integer(const Value *number);

/* Some order of all values, strings first; 0 is equality of JSON Schema (2020-12 core 4.2.2): 1 and 1.0 are equal. */
extern int	value_compare(const Value *left, const Value *right);

/* Equal values have equal hashes. */
extern uint32 value_hash(const Value *value);

/* The value as JSON text. */
extern char *value_text(const Value *value);

#endif							/* QEHS_SCHEMA_VALUE_H */
