/*
 * apikey.h
 *	  Rows of qehs.api_key as JSON, new secrets, and the one answer for a key that there is not.
 */
#ifndef QEHS_APIKEY_H
#define QEHS_APIKEY_H

#include "caller/auth.h"

#define APIKEY_COLUMNS "id, name, prefix, scopes, roles, modules, rate_limit, created_at, expires_at, revoked_at, " \
	"last_used_at, allowed_addresses, user_id"

/* Append a row of APIKEY_COLUMNS of SPI_tuptable as an object, without its closing brace; never a secret. */
extern void apikey_write(StringInfo out, uint64 row);

/* Make a secret: its text in key (QEHS_KEY_MAX_LENGTH + 1 bytes), and for the table its prefix (text) and its SHA-256 (bytea). */
extern void apikey_make_secret(int32 tenant_id, KeyKind kind, char *key, Datum *prefix, Datum *hash);

/* Append the row of APIKEY_COLUMNS of a key just made, whole, with its secret, and set what such an answer carries. */
extern void apikey_write_new(StringInfo out, RequestContext *context, const char *key);

/* Raise the one QH404 of an API key. */
pg_noreturn extern void apikey_not_found(void);

#endif							/* QEHS_APIKEY_H */
