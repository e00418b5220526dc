/*
 * output.c
 *	  Bytes of a file, gathered before they are handed on.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "export/file.h"

bool
output_fail(Output *output, const char *format,...)
{
	va_list		arguments;

	if (!output->failed)
	{
		va_start(arguments, format);
		vsnprintf(output->message, sizeof(output->message), format, arguments);
		va_end(arguments);
	}
	output->failed = true;
	return false;
}

bool
output_flush(Output *output)
{
	if (!output->failed && output->used > 0 && !output->put(output, output->buffer, output->used))
		output_fail(output, "could not write the file");
	output->used = 0;
	return !output->failed;
}

bool
output_write(Output *output, const void *bytes, size_t length)
{
	if (output->used + length > sizeof(output->buffer) && !output_flush(output))
		return false;
	if (length > sizeof(output->buffer))
		return output->put(output, bytes, length) || output_fail(output, "could not write the file");
	memcpy(output->buffer + output->used, bytes, length);
	output->used += length;
	return !output->failed;
}
