/*
 * format.c
 *	  The formats of files by their names.
 */
#include <string.h>

#include "export/file.h"

const FileFormat *
format_find(const char *name)
{
	static const FileFormat *const formats[] = {&csv_format, &ndjson_format, &xlsx_format, &pdf_format, &json_format};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}
