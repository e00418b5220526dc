/*
 * token.h
 *	  Bearer tokens that are JWTs (RFC 7519, RFC 9068): the second way to call,
 *	  beside API keys.  Off unless --jwt-keys names a file.
 */
#ifndef QEHS_TOKEN_H
#define QEHS_TOKEN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/config.h"

/*
 * Load the JSON Web Key Set (RFC 7517) of config->jwt_keys; again to follow a
 * change.  False with a message when it cannot be used; the old one stays.
 */
extern bool token_load(const Config *config, char *message, size_t size);

/* Is the text a JWT, and is the door open? */
extern bool token_is_one(const char *text);

/*
 * Verify signature (RS256, ES256), exp, nbf, iss and aud.  Gives
 * {"tenant","user","roles"} for request_begin, roles absent when the token has
 * none; NULL when the token is not valid.
 */
extern const char *token_verify(const char *text, Arena *arena);

#endif							/* QEHS_TOKEN_H */
