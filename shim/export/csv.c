/*
 * csv.c
 *	  Exports as CSV (RFC 4180): UTF-8, commas, lines ended by CRLF.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe in front
 * (https://owasp.org/www-community/attacks/CSV_Injection): one that begins with =, +,
 * -, @ or their wide and small forms, which some input methods and Excel in East Asian
 * languages take for the same, also behind what is not seen there, as a program may
 * trim that; and one that begins with a tab or a line end.  Numbers stay numbers.
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

/* The bytes of the character in front that nothing is seen of, a space, a control or a format character; 0: it is none. */
static size_t
unseen(const char *text, size_t length)
{
	static const char *const many[] = {
		"\xC2\xA0", "\xC2\xAD", "\xE1\x9A\x80", "\xE1\xA0\x8E", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF",
	};
	unsigned char last;

	if ((unsigned char) text[0] <= ' ' || text[0] == 0x7F)
		return 1;
	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		if (length >= strlen(many[i]) && memcmp(text, many[i], strlen(many[i])) == 0)
			return strlen(many[i]);
	/* C1 controls */
	if (length >= 2 && text[0] == '\xC2' && (unsigned char) text[1] < 0xA0)
		return 2;
	if (length < 3 || text[0] != '\xE2')
		return 0;
	last = (unsigned char) text[2];
	/* U+2000 to U+200F, U+2028 to U+202F, U+2060 to U+206F */
	if ((text[1] == '\x80' && (last < 0x90 || (last >= 0xA8 && last <= 0xAF))) || (text[1] == '\x81' && last >= 0xA0 && last <= 0xAF))
		return 3;
	return 0;
}

/* Would a spreadsheet take the text for a formula? */
static bool
begins_formula(const char *text, size_t length)
{
	static const char *const signs[] = {
		"=", "+", "-", "@",
		"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0",	/* wide */
		"\xEF\xB9\xA6", "\xEF\xB9\xA2", "\xEF\xB9\xA3", "\xEF\xB9\xAB",	/* small */
	};

	if (length > 0 && (text[0] == '\t' || text[0] == '\r' || text[0] == '\n'))
		return true;
	for (size_t bytes; length > 0 && (bytes = unseen(text, length)) > 0; text += bytes)
		length -= bytes;
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (length >= strlen(signs[i]) && memcmp(text, signs[i], strlen(signs[i])) == 0)
			return true;
	return false;
}

static void
put(Output *output, const char *text, size_t length, bool guarded)
{
	bool		guard = guarded && begins_formula(text, length);
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
