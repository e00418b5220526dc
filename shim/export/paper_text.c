/*
 * paper_text.c
 *	  Texts of a PDF as lines in a column.
 *
 * For each line that it breaks off Pango shapes all the rest of a paragraph again, so
 * that a long one would take as its square: it is given pieces, of each of which all
 * lines count but the last, with which the next piece begins.  A piece that is one line
 * however long, of combining marks or characters without width, is a line where it
 * is largest: nothing stops Pango meanwhile.  A text that goes on on another page
 * begins there where it was left.
 */
#include "export/paper.h"

#include <limits.h>
#include <string.h>

#define PIECE_BYTES 1024
#define PIECE_MOST (8 * PIECE_BYTES)

void
paper_measure_ascii(Paper *paper)
{
	for (int c = 0; c < 128; c++)
	{
		char		text[2] = {(char) (c < 32 || c == 127 ? 'M' : c), '\0'};
		PangoRectangle extents;

		pango_layout_set_text(paper->bold, text, 1);
		pango_layout_get_extents(paper->bold, NULL, &extents);
		paper->ascii[c] = (double) extents.width / PANGO_SCALE + 0.1;
	}
}

/* The end of a piece from start on that is size bytes long at most, between two characters. */
static size_t
piece_end(const PaperText *text, size_t start, size_t end, size_t size)
{
	size_t		at = start + size;

	if (at >= end)
		return end;
	while (at > start + 1 && ((unsigned char) text->text[at] & 0xC0) == 0x80)
		at--;
	return at;
}

/* Put the next piece of a paragraph into the layout; gives how many of its lines count, and in *after where the next begins: end at its end. */
static int
lay_out(PangoLayout *layout, const PaperText *text, const PaperPlace *place, size_t end, size_t *after)
{
	for (size_t size = PIECE_BYTES;; size *= 2)
	{
		size_t		stop = piece_end(text, place->byte, end, size);
		int			lines;

		*after = stop;
		/* the other half of a line end of Windows */
		if (stop == end && end < text->length && stop > place->byte && text->text[stop - 1] == '\r')
			stop--;
		pango_layout_set_text(layout, text->text + place->byte, (int) (stop - place->byte));
		lines = pango_layout_get_line_count(layout);
		if (*after == end || (lines == 1 && size >= PIECE_MOST))
			return lines;
		if (lines > 1)
		{
			*after = place->byte + (size_t) pango_layout_get_line_readonly(layout, lines - 1)->start_index;
			return lines - 1;
		}
	}
}

/* Show the first lines of a layout. */
static void
draw_lines(Paper *paper, PangoLayout *layout, int count, double x, double y)
{
	PangoLayoutIter *iterator = pango_layout_get_iter(layout);

	for (int i = 0; i < count; i++, pango_layout_iter_next_line(iterator))
	{
		PangoRectangle place;

		pango_layout_iter_get_line_extents(iterator, NULL, &place);
		cairo_move_to(paper->cairo, x + (double) place.x / PANGO_SCALE, y + (double) pango_layout_iter_get_baseline(iterator) / PANGO_SCALE);
		pango_cairo_show_layout_line(paper->cairo, pango_layout_iter_get_line_readonly(iterator));
	}
	pango_layout_iter_free(iterator);
}

/* Go over the lines of the next piece, most of them at most, at y if they are to be shown; gives their number. */
static int
flow_piece(Paper *paper, PangoLayout *layout, const PaperText *text, PaperPlace *place, int most, bool shown, double x, double y)
{
	const char *line_end = memchr(text->text + place->byte, '\n', text->length - place->byte);
	size_t		end = line_end ? (size_t) (line_end - text->text) : text->length;
	size_t		after;
	int			lines;
	int			taken;

	pango_layout_set_auto_dir(layout, !place->inside);
	pango_context_set_base_dir(paper->context, place->inside && place->direction == PANGO_DIRECTION_RTL ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_WEAK_LTR);
	pango_layout_context_changed(layout);
	lines = lay_out(layout, text, place, end, &after);
	if (!place->inside)
		place->direction = pango_layout_line_get_resolved_direction(pango_layout_get_line_readonly(layout, 0));
	taken = lines < most ? lines : most;
	if (shown)
		draw_lines(paper, layout, taken, x, y);
	if (taken < lines || after < end)
	{
		place->byte = taken < lines ? place->byte + (size_t) pango_layout_get_line_readonly(layout, taken)->start_index : after;
		place->inside = true;
		return taken;
	}
	place->inside = false;
	place->ended = line_end == NULL;
	place->byte = end + 1;
	return taken;
}

/* The same of all pieces. */
static int
flow(Paper *paper, PangoLayout *layout, const PaperText *text, PaperPlace *place, int most, bool shown, double x, double y)
{
	int			lines = 0;

	while (lines < most && !place->ended)
		lines += flow_piece(paper, layout, text, place, most - lines, shown, x, y + lines * paper->line);
	pango_layout_set_auto_dir(layout, TRUE);
	pango_context_set_base_dir(paper->context, PANGO_DIRECTION_WEAK_LTR);
	pango_layout_context_changed(layout);
	return lines;
}

int
paper_count_lines(Paper *paper, PangoLayout *layout, const PaperText *text, double width)
{
	PaperPlace	place = {0};
	double		used = 0;
	size_t		i = 0;

	for (; i < text->length && used <= width && (unsigned char) text->text[i] < 128 && text->text[i] != '\n' && text->text[i] != '\r'; i++)
		used += paper->ascii[(unsigned char) text->text[i]];
	if (i == text->length && used <= width)
		return 1;
	pango_layout_set_width(layout, (int) (width * PANGO_SCALE));
	return flow(paper, layout, text, &place, INT_MAX, false, 0, 0);
}

void
paper_show_lines(Paper *paper, PangoLayout *layout, const PaperText *text, PaperPlace *place, int most, double x, double y, double width)
{
	if (text->length == 0)
		return;
	pango_layout_set_width(layout, (int) (width * PANGO_SCALE));
	flow(paper, layout, text, place, most, true, x, y);
}
