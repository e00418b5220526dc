/*
 * ndjson.c
 *	  Exports as lines of JSON: the lines of the database as they are.
 */
#include "export/file.h"

static void *
ndjson_open(const ExportInfo *info, Output *output)
{
	(void) info;
	return output;
}

static bool
ndjson_row(void *file, const char *line, size_t length)
{
	return output_write(file, line, length) && output_write(file, "\n", 1);
}

static bool
ndjson_close(void *file)
{
	return output_flush(file);
}

static void
ndjson_free(void *file)
{
	(void) file;
}

const FileFormat ndjson_format = {"ndjson", "application/x-ndjson", ndjson_open, ndjson_row, ndjson_close, ndjson_free};
