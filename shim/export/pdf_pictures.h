/*
 * pdf_pictures.h
 *	  Photos of a report: PNG and JPEG files, upright as their camera was held.
 */
#ifndef QEHS_PDF_PICTURES_H
#define QEHS_PDF_PICTURES_H

#include <cairo.h>

#include "export/file.h"

typedef struct Picture
{
	const char *title;			/* the name of its file */
	int			file;			/* -1: could not be had, or cannot be shown */
	bool		jpeg;
	size_t		size;			/* bytes */
	int			width;			/* pixels, as it is shown */
	int			height;
	int			orientation;	/* 1 to 8: which sides of what is shown its first row and column are (Exif 2.3, tag 0x0112) */
} Picture;

/*
 * Open an attachment that is a picture and read how large it is; the title lives in the arena.  False when it is none.
 * Pictures of more bytes or pixels than a report is to hold have no file.
 */
extern bool picture_open(const FileSource *source, const FileEntry *entry, Arena *arena, Picture *picture);
/* Its pixels, or a JPEG as it is; NULL when they cannot be read.  The caller destroys the surface. */
extern cairo_surface_t *picture_surface(const Picture *picture);
/* How its pixels come to where they are shown. */
extern void picture_matrix(const Picture *picture, cairo_matrix_t *matrix);
extern void picture_close(Picture *picture);

#endif							/* QEHS_PDF_PICTURES_H */
