/*
 * row.c
 *	  A line of qehs.export_fetch as cells.
 *
 * The line is JSON that PostgreSQL has written, so what is no array of cells is
 * refused without a reason.  Texts are decoded into the arena.
 */
#include <string.h>

#include "export/file.h"

/* The end of the text that begins at a quote; NULL when it has none. */
static const char *
text_end(const char *at, const char *end)
{
	for (at++; at < end; at++)
	{
		if (*at == '\\')
			at++;
		else if (*at == '"')
			return at;
	}
	return NULL;
}

static int
hex4(const char *at)
{
	int			value = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = at[i];

		value = value * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return value & 0xFFFF;
}

static char *
put_utf8(char *out, unsigned int point)
{
	if (point < 0x80)
		*out++ = (char) point;
	else if (point < 0x800)
	{
		*out++ = (char) (0xC0 | point >> 6);
		*out++ = (char) (0x80 | (point & 63));
	}
	else if (point < 0x10000)
	{
		*out++ = (char) (0xE0 | point >> 12);
		*out++ = (char) (0x80 | (point >> 6 & 63));
		*out++ = (char) (0x80 | (point & 63));
	}
	else
	{
		*out++ = (char) (0xF0 | point >> 18);
		*out++ = (char) (0x80 | (point >> 12 & 63));
		*out++ = (char) (0x80 | (point >> 6 & 63));
		*out++ = (char) (0x80 | (point & 63));
	}
	return out;
}

/* Decode one escape at a backslash; moves *at behind it. */
static char *
put_escape(char *out, const char **at, const char *end)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";
	const char *found;
	unsigned int point;

	if ((*at)[1] != 'u')
	{
		found = (*at)[1] ? strchr(from, (*at)[1]) : NULL;
		*out++ = found ? to[found - from] : (*at)[1];
		*at += 2;
		return out;
	}
	if (end - *at < 6)
	{
		*at = end;
		return out;
	}
	point = (unsigned int) hex4(*at + 2);
	*at += 6;
	if (point >= 0xD800 && point < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u')
	{
		point = 0x10000 + ((point - 0xD800) << 10) + ((unsigned int) hex4(*at + 2) - 0xDC00);
		*at += 6;
	}
	return put_utf8(out, point);
}

/* A text between two quotes. */
static void
take_text(const char *start, const char *end, Arena *arena, Cell *cell)
{
	/* no escape is longer than what it stands for */
	char	   *text = arena_alloc(arena, (size_t) (end - start) + 1);
	char	   *out = text;

	if (memchr(start, '\\', (size_t) (end - start)) == NULL)
	{
		memcpy(text, start, (size_t) (end - start));
		out += end - start;
	}
	else
		while (start < end)
		{
			if (*start == '\\')
				out = put_escape(out, &start, end);
			else
				*out++ = *start++;
		}
	*out = '\0';
	*cell = (Cell) {CELL_TEXT, text, (size_t) (out - text)};
}

/* The end of an array or object that begins at a bracket; NULL when it has none. */
static const char *
nest_end(const char *at, const char *end)
{
	int			depth = 0;

	for (; at < end; at++)
	{
		if (*at == '"')
		{
			at = text_end(at, end);
			if (at == NULL)
				return NULL;
		}
		else if (*at == '[' || *at == '{')
			depth++;
		else if ((*at == ']' || *at == '}') && --depth == 0)
			return at + 1;
	}
	return NULL;
}

/* Read the value that begins at a place; gives the place behind it, or NULL. */
static const char *
take_value(const char *at, const char *end, Arena *arena, Cell *cell)
{
	const char *next = at;

	switch (at < end ? *at : '\0')
	{
		case '"':
			next = text_end(at, end);
			if (next == NULL)
				return NULL;
			take_text(at + 1, next, arena, cell);
			return next + 1;
		case '[':
		case '{':
			next = nest_end(at, end);
			if (next)
				*cell = (Cell) {CELL_ARRAY, at, (size_t) (next - at)};
			return next;
		case 'n':
			*cell = (Cell) {CELL_NULL, "", 0};
			return end - at >= 4 ? at + 4 : NULL;
		case 't':
			*cell = (Cell) {CELL_TRUE, "true", 4};
			return end - at >= 4 ? at + 4 : NULL;
		case 'f':
			*cell = (Cell) {CELL_FALSE, "false", 5};
			return end - at >= 5 ? at + 5 : NULL;
		default:
			while (next < end && strchr("+-.0123456789eE", *next) && *next)
				next++;
			*cell = (Cell) {CELL_NUMBER, arena_copy(arena, at, (size_t) (next - at)), (size_t) (next - at)};
			return next > at ? next : NULL;
	}
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\t'))
		at++;
	return at;
}

bool
row_read(const char *line, size_t length, Arena *arena, Cell *cells, int count)
{
	const char *end = line + length;
	const char *at = skip_blanks(line, end);
	Cell		beyond;
	int			read = 0;

	if (at == end || *at++ != '[')
		return false;
	for (at = skip_blanks(at, end); at < end && *at != ']'; at = skip_blanks(at, end))
	{
		at = take_value(at, end, arena, read < count ? &cells[read] : &beyond);
		if (at == NULL)
			return false;
		read++;
		at = skip_blanks(at, end);
		if (at < end && *at == ',')
			at++;
	}
	for (; read < count; read++)
		cells[read] = (Cell) {CELL_NULL, "", 0};
	return at < end;
}

int
row_count(const Cell *cell)
{
	const char *end = cell->text + cell->length;
	Arena		arena = {NULL};
	const char *at = cell->text + 1;
	Cell		value;
	int			count = 0;

	if (cell->type != CELL_ARRAY)
		return 0;
	for (at = skip_blanks(at, end); at && at < end && *at != ']'; count++)
	{
		at = take_value(at, end, &arena, &value);
		at = at ? skip_blanks(at, end) : NULL;
		if (at && at < end && *at == ',')
			at = skip_blanks(at + 1, end);
	}
	arena_free(&arena);
	return count;
}

/* The texts and numbers of an array with something between them. */
static const char *
join(const Cell *cell, const char *between, Arena *arena, size_t *length)
{
	int			count = row_count(cell);
	Cell	   *cells = arena_alloc(arena, sizeof(Cell) * (size_t) (count + 1));
	Buffer		text = {arena, NULL, 0, 0};

	row_read(cell->text, cell->length, arena, cells, count);
	buffer_text(&text, "");
	for (int i = 0; i < count; i++)
	{
		if (i > 0 && cells[i].type != CELL_NULL)
			buffer_text(&text, between);
		buffer_append(&text, cells[i].text, cells[i].length);
	}
	*length = text.length;
	return text.data;
}

const char *
row_text(const Column *column, const Cell *cell, const Dates *dates, Arena *arena, size_t *length)
{
	if (cell->type == CELL_TEXT && (column->type == COLUMN_DATE || column->type == COLUMN_DATETIME))
		return dates_text(dates, cell, column->type == COLUMN_DATETIME, arena, length);
	if (cell->type == CELL_ARRAY && column->type == COLUMN_MEASURE)
		return join(cell, " ", arena, length);
	if (cell->type == CELL_ARRAY && (column->type == COLUMN_LIST || column->type == COLUMN_FILES))
		return join(cell, "; ", arena, length);
	*length = cell->length;
	return cell->type == CELL_ARRAY ? arena_copy(arena, cell->text, cell->length) : cell->text;
}
