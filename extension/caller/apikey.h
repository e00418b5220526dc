/*
 * apikey.h
 *	  What reading and writing API keys share.
 */
#ifndef QEHS_APIKEY_H
#define QEHS_APIKEY_H

#include "lib/stringinfo.h"

#define KEY_COLUMNS "id, name, prefix, scopes, roles, modules, rate_limit, created_at, expires_at, revoked_at, " \
	"last_used_at, allowed_addresses, user_id"

/* Append a row of KEY_COLUMNS as an object, without its closing brace; never a secret. */
extern void apikey_write(StringInfo out, uint64 row);

#endif							/* QEHS_APIKEY_H */
