/*
 * fault.c
 *	  What a failed system call means for an object, for both stores.
 */
#include "storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/store.h"

StorageOutcome
storage_fault_errno(StorageFault *fault, const char *what)
{
	int			code = errno;

	snprintf(fault->message, sizeof(fault->message), "%s: %s", what, strerror(code));
	return code == ENOSPC || code == EDQUOT || code == EFBIG ? STORAGE_FULL : STORAGE_FAILED;
}
