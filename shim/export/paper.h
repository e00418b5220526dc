/*
 * paper.h
 *	  Pages of a PDF: headings and tables that flow over them.
 *
 * What is to be shown is run through twice, dry first: that counts the pages, so
 * that each can say "page x of y", and keeps how many lines the rows have.  All
 * lines are equally high, whatever script they are of, so a row that is higher than
 * a page goes on on the next one between two lines.
 */
#ifndef QEHS_PAPER_H
#define QEHS_PAPER_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "export/pdf_pictures.h"

typedef struct PaperText
{
	const char *text;
	size_t		length;
} PaperText;

typedef struct PaperTable
{
	int			column_count;
	const char **titles;		/* NULL: no head */
	bool	   *right;			/* aligned, as numbers are */
	double	   *widths;			/* points, set by paper_fit */
	/* Give the next row's texts; false at the end.  rewind goes back to the first. */
	bool		(*next) (void *owner, PaperText *texts);
	void		(*rewind) (void *owner);
	void	   *owner;
	/* characters that the columns want: at least, and to show most texts in one line */
	int		   *least;
	int		   *wanted;
	uint16_t   *lines;			/* of each row, known after the dry run */
	size_t		row_count;
} PaperTable;

typedef struct Paper
{
	Output	   *output;
	cairo_surface_t *surface;
	cairo_t    *cairo;
	PangoFontMap *fonts;
	PangoContext *context;
	PangoLayout *body;
	PangoLayout *bold;
	double		width;
	double		height;
	double		font_size;
	double		line;			/* height of a line */
	double		ascii[128];		/* widths of characters, a little more than they are */
	bool		dry;
	int			page;
	int			page_count;
	double		y;				/* where the next thing goes */
	const char *title;			/* at the head of each page */
	const char *watermark;		/* at its foot */
} Paper;

#define PAPER_MARGIN 28.0

/* Begin; the output gets the file.  size: of the text in points. */
extern Paper *paper_open(Output *output, double width, double height, double font_size);
extern void paper_properties(Paper *paper, const char *title, const char *author, const char *comment);
extern void paper_free(Paper *paper);

/* Begin the dry run, then the real one; end the latter. */
extern void paper_start(Paper *paper, bool dry);
extern void paper_finish(Paper *paper);

/* Characters that fit into the width of a page at a font size. */
extern int	paper_characters(double width, double font_size);

/* Share the width of the page among the columns. */
extern void paper_fit(const Paper *paper, PaperTable *table);

/* Show a heading; a table. */
extern void paper_heading(Paper *paper, const char *text);
extern void paper_table(Paper *paper, PaperTable *table);

/* ---- paper_text.c ---- */

/* How far a text is shown; zero at its beginning. */
typedef struct PaperPlace
{
	size_t		byte;			/* where the next line begins */
	bool		inside;			/* not at the beginning of a paragraph */
	bool		ended;
	PangoDirection direction;	/* of the paragraph */
} PaperPlace;

/* How wide each ASCII character is, to know without shaping that a short text is one line: when the layouts are there. */
extern void paper_measure_ascii(Paper *paper);

/* Lines of a text in a column. */
extern int	paper_count_lines(Paper *paper, PangoLayout *layout, const PaperText *text, double width);

/* Show the lines from a place on, most of them at most, which is moved behind them. */
extern void paper_show_lines(Paper *paper, PangoLayout *layout, const PaperText *text, PaperPlace *place, int most, double x, double y, double width);

/* ---- paper.c ---- */

/* Show a picture, at most as wide as the page and half as high, with its title below; without its file only that. */
extern void paper_picture(Paper *paper, const Picture *picture);

#endif							/* QEHS_PAPER_H */
