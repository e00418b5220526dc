/*
 * xlsx.c
 *	  Exports as XLSX (ECMA-376), by libxlsxwriter.
 *
 * Sheets: About (what was exported, by whom, when), the records, further ones
 * where these are more than a sheet holds, and one for each column that is a
 * table, whose rows name their record.  The library runs in constant memory:
 * each sheet goes to a file of TMPDIR row by row, so rows of a sheet are written
 * in order.  It writes the workbook to a file of its own, which then goes to the output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#include "export/file.h"

/* The last row and the most characters of a cell that spreadsheets take. */
#define LAST_ROW 1048575
#define MOST_CHARACTERS 32767
#define MOST_LINKS 65530
#define MOST_WIDTH 60
/* Units with a format of their own; numbers of others become texts. */
#define MOST_FORMATS 100
/* Digits that a double keeps. */
#define MOST_DIGITS 15
/* Files of 4 GiB need other ZIP headers, which some programs cannot read. */
#define LARGE_ROWS 3000000

/* One kind of rows, over as many sheets as they need. */
typedef struct Rows
{
	lxw_worksheet *sheet;
	const char *name;
	int			part;
	lxw_row_t	next;
	int			column_count;
	const char **titles;
	int		   *widths;
	int			links;
} Rows;

typedef struct XlsxFile
{
	const ExportInfo *info;
	Output	   *output;
	Dates	   *dates;
	Arena		arena;			/* of a row */
	Arena		names;			/* of the whole file */
	FILE	   *written;		/* the workbook, once it is closed */
	lxw_workbook *workbook;
	lxw_worksheet *about;
	lxw_format *head;
	lxw_format *date;
	lxw_format *time;
	lxw_format *wrap;
	int			format_count;	/* of units */
	Cell	   *cells;
	Rows		records;
	Rows	   *tables;			/* by column; of others unused */
	int64_t		row_count;
	int			code_column;	/* that names a record in the sheets of tables, or -1 */
} XlsxFile;

/* ---- texts ---- */

/* UTF-16 units of a UTF-8 text, as spreadsheets count. */
static size_t
units_of(const char *text, size_t length, size_t most, size_t *end)
{
	size_t		units = 0;

	for (*end = 0; *end < length; (*end)++)
	{
		unsigned char c = (unsigned char) text[*end];
		size_t		more = (c & 0xC0) == 0x80 ? 0 : c >= 0xF0 ? 2 : 1;

		if (units + more > most)
			break;
		units += more;
	}
	return units;
}

/* The text as it fits into a cell; what is cut off is told by an ellipsis. */
static const char *
fit_text(Arena *arena, const char *text, size_t length)
{
	size_t		end;

	if (length < MOST_CHARACTERS)
		return text;
	units_of(text, length, MOST_CHARACTERS, &end);
	if (end == length)
		return text;
	units_of(text, length, MOST_CHARACTERS - 1, &end);
	return arena_format(arena, "%.*s\u2026", (int) end, text);
}

/* A name that a sheet can have and that none has yet; ends with the part where there are several. */
static const char *
sheet_name(XlsxFile *file, const char *name, int part)
{
	char		clean[128];
	size_t		end;
	size_t		length = 0;

	for (; *name && length < sizeof(clean) - 1; name++)
		clean[length++] = strchr("[]:*?/\\'", *name) || (unsigned char) *name < ' ' ? ' ' : *name;
	clean[length] = '\0';
	if (length == 0)
		strcpy(clean, "Sheet");
	for (int number = part;; number++)
	{
		char		tail[16] = "";
		const char *made;

		if (number > 1)
			snprintf(tail, sizeof(tail), " (%d)", number);
		units_of(clean, strlen(clean), 31 - strlen(tail), &end);
		made = arena_format(&file->names, "%.*s%s", (int) end, clean, tail);
		if (workbook_get_worksheet_by_name(file->workbook, made) == NULL && workbook_validate_sheet_name(file->workbook, made) == LXW_NO_ERROR)
			return made;
		if (number > 500)
			return NULL;
	}
}

static void
note_width(Rows *rows, int column, size_t width)
{
	if ((int) width > rows->widths[column])
		rows->widths[column] = width > MOST_WIDTH ? MOST_WIDTH : (int) width;
}

/* ---- sheets ---- */

/* What a full sheet gets at its end: a filter over its head, and widths. */
static void
finish_sheet(Rows *rows)
{
	if (rows->sheet == NULL)
		return;
	worksheet_autofilter(rows->sheet, 0, 0, rows->next > 1 ? rows->next - 1 : 1, (lxw_col_t) (rows->column_count - 1));
	for (int i = 0; i < rows->column_count; i++)
		worksheet_set_column(rows->sheet, (lxw_col_t) i, (lxw_col_t) i, rows->widths[i] + 2.0, NULL);
}

/* The next sheet of a kind of rows, with its head. */
static void
begin_sheet(XlsxFile *file, Rows *rows)
{
	finish_sheet(rows);
	rows->part++;
	rows->sheet = workbook_add_worksheet(file->workbook, sheet_name(file, rows->name, rows->part));
	rows->next = 1;
	rows->links = 0;
	if (rows->sheet == NULL)
	{
		output_fail(file->output, "could not add a sheet");
		return;
	}
	worksheet_freeze_panes(rows->sheet, 1, 0);
	worksheet_repeat_rows(rows->sheet, 0, 0);
	for (int i = 0; i < rows->column_count; i++)
	{
		worksheet_write_string(rows->sheet, 0, (lxw_col_t) i, fit_text(&file->names, rows->titles[i], strlen(rows->titles[i])), file->head);
		note_width(rows, i, strlen(rows->titles[i]) + 2);
	}
}

static void
init_rows(XlsxFile *file, Rows *rows, const char *name, int count, const Column *columns, const char *first)
{
	int			place = 0;

	rows->name = name;
	rows->column_count = count + (first != NULL);
	rows->titles = arena_alloc(&file->names, sizeof(char *) * (size_t) rows->column_count);
	rows->widths = arena_alloc(&file->names, sizeof(int) * (size_t) rows->column_count);
	memset(rows->widths, 0, sizeof(int) * (size_t) rows->column_count);
	if (first)
		rows->titles[place++] = first;
	for (int i = 0; i < count; i++)
		rows->titles[place++] = columns[i].title;
	begin_sheet(file, rows);
}

/* ---- cells ---- */

static void
write_text(XlsxFile *file, Rows *rows, int column, const char *text, size_t length)
{
	if (length == 0)
		return;
	worksheet_write_string(rows->sheet, rows->next, (lxw_col_t) column, fit_text(&file->arena, text, length),
						   length > MOST_WIDTH || strchr(text, '\n') ? file->wrap : NULL);
	note_width(rows, column, length);
}

/* A number as one, unless it has more digits than a spreadsheet would keep. */
static void
write_number(XlsxFile *file, Rows *rows, int column, const Cell *cell, lxw_format *format)
{
	int			digits = 0;
	bool		leading = true;

	for (const char *at = cell->text; *at && *at != 'e' && *at != 'E'; at++)
	{
		leading = leading && (*at < '1' || *at > '9');
		digits += !leading && *at >= '0' && *at <= '9';
	}
	if (digits > MOST_DIGITS)
		write_text(file, rows, column, cell->text, cell->length);
	else
		worksheet_write_number(rows->sheet, rows->next, (lxw_col_t) column, strtod(cell->text, NULL), format);
	note_width(rows, column, cell->length);
}

/* A number with its unit as the cell's format, so that it can be summed: 12.5 "kg". */
static void
write_measure(XlsxFile *file, Rows *rows, int column, const Column *of, const Cell *cell)
{
	Cell		parts[2];
	size_t		length;
	const char *text = row_text(of, cell, file->dates, &file->arena, &length);

	if (row_read(cell->text, cell->length, &file->arena, parts, 2) && parts[0].type == CELL_NUMBER && parts[1].type == CELL_TEXT &&
		parts[1].length > 0 && parts[1].length <= 20 && strpbrk(parts[1].text, "\"\\;") == NULL)
	{
		const char *point = strchr(parts[0].text, '.');
		const char *pattern = arena_format(&file->arena, "0%s%.*s \"%s\"", point ? "." : "", point ? (int) strlen(point + 1) : 0,
										   "000000000000000", parts[1].text);
		lxw_format *format = NULL;

		/* the library keeps formats in a list, which is short: a unit with so many decimals each */
		for (lxw_format *known = STAILQ_FIRST(file->workbook->formats); known && format == NULL; known = STAILQ_NEXT(known, list_pointers))
			if (strcmp(known->num_format, pattern) == 0)
				format = known;
		if (format == NULL && file->format_count++ < MOST_FORMATS && (format = workbook_add_format(file->workbook)) != NULL)
			format_set_num_format(format, pattern);
		if (format)
		{
			write_number(file, rows, column, &parts[0], format);
			note_width(rows, column, length);
			return;
		}
	}
	write_text(file, rows, column, text, length);
}

/* The ids of files, the first as a link to the file. */
static void
write_files(XlsxFile *file, Rows *rows, int column, const Column *of, const Cell *cell)
{
	Cell		first[1];
	size_t		length;
	const char *text = row_text(of, cell, file->dates, &file->arena, &length);

	if (row_read(cell->text, cell->length, &file->arena, first, 1) && first[0].type == CELL_TEXT && rows->links++ < MOST_LINKS)
	{
		const char *url = arena_format(&file->arena, "%s/api/v1/attachments/%s?redirect=true", file->info->public_url, first[0].text);

		if (worksheet_write_url_opt(rows->sheet, rows->next, (lxw_col_t) column, url, NULL, fit_text(&file->arena, text, length), NULL) == LXW_NO_ERROR)
		{
			note_width(rows, column, length);
			return;
		}
	}
	write_text(file, rows, column, text, length);
}

static void
write_cell(XlsxFile *file, Rows *rows, int column, const Column *of, const Cell *cell)
{
	size_t		length;
	double		serial;
	const char *text;

	if (cell->type == CELL_NULL)
		return;
	if (cell->type == CELL_TRUE || cell->type == CELL_FALSE)
		worksheet_write_boolean(rows->sheet, rows->next, (lxw_col_t) column, cell->type == CELL_TRUE, NULL);
	else if (cell->type == CELL_NUMBER)
		write_number(file, rows, column, cell, NULL);
	else if ((of->type == COLUMN_DATE || of->type == COLUMN_DATETIME) && dates_serial(file->dates, cell, of->type == COLUMN_DATETIME, &serial))
	{
		worksheet_write_number(rows->sheet, rows->next, (lxw_col_t) column, serial, of->type == COLUMN_DATE ? file->date : file->time);
		note_width(rows, column, of->type == COLUMN_DATE ? 10 : 16);
	}
	else if (of->type == COLUMN_MEASURE && cell->type == CELL_ARRAY)
		write_measure(file, rows, column, of, cell);
	else if (of->type == COLUMN_FILES && cell->type == CELL_ARRAY)
		write_files(file, rows, column, of, cell);
	else
	{
		text = row_text(of, cell, file->dates, &file->arena, &length);
		write_text(file, rows, column, text, length);
	}
}

/* A full sheet is followed by another. */
static void
make_room(XlsxFile *file, Rows *rows)
{
	if (rows->next > LAST_ROW)
		begin_sheet(file, rows);
}

/* The rows of a table, each with the code of its record in front; gives how many. */
static int
write_table(XlsxFile *file, int column, const Cell *cell)
{
	const Column *of = &file->info->columns[column];
	Rows	   *rows = &file->tables[column];
	int			count = row_count(cell);
	Cell	   *lines = arena_alloc(&file->arena, sizeof(Cell) * (size_t) (count + 1));
	Cell	   *cells = arena_alloc(&file->arena, sizeof(Cell) * (size_t) (of->count + 1));
	const Cell *code = file->code_column >= 0 ? &file->cells[file->code_column] : NULL;

	row_read(cell->text, cell->length, &file->arena, lines, count);
	for (int i = 0; i < count && !file->output->failed; i++)
	{
		if (!row_read(lines[i].text, lines[i].length, &file->arena, cells, of->count))
			continue;
		make_room(file, rows);
		if (code && code->type == CELL_TEXT)
			write_text(file, rows, 0, code->text, code->length);
		else
			worksheet_write_number(rows->sheet, rows->next, 0, (double) file->row_count, NULL);
		for (int j = 0; j < of->count; j++)
			write_cell(file, rows, j + 1, &of->fields[j], &cells[j]);
		rows->next++;
	}
	return count;
}

/* ---- the file ---- */

static void
make_formats(XlsxFile *file)
{
	file->head = workbook_add_format(file->workbook);
	format_set_bold(file->head);
	format_set_bg_color(file->head, 0xE7ECEF);
	format_set_bottom(file->head, LXW_BORDER_THIN);
	file->date = workbook_add_format(file->workbook);
	format_set_num_format(file->date, "yyyy-mm-dd");
	file->time = workbook_add_format(file->workbook);
	format_set_num_format(file->time, "yyyy-mm-dd hh:mm");
	file->wrap = workbook_add_format(file->workbook);
	format_set_text_wrap(file->wrap);
	format_set_align(file->wrap, LXW_ALIGN_VERTICAL_TOP);
}

static bool
make_workbook(XlsxFile *file)
{
	lxw_workbook_options options = {.constant_memory = LXW_TRUE,.tmpdir = getenv("TMPDIR"),.use_zip64 = file->info->total > LARGE_ROWS};
	lxw_doc_properties properties = {.title = (char *) file->info->module_name,.author = (char *) file->info->actor,
	.comments = (char *) info_watermark(file->info, &file->names)};

	file->written = tmpfile();
	if (file->written == NULL)
		return output_fail(file->output, "could not make a file in TMPDIR");
	/* the library wants a name, and the file has none, so that nothing is left when the process is killed */
	file->workbook = workbook_new_opt(arena_format(&file->names, "/proc/self/fd/%d", fileno(file->written)), &options);
	if (file->workbook == NULL)
		return output_fail(file->output, "could not begin a workbook");
	workbook_set_properties(file->workbook, &properties);
	return true;
}

static void *
xlsx_open(const ExportInfo *info, Output *output)
{
	XlsxFile   *file = calloc(1, sizeof(XlsxFile));

	if (file == NULL)
		abort();
	file->info = info;
	file->output = output;
	file->dates = dates_open(info, false);
	file->code_column = -1;
	file->cells = arena_alloc(&file->names, sizeof(Cell) * (size_t) info->column_count);
	file->tables = arena_alloc(&file->names, sizeof(Rows) * (size_t) info->column_count);
	memset(file->tables, 0, sizeof(Rows) * (size_t) info->column_count);
	if (!make_workbook(file))
		return file;
	make_formats(file);
	file->about = workbook_add_worksheet(file->workbook, "About");
	init_rows(file, &file->records, info->module_name, info->column_count, info->columns, NULL);
	for (int i = 0; i < info->column_count; i++)
	{
		if (file->code_column < 0 && (strcmp(info->columns[i].key, "displayCode") == 0 || strcmp(info->columns[i].key, "id") == 0))
			file->code_column = i;
		if (info->columns[i].type == COLUMN_TABLE)
			init_rows(file, &file->tables[i], info->columns[i].title, info->columns[i].count, info->columns[i].fields, "Record");
	}
	worksheet_activate(file->records.sheet);
	return file;
}

static bool
xlsx_row(void *owner, const char *line, size_t length)
{
	XlsxFile   *file = owner;
	const ExportInfo *info = file->info;

	arena_reset(&file->arena);
	if (file->output->failed || !row_read(line, length, &file->arena, file->cells, info->column_count))
		return output_fail(file->output, "the database gave a row that is none");
	make_room(file, &file->records);
	file->row_count++;
	for (int i = 0; i < info->column_count && !file->output->failed; i++)
	{
		if (info->columns[i].type != COLUMN_TABLE)
			write_cell(file, &file->records, i, &info->columns[i], &file->cells[i]);
		else if (file->cells[i].type == CELL_ARRAY)
			/* how many there are; the sheet of the table has them */
			worksheet_write_number(file->records.sheet, file->records.next, (lxw_col_t) i, write_table(file, i, &file->cells[i]), NULL);
	}
	file->records.next++;
	return !file->output->failed;
}

/* What was exported, a line each. */
static void
write_about(XlsxFile *file)
{
	const ExportInfo *info = file->info;
	const char *const lines[][2] = {
		{"Module", info->module_name}, {"Exported by", info->actor}, {"Tenant", info->tenant}, {"At", info->at}, {"Trace id", info->trace_id},
		{"Filter", *info->filter ? info->filter : "none"}, {"Sort", info->sort}, {"Time zone", info->time_zone},
	};
	lxw_row_t	row = 0;

	for (; row < sizeof(lines) / sizeof(lines[0]); row++)
	{
		worksheet_write_string(file->about, row, 0, lines[row][0], file->head);
		worksheet_write_string(file->about, row, 1, fit_text(&file->names, lines[row][1], strlen(lines[row][1])), NULL);
	}
	worksheet_write_string(file->about, row, 0, "Records", file->head);
	worksheet_write_number(file->about, row, 1, (double) file->row_count, NULL);
	worksheet_set_column(file->about, 0, 0, 16, NULL);
	worksheet_set_column(file->about, 1, 1, MOST_WIDTH, NULL);
}

/* The workbook's file into the output. */
static bool
copy_file(XlsxFile *file)
{
	char		bytes[16384];
	size_t		length;

	rewind(file->written);
	while ((length = fread(bytes, 1, sizeof(bytes), file->written)) > 0 && output_write(file->output, bytes, length))
		;
	if (ferror(file->written))
		output_fail(file->output, "could not read the workbook");
	return output_flush(file->output);
}

static bool
xlsx_close(void *owner)
{
	XlsxFile   *file = owner;
	lxw_error	code;

	if (file->output->failed)
		return false;
	write_about(file);
	finish_sheet(&file->records);
	for (int i = 0; i < file->info->column_count; i++)
		finish_sheet(&file->tables[i]);
	code = workbook_close(file->workbook);
	file->workbook = NULL;
	if (code != LXW_NO_ERROR)
		return output_fail(file->output, "could not write the workbook: %s", lxw_strerror(code));
	return copy_file(file);
}

static void
xlsx_free(void *owner)
{
	XlsxFile   *file = owner;

	if (file->workbook)
		lxw_workbook_free(file->workbook);
	if (file->written)
		fclose(file->written);
	dates_free(file->dates);
	arena_free(&file->arena);
	arena_free(&file->names);
	free(file);
}

const FileFormat xlsx_format = {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_open, xlsx_row, xlsx_close, xlsx_free};
