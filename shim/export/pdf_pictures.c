/*
 * pdf_pictures.c
 *	  A JPEG goes into the PDF as it is (cairo's MIME data), a PNG as pixels; both are
 *	  read when they are drawn, so that no more than those of a page are in memory.
 *
 * The size in pixels stands in a PNG's first chunk (RFC 2083 section 4.1.1) and in a
 * JPEG's frame header (ITU-T T.81 section B.2.2); how the camera was held in the Exif
 * data before that, which libexif reads.  The JPEG is not turned, but painted so.
 */
#include "export/pdf_pictures.h"

#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_JPEG_BYTES (12 * 1024 * 1024)
#define MOST_JPEG_PIXELS 50000000
#define MOST_PNG_PIXELS 6000000

static unsigned int
read_number(const unsigned char *bytes, int count)
{
	unsigned int number = 0;

	for (int i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

static bool
read_at(int file, off_t at, unsigned char *bytes, size_t length)
{
	return pread(file, bytes, length, at) == (ssize_t) length;
}

/* Are its rows columns of what is shown? */
static bool
is_turned(const Picture *picture)
{
	return picture->orientation > 4;
}

static bool
measure_png(Picture *picture)
{
	unsigned char head[24];

	if (!read_at(picture->file, 0, head, sizeof(head)) || memcmp(head, "\x89PNG\r\n\x1a\n", 8) != 0)
		return false;
	picture->width = (int) read_number(head + 16, 4);
	picture->height = (int) read_number(head + 20, 4);
	return picture->width > 0 && picture->height > 0 && (double) picture->width * picture->height <= MOST_PNG_PIXELS;
}

/* The orientation that an APP1 segment says; 1 when it says none. */
static int
read_orientation(int file, off_t at, size_t length)
{
	static const unsigned char begin[] = "Exif\0";	/* and a NUL */
	unsigned char *bytes = malloc(length + 1);
	ExifData   *data = bytes && length > sizeof(begin) && read_at(file, at, bytes, length) && memcmp(bytes, begin, sizeof(begin)) == 0 ? exif_data_new() : NULL;
	ExifEntry  *entry;
	int			orientation = 1;

	if (data)
	{
		exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
		exif_data_load_data(data, bytes, (unsigned int) length);
		entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
		if (entry && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
			orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
		exif_data_unref(data);
	}
	free(bytes);
	return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/* From marker to marker, up to the frame header; grey or three colours, 8 bits, as PDF takes them. */
static bool
measure_jpeg(Picture *picture)
{
	unsigned char head[10];
	off_t		at = 2;

	if (!read_at(picture->file, 0, head, 2) || head[0] != 0xFF || head[1] != 0xD8)
		return false;
	while (read_at(picture->file, at, head, sizeof(head)) && head[0] == 0xFF)
	{
		unsigned char marker = head[1];

		/* fill bytes may stand before a marker */
		if (marker == 0xFF)
		{
			at++;
			continue;
		}
		if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC)
		{
			picture->height = (int) read_number(head + (is_turned(picture) ? 7 : 5), 2);
			picture->width = (int) read_number(head + (is_turned(picture) ? 5 : 7), 2);
			return head[4] == 8 && (head[9] == 1 || head[9] == 3) && picture->width > 0 && picture->height > 0 &&
				(double) picture->width * picture->height <= MOST_JPEG_PIXELS;
		}
		if (marker == 0xE1 && picture->orientation == 1)
			picture->orientation = read_orientation(picture->file, at + 4, read_number(head + 2, 2) - 2);
		at += 2 + (off_t) read_number(head + 2, 2);
	}
	return false;
}

bool
picture_open(const FileSource *source, const FileEntry *entry, Arena *arena, Picture *picture)
{
	int64_t		size = 0;
	bool		measured;

	*picture = (Picture) {.file = -1,.orientation = 1,.jpeg = strncmp(entry->content_type, "image/jpeg", 10) == 0};
	if (!picture->jpeg && strncmp(entry->content_type, "image/png", 9) != 0)
		return false;
	picture->title = arena_copy(arena, entry->filename, strlen(entry->filename));
	picture->file = source->open(source->owner, entry, &size);
	if (picture->file < 0)
		return true;
	picture->size = (size_t) size;
	measured = picture->jpeg ? size <= MOST_JPEG_BYTES && measure_jpeg(picture) : measure_png(picture);
	if (!measured)
		picture_close(picture);
	return true;
}

static cairo_surface_t *
jpeg_surface(const Picture *picture)
{
	unsigned char *bytes = malloc(picture->size + 1);
	cairo_surface_t *surface;

	if (bytes == NULL || !read_at(picture->file, 0, bytes, picture->size))
	{
		free(bytes);
		return NULL;
	}
	/* nobody looks at its pixels, whose memory is not touched */
	surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, is_turned(picture) ? picture->height : picture->width,
										 is_turned(picture) ? picture->width : picture->height);
	if (cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, bytes, picture->size, free, bytes) != CAIRO_STATUS_SUCCESS)
	{
		free(bytes);
		cairo_surface_destroy(surface);
		return NULL;
	}
	return surface;
}

/* Where a PNG is read. */
typedef struct PngReader
{
	int			file;
	off_t		at;
} PngReader;

static cairo_status_t
read_png(void *closure, unsigned char *bytes, unsigned int length)
{
	PngReader  *reader = closure;

	if (!read_at(reader->file, reader->at, bytes, length))
		return CAIRO_STATUS_READ_ERROR;
	reader->at += length;
	return CAIRO_STATUS_SUCCESS;
}

cairo_surface_t *
picture_surface(const Picture *picture)
{
	PngReader	reader = {picture->file, 0};
	cairo_surface_t *surface = picture->jpeg ? jpeg_surface(picture) : cairo_image_surface_create_from_png_stream(read_png, &reader);

	if (surface && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
	{
		cairo_surface_destroy(surface);
		return NULL;
	}
	return surface;
}

void
picture_matrix(const Picture *picture, cairo_matrix_t *matrix)
{
	/* to the right and down by a column, and by a row; and whether it begins at the right, at the bottom */
	static const struct
	{
		signed char column[2];
		signed char row[2];
		bool		from_right;
		bool		from_bottom;
	}			ways[] = {
		{{1, 0}, {0, 1}, false, false}, {{-1, 0}, {0, 1}, true, false}, {{-1, 0}, {0, -1}, true, true}, {{1, 0}, {0, -1}, false, true},
		{{0, 1}, {1, 0}, false, false}, {{0, 1}, {-1, 0}, true, false}, {{0, -1}, {-1, 0}, true, true}, {{0, -1}, {1, 0}, false, true},
	};
	int			way = picture->orientation - 1;

	cairo_matrix_init(matrix, ways[way].column[0], ways[way].column[1], ways[way].row[0], ways[way].row[1],
					  ways[way].from_right ? picture->width : 0, ways[way].from_bottom ? picture->height : 0);
}

void
picture_close(Picture *picture)
{
	if (picture->file >= 0)
		close(picture->file);
	picture->file = -1;
}
