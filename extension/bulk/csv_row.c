/*
 * csv_row.c
 *	  The cells of a row of CSV to jsonb.
 */
#include "base/compat.h"

#include "bulk/bulk.h"
#include "bulk/csv.h"
#include "miscadmin.h"

/* Is there a cell with a value below a node? */
static bool
has_value(const CsvNode *node, const CsvCell *cells)
{
	check_stack_depth();
	if (node->column >= 0)
		return cells[node->column].length > 0;
	for (int i = 0; i < node->member_count; i++)
		if (has_value(node->members[i], cells))
			return true;
	return false;
}

static void push_members(JsonbParseState **state, const CsvNode *node, const CsvCell *cells, bool nulls);

/* A value whose cells are all empty is null as a whole; an object may have other members than the columns'. */
static void
push_member(JsonbParseState **state, const CsvNode *node, const CsvCell *cells, bool nulls)
{
	JsonbValue	key = {.type = jbvString, .val.string = {node->key_length, unconstify(char *, node->key)}};
	JsonbValue	value = {.type = jbvNull};
	bool		has = has_value(node, cells);

	if ((!nulls && !has) || (node->column < 0 && node->member_count == 0))
		return;
	pushJsonbValue(state, WJB_KEY, &key);
	if (node->column < 0 && (has || node->type == FIELD_OBJECT))
	{
		push_members(state, node, cells, nulls);
		return;
	}
	if (has)
		csv_value(node, &cells[node->column], &value);
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_members(JsonbParseState **state, const CsvNode *node, const CsvCell *cells, bool nulls)
{
	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < node->member_count; i++)
		push_member(state, node->members[i], cells, nulls);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The envelope: its payload is there, if empty. */
static Jsonb *
make_envelope(const CsvHeader *header, const CsvCell *cells, bool nulls)
{
	JsonbParseState *state = NULL;
	const CsvNode *root = header->root;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < root->member_count; i++)
	{
		const CsvNode *member = root->members[i];
		JsonbValue	key = {.type = jbvString, .val.string = {member->key_length, unconstify(char *, member->key)}};

		if (member->column >= 0)
		{
			push_member(&state, member, cells, false);
			continue;
		}
		pushJsonbValue(&state, WJB_KEY, &key);
		push_members(&state, member, cells, nulls);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* How many cells there are without empty ones behind the columns, which spreadsheets leave. */
static int
without_surplus(const CsvHeader *header, const char *text, int length, int count)
{
	ViolationList none;
	CsvCell    *cells;
	int			last = count;

	none.count = 0;
	cells = csv_cells(text, length, header->delimiter, count, &count, &none);
	while (last > header->column_count && cells[last - 1].length == 0)
		last--;
	return last == header->column_count ? last : count;
}

Jsonb *
csv_read_row(const CsvHeader *header, const char *text, int length, bool nulls, ViolationList *violations)
{
	int			count;
	CsvCell    *cells;

	if (!bulk_check_text(text, length, violations))
		return NULL;
	cells = csv_cells(text, length, header->delimiter, header->column_count, &count, violations);
	if (cells == NULL)
		return NULL;
	if (count > header->column_count)
		count = without_surplus(header, text, length, count);
	if (count != header->column_count)
	{
		violation_add(violations, "", "csv", "has %d cells, where the header has %d", count, header->column_count);
		return NULL;
	}
	for (int i = 0; i < count; i++)
		if (header->names[i][0] == '\0' && cells[i].length > 0)
			violation_add(violations, "", "csv", "has a value in column %d, which has no name in the header", i + 1);
	return violations->count > 0 ? NULL : make_envelope(header, cells, nulls);
}
