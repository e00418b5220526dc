/*
 * paper.c
 *	  Pages of a PDF, by Pango, which shapes and wraps text of any script, and Cairo.
 */
#include "export/paper.h"

#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

#define FONT "Noto Sans, sans-serif"
#define PADDING 2.5
#define HEAD_HEIGHT 18.0
#define FOOT_HEIGHT 18.0
/* The width of an average character, in font sizes. */
#define CHARACTER 0.6

static double
bottom(const Paper *paper)
{
	return paper->height - PAPER_MARGIN - FOOT_HEIGHT;
}

static double
top(void)
{
	return PAPER_MARGIN + HEAD_HEIGHT;
}

int
paper_characters(double width, double font_size)
{
	return (int) ((width - 2 * PAPER_MARGIN) / (font_size * CHARACTER));
}

/* ---- text ---- */

static PangoLayout *
make_layout(const Paper *paper, double size, bool bold)
{
	PangoLayout *layout = pango_layout_new(paper->context);
	PangoFontDescription *font = pango_font_description_from_string(FONT);
	PangoAttrList *attributes = pango_attr_list_new();

	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	if (bold)
		pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	pango_attr_list_insert(attributes, pango_attr_line_height_new_absolute((int) (paper->line * PANGO_SCALE)));
	/* a word that is broken gets none, so that who copies it has what was there */
	pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
	pango_layout_set_attributes(layout, attributes);
	pango_attr_list_unref(attributes);
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	return layout;
}

/* One line that is cut where the column ends. */
static void
show_line(Paper *paper, const char *text, double y, PangoAlignment alignment)
{
	double		width = paper->width - 2 * PAPER_MARGIN - (alignment == PANGO_ALIGN_LEFT ? 80 : 0);

	pango_layout_set_height(paper->body, 0);
	pango_layout_set_ellipsize(paper->body, PANGO_ELLIPSIZE_END);
	pango_layout_set_width(paper->body, (int) (width * PANGO_SCALE));
	pango_layout_set_alignment(paper->body, alignment);
	pango_layout_set_text(paper->body, text, -1);
	cairo_move_to(paper->cairo, PAPER_MARGIN, y);
	pango_cairo_show_layout(paper->cairo, paper->body);
	pango_layout_set_ellipsize(paper->body, PANGO_ELLIPSIZE_NONE);
	pango_layout_set_height(paper->body, -1);
}

static void
rule(Paper *paper, double y, double grey)
{
	if (paper->dry)
		return;
	cairo_set_source_rgb(paper->cairo, grey, grey, grey);
	cairo_set_line_width(paper->cairo, 0.4);
	cairo_move_to(paper->cairo, PAPER_MARGIN, y);
	cairo_line_to(paper->cairo, paper->width - PAPER_MARGIN, y);
	cairo_stroke(paper->cairo);
	cairo_set_source_rgb(paper->cairo, 0, 0, 0);
}

/* ---- pages ---- */

static void
begin_page(Paper *paper)
{
	char		number[64];

	if (paper->page > 0 && !paper->dry)
		cairo_show_page(paper->cairo);
	paper->page++;
	paper->y = top();
	if (paper->dry)
		return;
	cairo_set_source_rgb(paper->cairo, 0.35, 0.35, 0.35);
	show_line(paper, paper->title, PAPER_MARGIN - 4, PANGO_ALIGN_LEFT);
	show_line(paper, paper->watermark, paper->height - PAPER_MARGIN - 8, PANGO_ALIGN_LEFT);
	snprintf(number, sizeof(number), "page %d of %d", paper->page, paper->page_count);
	show_line(paper, number, paper->height - PAPER_MARGIN - 8, PANGO_ALIGN_RIGHT);
	cairo_set_source_rgb(paper->cairo, 0, 0, 0);
	rule(paper, paper->height - PAPER_MARGIN - 11, 0.7);
}

void
paper_start(Paper *paper, bool dry)
{
	if (!dry)
		paper->page_count = paper->page;
	paper->dry = dry;
	paper->page = 0;
	begin_page(paper);
}

void
paper_finish(Paper *paper)
{
	cairo_show_page(paper->cairo);
	cairo_surface_finish(paper->surface);
	if (cairo_surface_status(paper->surface) != CAIRO_STATUS_SUCCESS)
		output_fail(paper->output, "could not write the pages: %s", cairo_status_to_string(cairo_surface_status(paper->surface)));
}

void
paper_heading(Paper *paper, const char *text)
{
	PaperText	line = {text, strlen(text)};
	PaperPlace	place = {0};
	int			lines = paper_count_lines(paper, paper->bold, &line, paper->width - 2 * PAPER_MARGIN);
	double		height = lines * paper->line + 12;

	/* with room for some of what follows */
	if (paper->y + height + 4 * paper->line > bottom(paper))
		begin_page(paper);
	if (!paper->dry)
	{
		pango_layout_set_alignment(paper->bold, PANGO_ALIGN_LEFT);
		paper_show_lines(paper, paper->bold, &line, &place, lines, PAPER_MARGIN, paper->y + 8, paper->width - 2 * PAPER_MARGIN);
	}
	paper->y += height;
}

/* ---- pictures ---- */

/* Pixels are shown as 150 of an inch, or smaller, to fit. */
#define POINTS_A_PIXEL (72.0 / 150.0)

static void
draw(Paper *paper, const Picture *picture, double scale)
{
	cairo_surface_t *surface = picture_surface(picture);
	cairo_matrix_t upright;

	if (surface == NULL)
		return;
	cairo_save(paper->cairo);
	cairo_translate(paper->cairo, PAPER_MARGIN, paper->y);
	cairo_scale(paper->cairo, scale, scale);
	picture_matrix(picture, &upright);
	cairo_transform(paper->cairo, &upright);
	cairo_set_source_surface(paper->cairo, surface, 0, 0);
	cairo_paint(paper->cairo);
	cairo_restore(paper->cairo);
	cairo_surface_destroy(surface);
}

void
paper_picture(Paper *paper, const Picture *picture)
{
	PaperText	title = {picture->title, strlen(picture->title)};
	double		width = paper->width - 2 * PAPER_MARGIN;
	PaperPlace	place = {0};
	int			lines = paper_count_lines(paper, paper->body, &title, width);
	double		text_height = lines * paper->line + 8;
	double		scale = POINTS_A_PIXEL;
	double		height = 0;

	if (picture->file >= 0)
	{
		scale = fmin(scale, width / picture->width);
		scale = fmin(scale, (bottom(paper) - top()) / 2 / picture->height);
		height = picture->height * scale + 4;
	}
	if (paper->y + height + text_height > bottom(paper))
		begin_page(paper);
	if (!paper->dry && picture->file >= 0)
		draw(paper, picture, scale);
	paper->y += height;
	if (!paper->dry)
	{
		pango_layout_set_alignment(paper->body, PANGO_ALIGN_LEFT);
		paper_show_lines(paper, paper->body, &title, &place, lines, PAPER_MARGIN, paper->y, width);
	}
	paper->y += text_height;
}

/* ---- tables ---- */

void
paper_fit(const Paper *paper, PaperTable *table)
{
	double		width = paper->width - 2 * PAPER_MARGIN;
	double		character = paper->font_size * CHARACTER;
	double		least = 0;
	double		wanted = 0;

	for (int i = 0; i < table->column_count; i++)
	{
		least += table->least[i] * character + 2 * PADDING;
		wanted += table->wanted[i] * character + 2 * PADDING;
	}
	for (int i = 0; i < table->column_count; i++)
	{
		double		small = table->least[i] * character + 2 * PADDING;
		double		large = table->wanted[i] * character + 2 * PADDING;

		if (wanted <= width)
			table->widths[i] = large * width / wanted;
		else if (least >= width)
			table->widths[i] = small * width / least;
		else
			table->widths[i] = small + (large - small) * (width - least) / (wanted - least);
	}
}

/* Lines of the highest cell. */
static int
row_lines(Paper *paper, const PaperTable *table, PangoLayout *layout, const PaperText *texts)
{
	int			lines = 1;

	for (int i = 0; i < table->column_count; i++)
	{
		int			count = paper_count_lines(paper, layout, &texts[i], table->widths[i] - 2 * PADDING);

		if (count > lines)
			lines = count;
	}
	return lines > UINT16_MAX ? UINT16_MAX : lines;
}

/* The texts of a row, and how far they are shown. */
typedef struct PaperRow
{
	PaperText  *texts;
	PaperPlace *places;
} PaperRow;

static void
begin_row(const PaperTable *table, PaperRow *row)
{
	memset(row->places, 0, (size_t) table->column_count * sizeof(PaperPlace));
}

/* Show the next lines of a row, count of them at most. */
static void
show_row(Paper *paper, const PaperTable *table, PangoLayout *layout, const PaperRow *row, int count)
{
	double		x = PAPER_MARGIN;

	for (int i = 0; i < table->column_count; i++)
	{
		pango_layout_set_alignment(layout, table->right[i] ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
		paper_show_lines(paper, layout, &row->texts[i], &row->places[i], count, x + PADDING, paper->y + PADDING, table->widths[i] - 2 * PADDING);
		x += table->widths[i];
	}
}

static void
show_head(Paper *paper, const PaperTable *table, PaperRow *head)
{
	int			lines;
	double		height;

	if (table->titles == NULL)
		return;
	for (int i = 0; i < table->column_count; i++)
		head->texts[i] = (PaperText) {table->titles[i], strlen(table->titles[i])};
	begin_row(table, head);
	lines = row_lines(paper, table, paper->bold, head->texts);
	height = lines * paper->line + 2 * PADDING;
	if (!paper->dry)
	{
		cairo_set_source_rgb(paper->cairo, 0.906, 0.925, 0.937);
		cairo_rectangle(paper->cairo, PAPER_MARGIN, paper->y, paper->width - 2 * PAPER_MARGIN, height);
		cairo_fill(paper->cairo);
		cairo_set_source_rgb(paper->cairo, 0, 0, 0);
		show_row(paper, table, paper->bold, head, lines);
	}
	paper->y += height;
	rule(paper, paper->y, 0.4);
}

/* Lines of which there is room on the page. */
static int
room(const Paper *paper)
{
	return (int) ((bottom(paper) - paper->y - 2 * PADDING) / paper->line);
}

static void
flow_row(Paper *paper, const PaperTable *table, PaperRow *row, PaperRow *head, int lines)
{
	int			first = 0;

	begin_row(table, row);
	while (first < lines)
	{
		int			fitting = room(paper);
		int			left = lines - first;

		/* a row that would fit on a page of its own is not broken */
		if (fitting < 1 || (left > fitting && first == 0 && paper->y > top() + 60 && left < (bottom(paper) - top()) / paper->line / 2))
		{
			begin_page(paper);
			show_head(paper, table, head);
			fitting = room(paper);
		}
		if (fitting < 1)
			fitting = 1;
		if (left < fitting)
			fitting = left;
		if (!paper->dry)
			show_row(paper, table, paper->body, row, fitting);
		paper->y += fitting * paper->line + 2 * PADDING;
		first += fitting;
	}
	rule(paper, paper->y, 0.85);
}

/* Keep how many lines a row has. */
static void
note_lines(PaperTable *table, size_t row, int lines)
{
	/* room for twice as many whenever the number is a power of two */
	if (row >= 64 ? (row & (row - 1)) == 0 : row == 0)
	{
		table->lines = realloc(table->lines, sizeof(uint16_t) * (row < 64 ? 64 : row * 2));
		if (table->lines == NULL)
			abort();
	}
	table->lines[row] = (uint16_t) lines;
	table->row_count = row + 1;
}

void
paper_table(Paper *paper, PaperTable *table)
{
	size_t		count = (size_t) table->column_count;
	PaperRow	row = {calloc(count * 2, sizeof(PaperText)), calloc(count * 2, sizeof(PaperPlace))};
	PaperRow	head = {row.texts + count, row.places + count};

	if (row.texts == NULL || row.places == NULL)
		abort();
	if (room(paper) < 4)
		begin_page(paper);
	show_head(paper, table, &head);
	table->rewind(table->owner);
	for (size_t number = 0; !paper->output->failed && table->next(table->owner, row.texts); number++)
	{
		if (paper->dry)
			note_lines(table, number, row_lines(paper, table, paper->body, row.texts));
		flow_row(paper, table, &row, &head, table->lines[number]);
	}
	free(row.texts);
	free(row.places);
}

/* ---- the file ---- */

static cairo_status_t
put(void *owner, const unsigned char *bytes, unsigned int length)
{
	return output_write(owner, bytes, length) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

Paper *
paper_open(Output *output, double width, double height, double font_size)
{
	Paper	   *paper = calloc(1, sizeof(Paper));
	cairo_font_options_t *options = cairo_font_options_create();

	if (paper == NULL)
		abort();
	paper->output = output;
	paper->width = width;
	paper->height = height;
	paper->font_size = font_size;
	paper->line = font_size * 1.36;
	paper->surface = cairo_pdf_surface_create_for_stream(put, output, width, height);
	paper->cairo = cairo_create(paper->surface);
	/* of this file alone, so that it goes with it and threads share nothing */
	paper->fonts = pango_cairo_font_map_new();
	paper->context = pango_font_map_create_context(paper->fonts);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	pango_cairo_context_set_font_options(paper->context, options);
	cairo_font_options_destroy(options);
	/* as the font has them: what reads the text takes gaps for spaces */
	pango_context_set_round_glyph_positions(paper->context, FALSE);
	pango_cairo_update_context(paper->cairo, paper->context);
	paper->body = make_layout(paper, font_size, false);
	paper->bold = make_layout(paper, font_size, true);
	paper_measure_ascii(paper);
	return paper;
}

void
paper_properties(Paper *paper, const char *title, const char *author, const char *comment)
{
	cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_TITLE, title);
	cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_AUTHOR, author);
	cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_SUBJECT, comment);
	paper->title = title;
	paper->watermark = comment;
}

void
paper_free(Paper *paper)
{
	g_object_unref(paper->body);
	g_object_unref(paper->bold);
	g_object_unref(paper->context);
	g_object_unref(paper->fonts);
	cairo_destroy(paper->cairo);
	cairo_surface_destroy(paper->surface);
	free(paper);
}
