/*
 * csv_cells.c
 *	  A record of CSV to its cells.
 */
#include "base/compat.h"

#include "base/text.h"
#include "bulk/csv.h"
#include "common/csv.h"

/* Does the byte that leads from one state to the next belong to the cell's text? */
static bool
is_text(CsvState before, CsvState after)
{
	if (after == CSV_PLAIN)
		return true;
	/* the second quote of two */
	if (before == CSV_CLOSED && after == CSV_QUOTED)
		return true;
	return before == CSV_QUOTED && after == CSV_QUOTED;
}

CsvCell *
csv_cells(const char *text, int length, char delimiter, int most, int *count, ViolationList *violations)
{
	CsvCell    *cells = palloc(sizeof(CsvCell) * most);
	char	   *out = palloc(length + 1);
	CsvState	state = CSV_BEGIN;

	*count = 0;
	cells[0] = (CsvCell) {out, 0};
	for (int i = 0; i < length; i++)
	{
		CsvState	next = csv_step(state, text[i], delimiter);

		if (state == CSV_CLOSED && next == CSV_PLAIN)
		{
			violation_add(violations, "", "csv", "has text behind the closing quote of cell %d: a quote in a text is written twice", *count + 1);
			return NULL;
		}
		if (is_text(state, next))
			*out++ = text[i];
		else if (next == CSV_BEGIN)
		{
			if (*count < most)
				cells[*count].length = out - cells[*count].text;
			*out++ = '\0';
			if (++*count < most)
				cells[*count] = (CsvCell) {out, 0};
		}
		state = next;
	}
	if (state == CSV_QUOTED)
	{
		violation_add(violations, "", "csv", "has a quote in cell %d that is not closed", *count + 1);
		return NULL;
	}
	if (*count < most)
		cells[*count].length = out - cells[*count].text;
	*out = '\0';
	++*count;
	return cells;
}

void
csv_trim(const char **text, int *length)
{
	int			blank = text_blank_length(*text, *length);

	*text += blank;
	*length = text_trimmed_length(*text, *length - blank);
}
