/*
 * api_key.h
 *	  What reading and writing API keys share.
 */
#ifndef QEHS_API_KEY_H
#define QEHS_API_KEY_H

#include "lib/stringinfo.h"

#define KEY_COLUMNS "id, name, prefix, scopes, roles, modules, rate_limit, created_at, expires_at, revoked_at, " \
	"last_used_at, allowed_addresses, user_id"

/* Append a row of KEY_COLUMNS as an object, without its closing brace; never a secret. */
extern void api_key_write(StringInfo out, uint64 row);

#endif							/* QEHS_API_KEY_H */
