/*
 * pdf.c
 *	  Exports as PDF: a table of records, or a report of one.
 *
 * The rows wait in a file of TMPDIR until all are there: how wide columns are
 * depends on them, and each page says how many there are (paper.h).  A wide
 * table turns the page to landscape, a wider one has smaller letters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/temporary.h"
#include "export/paper.h"

#define MOST_PICTURES 50
#define FONT_SIZE 8.0
#define LEAST_FONT_SIZE 4.5
#define REPORT_FONT_SIZE 9.5
/* Characters that a column wants at most, and that it has at least. */
#define MOST_WANTED 48
#define MOST_LEAST 16

typedef struct PdfFile
{
	const ExportInfo *info;
	Output	   *output;
	Dates	   *dates;
	FILE	   *spool;			/* a line, its length in front, for each row */
	char	   *line;			/* the one being read */
	size_t		capacity;
	Arena		arena;			/* of a row */
	Arena		whole;			/* of the whole file */
	Cell	   *cells;
	int		   *longest;		/* characters of the columns' texts and of their words */
	int		   *longest_word;
} PdfFile;

/* Characters of a text and of its longest word. */
static int
measure(const char *text, size_t length, int *word)
{
	int			count = 0;
	int			current = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (((unsigned char) text[i] & 0xC0) == 0x80)
			continue;
		count++;
		/* scripts of the east wrap anywhere, and are wide */
		current = text[i] == ' ' || text[i] == '\n' || (unsigned char) text[i] >= 0xE2 ? 0 : current + 1;
		if (current > *word)
			*word = current;
	}
	return count;
}

static void
note_text(PdfFile *file, int column, const char *text, size_t length)
{
	int			count = measure(text, length, &file->longest_word[column]);

	if (count > file->longest[column])
		file->longest[column] = count;
}

static int *
numbers(PdfFile *file)
{
	size_t		size = sizeof(int) * (size_t) file->info->column_count;

	return memset(arena_alloc(&file->whole, size), 0, size);
}

static void *
pdf_open(const ExportInfo *info, Output *output)
{
	PdfFile    *file = calloc(1, sizeof(PdfFile));

	if (file == NULL)
		abort();
	file->info = info;
	file->output = output;
	file->dates = dates_open(info, false);
	file->cells = arena_alloc(&file->whole, sizeof(Cell) * (size_t) info->column_count);
	file->longest = numbers(file);
	file->longest_word = numbers(file);
	file->spool = temporary_stream();
	if (file->spool == NULL)
		output_fail(output, "could not make a file in TMPDIR");
	for (int i = 0; i < info->column_count; i++)
	{
		note_text(file, i, info->columns[i].title, strlen(info->columns[i].title));
		/* bold letters are wider */
		file->longest_word[i] += 2;
	}
	return file;
}

/* The text of a cell; a table tells its number of rows. */
static PaperText
text_of(PdfFile *file, int column)
{
	const Column *of = &file->info->columns[column];
	const Cell *cell = &file->cells[column];
	PaperText	text;

	if (of->type == COLUMN_TABLE && cell->type == CELL_ARRAY)
	{
		text.text = arena_format(&file->arena, "%d", row_count(cell));
		text.length = strlen(text.text);
	}
	else
		text.text = row_text(of, cell, file->dates, &file->arena, &text.length);
	return text;
}

static bool
pdf_row(void *owner, const char *line, size_t length)
{
	PdfFile    *file = owner;

	arena_reset(&file->arena);
	if (file->output->failed || !row_read(line, length, &file->arena, file->cells, file->info->column_count))
		return output_fail(file->output, "the database gave a row that is none");
	for (int i = 0; i < file->info->column_count; i++)
	{
		PaperText	text = text_of(file, i);

		note_text(file, i, text.text, text.length);
	}
	if (fwrite(&length, sizeof(length), 1, file->spool) != 1 || fwrite(line, 1, length, file->spool) != length)
		return output_fail(file->output, "could not write to TMPDIR");
	return true;
}

/* ---- a table of records ---- */

static void
spool_rewind(void *owner)
{
	PdfFile    *file = owner;

	rewind(file->spool);
}

/* Read the next row's cells. */
static bool
spool_read(PdfFile *file)
{
	size_t		length;

	arena_reset(&file->arena);
	if (fread(&length, sizeof(length), 1, file->spool) != 1)
		return false;
	if (length > file->capacity)
	{
		file->line = realloc(file->line, length);
		if (file->line == NULL)
			abort();
		file->capacity = length;
	}
	return fread(file->line, 1, length, file->spool) == length &&
		row_read(file->line, length, &file->arena, file->cells, file->info->column_count);
}

static bool
spool_next(void *owner, PaperText *texts)
{
	PdfFile    *file = owner;

	if (!spool_read(file))
		return false;
	for (int i = 0; i < file->info->column_count; i++)
		texts[i] = text_of(file, i);
	return true;
}

/* A table with room for so many columns. */
static PaperTable *
make_table(PdfFile *file, int column_count)
{
	PaperTable *table = arena_alloc(&file->whole, sizeof(PaperTable));
	size_t		count = (size_t) column_count;

	memset(table, 0, sizeof(*table));
	table->column_count = column_count;
	table->titles = arena_alloc(&file->whole, sizeof(char *) * count);
	table->right = memset(arena_alloc(&file->whole, sizeof(bool) * count), 0, sizeof(bool) * count);
	table->widths = arena_alloc(&file->whole, sizeof(double) * count);
	table->least = arena_alloc(&file->whole, sizeof(int) * count);
	table->wanted = arena_alloc(&file->whole, sizeof(int) * count);
	return table;
}

static int
between(int low, int value, int high)
{
	return value < low ? low : value > high ? high : value;
}

/* Open the pages: portrait where the wanted characters fit, else landscape, with letters as small as the least ones need. */
static Paper *
open_paper(PdfFile *file, const PaperTable *table, double font_size)
{
	double		width = file->info->letter ? 612.0 : 595.276;
	double		height = file->info->letter ? 792.0 : 841.89;
	int			least = 0;
	int			wanted = 0;

	for (int i = 0; i < table->column_count; i++)
	{
		least += table->least[i] + 2;
		wanted += table->wanted[i] + 2;
	}
	if (wanted > paper_characters(width, font_size))
	{
		double		turned = width;

		width = height;
		height = turned;
	}
	while (font_size > LEAST_FONT_SIZE && least > paper_characters(width, font_size))
		font_size -= 0.5;
	return paper_open(file->output, width, height, font_size);
}

static bool
write_table(PdfFile *file)
{
	const ExportInfo *info = file->info;
	PaperTable *table = make_table(file, info->column_count);
	Paper	   *paper;

	for (int i = 0; i < info->column_count; i++)
	{
		table->titles[i] = info->columns[i].title;
		table->right[i] = info->columns[i].type == COLUMN_NUMBER || info->columns[i].type == COLUMN_MEASURE;
		table->least[i] = between(3, file->longest_word[i], MOST_LEAST);
		table->wanted[i] = between(table->least[i], file->longest[i], MOST_WANTED);
	}
	table->next = spool_next;
	table->rewind = spool_rewind;
	table->owner = file;
	paper = open_paper(file, table, FONT_SIZE);
	paper_properties(paper, *info->filter ? arena_format(&file->whole, "%s, %s", info->module_name, info->filter) : info->module_name,
					 info->actor, info_watermark(info, &file->whole));
	paper_fit(paper, table);
	for (int dry = 1; dry >= 0 && !file->output->failed; dry--)
	{
		paper_start(paper, dry);
		paper_table(paper, table);
	}
	paper_finish(paper);
	paper_free(paper);
	free(table->lines);
	return output_flush(file->output);
}

/* ---- a report of one record ---- */

/* Rows that are in memory. */
typedef struct Listing
{
	int			column_count;
	int			count;
	int			next;
	PaperText  *texts;
	const char *heading;
	PaperTable *table;
} Listing;

static void
listing_rewind(void *owner)
{
	Listing    *listing = owner;

	listing->next = 0;
}

static bool
listing_next(void *owner, PaperText *texts)
{
	Listing    *listing = owner;

	if (listing->next >= listing->count)
		return false;
	memcpy(texts, listing->texts + listing->next++ * listing->column_count, sizeof(PaperText) * (size_t) listing->column_count);
	return true;
}

static Listing *
make_listing(PdfFile *file, const char *heading, int column_count, int row_count)
{
	Listing    *listing = arena_alloc(&file->whole, sizeof(Listing));

	*listing = (Listing) {.column_count = column_count,.heading = heading,.table = make_table(file, column_count)};
	listing->texts = arena_alloc(&file->whole, sizeof(PaperText) * (size_t) (column_count * row_count + 1));
	listing->table->next = listing_next;
	listing->table->rewind = listing_rewind;
	listing->table->owner = listing;
	for (int i = 0; i < column_count; i++)
	{
		listing->table->least[i] = 6;
		listing->table->wanted[i] = 12;
	}
	return listing;
}

static void
add_text(Listing *listing, int place, const char *text, size_t length)
{
	int			word = 0;
	int			count = measure(text, length, &word);

	listing->texts[listing->count * listing->column_count + place] = (PaperText) {text, length};
	if (between(6, word, 20) > listing->table->least[place])
		listing->table->least[place] = between(6, word, 20);
	if (between(12, count, 80) > listing->table->wanted[place])
		listing->table->wanted[place] = between(12, count, 80);
}

/* Fields with a value: label and value. */
static Listing *
list_fields(PdfFile *file)
{
	const ExportInfo *info = file->info;
	Listing    *listing = make_listing(file, "Fields", 2, info->column_count);

	listing->table->titles = NULL;
	for (int i = 0; i < info->column_count; i++)
	{
		PaperText	text = text_of(file, i);

		if (text.length == 0 || info->columns[i].type == COLUMN_TABLE)
			continue;
		add_text(listing, 0, info->columns[i].title, strlen(info->columns[i].title));
		add_text(listing, 1, arena_copy(&file->whole, text.text, text.length), text.length);
		listing->count++;
	}
	return listing;
}

static Listing *
list_table(PdfFile *file, int column)
{
	const Column *of = &file->info->columns[column];
	int			count = row_count(&file->cells[column]);
	Listing    *listing = make_listing(file, of->title, of->count, count);
	Cell	   *lines = arena_alloc(&file->whole, sizeof(Cell) * (size_t) (count + 1));
	Cell	   *cells = arena_alloc(&file->whole, sizeof(Cell) * (size_t) (of->count + 1));

	for (int j = 0; j < of->count; j++)
		listing->table->titles[j] = of->fields[j].title;
	row_read(file->cells[column].text, file->cells[column].length, &file->whole, lines, count);
	for (int i = 0; i < count; i++)
	{
		row_read(lines[i].text, lines[i].length, &file->whole, cells, of->count);
		for (int j = 0; j < of->count; j++)
		{
			size_t		length;
			const char *text = row_text(&of->fields[j], &cells[j], file->dates, &file->whole, &length);

			add_text(listing, j, text, length);
		}
		listing->count++;
	}
	return listing;
}

static const char *
time_text(PdfFile *file, const Activity *activity)
{
	Cell		at = {CELL_TEXT, activity->at, strlen(activity->at)};
	size_t		length;
	const char *text = dates_text(file->dates, &at, true, &file->whole, &length);

	return arena_copy(&file->whole, text, length);
}

/* "transitioned: draft → submitted" */
static const char *
what_of(PdfFile *file, const Activity *activity)
{
	if (*activity->to == '\0' || strcmp(activity->from, activity->to) == 0)
		return activity->type;
	return arena_format(&file->whole, *activity->from ? "%s: %s \u2192 %s" : "%s%s: %s", activity->type, activity->from, activity->to);
}

/* Who did something, and for whom. */
static const char *
who_of(PdfFile *file, const Activity *activity)
{
	return *activity->principal ? arena_format(&file->whole, "%s for %s", activity->actor, activity->principal) : activity->actor;
}

static Listing *
list_activity(PdfFile *file)
{
	static const char *const titles[] = {"At", "Who", "What", "Comment"};
	const ExportInfo *info = file->info;
	Listing    *listing = make_listing(file, "Activity", 4, info->activity_count);

	memcpy(listing->table->titles, titles, sizeof(titles));
	for (int i = 0; i < info->activity_count; i++)
	{
		const Activity *activity = &info->activities[i];
		const char *texts[] = {time_text(file, activity), who_of(file, activity), what_of(file, activity), activity->comment};

		for (int j = 0; j < 4; j++)
			add_text(listing, j, texts[j], strlen(texts[j]));
		listing->count++;
	}
	return listing;
}

/* Who approved, rejected and signed what, and what the signature means. */
static Listing *
list_decisions(PdfFile *file)
{
	static const char *const titles[] = {"At", "Who", "What", "Signature", "Comment"};
	const ExportInfo *info = file->info;
	Listing    *listing = make_listing(file, "Approvals and signatures", 5, info->decision_count);

	memcpy(listing->table->titles, titles, sizeof(titles));
	for (int i = 0; i < info->decision_count; i++)
	{
		const Activity *decision = &info->decisions[i];
		const char *signature = *decision->signer ? arena_format(&file->whole, "%s: %s", decision->signer, decision->meaning) : "";
		const char *texts[] = {time_text(file, decision), who_of(file, decision), what_of(file, decision), signature, decision->comment};

		for (int j = 0; j < 5; j++)
			add_text(listing, j, texts[j], strlen(texts[j]));
		listing->count++;
	}
	return listing;
}

/* The pictures among the files of the record, at most MOST_PICTURES. */
static Picture *
list_pictures(PdfFile *file, int *count)
{
	const FileSource *source = file->info->files;
	Picture    *pictures = arena_alloc(&file->whole, sizeof(Picture) * MOST_PICTURES);
	FileEntry	entry;

	*count = 0;
	while (source && *count < MOST_PICTURES && source->next(source->owner, &file->whole, &entry))
		*count += picture_open(source, &entry, &file->whole, &pictures[*count]);
	return pictures;
}

static bool
write_report(PdfFile *file)
{
	const ExportInfo *info = file->info;
	Listing   **listings = arena_alloc(&file->whole, sizeof(Listing *) * (size_t) (info->column_count + 3));
	Picture    *pictures;
	int			picture_count;
	int			count = 0;
	const char *title = arena_format(&file->whole, "%s %s", info->module_name, info->code);
	Paper	   *paper;

	spool_rewind(file);
	if (!spool_read(file))
		return output_fail(file->output, "the record is gone");
	listings[count++] = list_fields(file);
	for (int i = 0; i < info->column_count; i++)
		if (info->columns[i].type == COLUMN_TABLE && row_count(&file->cells[i]) > 0)
			listings[count++] = list_table(file, i);
	if (info->decision_count > 0)
		listings[count++] = list_decisions(file);
	listings[count++] = list_activity(file);
	pictures = list_pictures(file, &picture_count);
	paper = paper_open(file->output, info->letter ? 612.0 : 595.276, info->letter ? 792.0 : 841.89, REPORT_FONT_SIZE);
	paper_properties(paper, title, info->actor, info_watermark(info, &file->whole));
	for (int i = 0; i < count; i++)
		paper_fit(paper, listings[i]->table);
	for (int dry = 1; dry >= 0; dry--)
	{
		paper_start(paper, dry);
		for (int i = 0; i < count; i++)
		{
			paper_heading(paper, listings[i]->heading);
			paper_table(paper, listings[i]->table);
		}
		if (picture_count > 0)
			paper_heading(paper, "Photos");
		for (int i = 0; i < picture_count; i++)
			paper_picture(paper, &pictures[i]);
	}
	paper_finish(paper);
	paper_free(paper);
	for (int i = 0; i < count; i++)
		free(listings[i]->table->lines);
	for (int i = 0; i < picture_count; i++)
		picture_close(&pictures[i]);
	return output_flush(file->output);
}

static bool
pdf_close(void *owner)
{
	PdfFile    *file = owner;

	if (file->output->failed)
		return false;
	return file->info->code ? write_report(file) : write_table(file);
}

static void
pdf_free(void *owner)
{
	PdfFile    *file = owner;

	if (file->spool)
		fclose(file->spool);
	dates_free(file->dates);
	arena_free(&file->arena);
	arena_free(&file->whole);
	free(file->line);
	free(file);
}

const FileFormat pdf_format = {"pdf", "application/pdf", pdf_open, pdf_row, pdf_close, pdf_free};
