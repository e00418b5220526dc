/*
 * temporary.c
 *	  tmpfile() of the C library, which knows no TMPDIR.
 */
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int
temporary_file(void)
{
	const char *folder = getenv("TMPDIR");
	char		path[4096];
	int			file;

	snprintf(path, sizeof(path), "%s/qehs-shim.XXXXXX", folder && *folder ? folder : "/tmp");
	file = mkostemp(path, O_CLOEXEC);
	if (file >= 0)
		unlink(path);
	return file;
}

FILE *
temporary_stream(void)
{
	int			file = temporary_file();
	FILE	   *stream = file < 0 ? NULL : fdopen(file, "w+");

	if (file >= 0 && stream == NULL)
	{
		int			reason = errno;

		close(file);
		errno = reason;
	}
	return stream;
}
