/*
 * csv.c
 *	  Exports as CSV (RFC 4180): UTF-8, commas, lines ended by CRLF.
 *
 * A text that a spreadsheet would take for a formula, which begins with =, +, -,
 * @, a tab or a carriage return, gets an apostrophe in front
 * (https://owasp.org/www-community/attacks/CSV_Injection).  Numbers stay numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "export/file.h"

typedef struct CsvFile
{
	const ExportInfo *info;
	Output	   *output;
	Dates	   *dates;
	Cell	   *cells;
	Arena		arena;			/* of one row */
} CsvFile;

/* Whether a cell is a text that might begin a formula; a number with a unit is none, unless the unit goes on with one. */
static bool
is_guarded(CellType type, const Column *column, const char *text)
{
	if (type == CELL_ARRAY && column->type == COLUMN_MEASURE)
		return *text != '\0' && strpbrk(text + 1, "=+-@|!(<>&*\"'") != NULL;
	return type == CELL_TEXT || type == CELL_ARRAY;
}

static void
put(Output *output, const char *text, size_t length, bool guarded)
{
	bool		guard = guarded && length > 0 && strchr("=+-@\t\r", text[0]);
	bool		quote = length > 0 && (text[0] == ' ' || text[length - 1] == ' ');

	for (size_t i = 0; i < length && !quote; i++)
		quote = text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
	if (quote)
		output_write(output, "\"", 1);
	if (guard)
		output_write(output, "'", 1);
	while (quote && length > 0)
	{
		const char *found = memchr(text, '"', length);
		size_t		part = found ? (size_t) (found - text) + 1 : length;

		output_write(output, text, part);
		if (found)
			output_write(output, "\"", 1);
		text += part;
		length -= part;
	}
	if (quote)
		output_write(output, "\"", 1);
	else
		output_write(output, text, length);
}

static void *
csv_open(const ExportInfo *info, Output *output)
{
	CsvFile    *file = calloc(1, sizeof(CsvFile));

	if (file == NULL)
		abort();
	file->info = info;
	file->output = output;
	file->dates = dates_open(info, info->locale == NULL);
	file->cells = calloc((size_t) info->column_count + 1, sizeof(Cell));
	if (file->cells == NULL)
		abort();
	if (info->bom)
		output_write(output, "\xEF\xBB\xBF", 3);
	for (int i = 0; i < info->column_count; i++)
	{
		if (i > 0)
			output_write(output, ",", 1);
		put(output, info->columns[i].title, strlen(info->columns[i].title), true);
	}
	output_write(output, "\r\n", 2);
	return file;
}

static bool
csv_row(void *owner, const char *line, size_t length)
{
	CsvFile    *file = owner;

	arena_reset(&file->arena);
	if (!row_read(line, length, &file->arena, file->cells, file->info->column_count))
		return output_fail(file->output, "the database gave a row that is none");
	for (int i = 0; i < file->info->column_count; i++)
	{
		const Column *column = &file->info->columns[i];
		CellType	type = file->cells[i].type;
		size_t		text_length;
		const char *text = row_text(column, &file->cells[i], file->dates, &file->arena, &text_length);

		if (i > 0)
			output_write(file->output, ",", 1);
		put(file->output, text, text_length, is_guarded(type, column, text));
	}
	return output_write(file->output, "\r\n", 2);
}

static bool
csv_close(void *owner)
{
	CsvFile    *file = owner;

	return output_flush(file->output);
}

static void
csv_free(void *owner)
{
	CsvFile    *file = owner;

	dates_free(file->dates);
	arena_free(&file->arena);
	free(file->cells);
	free(file);
}

const FileFormat csv_format = {"csv", "text/csv; charset=utf-8", csv_open, csv_row, csv_close, csv_free};
