/*
 * credential.c
 *	  Hashing by libxcrypt.
 *
 * The library's memory is its own (malloc), freed before anything can be raised.
 */
#include "base/compat.h"

#include <crypt.h>

#include "caller/credential.h"

/* crypt_ra in the current memory context; NULL when it fails. */
static char *
hash_with(const char *secret, const char *setting)
{
	void	   *data = NULL;
	int			size = 0;
	char	   *hash = crypt_ra(secret, setting, &data, &size);
	char	   *copy = hash ? MemoryContextAllocExtended(CurrentMemoryContext, strlen(hash) + 1, MCXT_ALLOC_NO_OOM) : NULL;

	if (copy)
		strcpy(copy, hash);
	if (data)
		explicit_bzero(data, size);
	free(data);
	return copy;
}

char *
credential_hash(const char *secret)
{
	char	   *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
	char	   *hash = setting ? hash_with(secret, setting) : NULL;

	free(setting);
	if (hash == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not hash a secret: %m")));
	return hash;
}

bool
credential_fits(const char *secret, const char *hash)
{
	char	   *made = hash_with(secret, hash);

	return made && strlen(made) == strlen(hash) && timingsafe_bcmp(made, hash, strlen(hash)) == 0;
}
