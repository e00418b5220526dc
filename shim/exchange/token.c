/*
 * token.c
 *	  JWTs through cjose; the only file that includes it.
 *
 * The algorithm is taken from the type of the key, never from the token alone:
 * a header that names another one is refused (RFC 8725 section 3.1), and so is
 * one with extensions that must be understood (RFC 7515 section 4.1.11).  Keys
 * that are not for these signatures, or too short for them (RFC 7518 section 3.3),
 * are left out when they are read.  Keys are read under a lock that only a reload
 * takes for writing.
 */
#include "exchange/token.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_KEYS 32
#define LEEWAY_SECONDS 60
#define LEAST_RSA_BITS 2048

typedef struct KeySet
{
	int			count;
	cjose_jwk_t *keys[MAX_KEYS];
} KeySet;

static KeySet *keys = NULL;
static const Config *settings = NULL;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void
free_keys(KeySet *set)
{
	for (int i = 0; set && i < set->count; i++)
		cjose_jwk_release(set->keys[i]);
	free(set);
}

/* A key that says nothing against verifying RS256 or ES256 with it. */
static bool
is_for_signatures(const json_t *key)
{
	const char *use = json_string_value(json_object_get(key, "use"));
	const char *algorithm = json_string_value(json_object_get(key, "alg"));

	return (use == NULL || strcmp(use, "sig") == 0) &&
		(algorithm == NULL || strcmp(algorithm, CJOSE_HDR_ALG_RS256) == 0 || strcmp(algorithm, CJOSE_HDR_ALG_ES256) == 0);
}

static bool
is_strong(const cjose_jwk_t *key)
{
	cjose_err	error;

	switch (cjose_jwk_get_kty(key, &error))
	{
		case CJOSE_JWK_KTY_RSA:
			return cjose_jwk_get_keysize(key, &error) >= LEAST_RSA_BITS;
		case CJOSE_JWK_KTY_EC:
			return cjose_jwk_EC_get_curve(key, &error) == CJOSE_JWK_EC_P_256;
		default:
			return false;
	}
}

static KeySet *
read_keys(const json_t *document)
{
	const json_t *list = json_object_get(document, "keys");
	KeySet	   *set = calloc(1, sizeof(KeySet));

	if (set == NULL)
		abort();
	for (size_t i = 0; i < json_array_size(list) && set->count < MAX_KEYS; i++)
	{
		char	   *text = is_for_signatures(json_array_get(list, i)) ? json_dumps(json_array_get(list, i), JSON_COMPACT) : NULL;
		cjose_err	error;
		cjose_jwk_t *key = text ? cjose_jwk_import(text, strlen(text), &error) : NULL;

		free(text);
		if (key && is_strong(key))
			set->keys[set->count++] = key;
		else if (key)
			cjose_jwk_release(key);
	}
	return set;
}

bool
token_load(const Config *config, char *message, size_t size)
{
	json_error_t error;
	json_t	   *document;
	KeySet	   *set;
	KeySet	   *old;

	settings = config;
	if (*config->jwt_keys == '\0')
		return true;
	if (*config->jwt_issuer == '\0' || *config->jwt_audience == '\0')
	{
		snprintf(message, size, "--jwt-keys needs --jwt-issuer and --jwt-audience");
		return false;
	}
	document = json_load_file(config->jwt_keys, 0, &error);
	if (document == NULL)
	{
		snprintf(message, size, "could not read the keys \"%s\": %s", config->jwt_keys, error.text);
		return false;
	}
	set = read_keys(document);
	json_decref(document);
	if (set->count == 0)
	{
		snprintf(message, size, "\"%s\" has no key that can be used", config->jwt_keys);
		free_keys(set);
		return false;
	}
	pthread_rwlock_wrlock(&lock);
	old = keys;
	keys = set;
	pthread_rwlock_unlock(&lock);
	free_keys(old);
	return true;
}

bool
token_is_one(const char *text)
{
	const char *dot = strchr(text, '.');

	return settings && *settings->jwt_keys && strncmp(text, "eyJ", 3) == 0 && dot && strchr(dot + 1, '.');
}

/* Does the key have the type that the algorithm needs? */
static bool
fits(const cjose_jwk_t *key, const char *algorithm, const char *key_id)
{
	cjose_err	error;
	const char *own_id = cjose_jwk_get_kid(key, &error);
	cjose_jwk_kty_t type = cjose_jwk_get_kty(key, &error);

	if (key_id && own_id && strcmp(key_id, own_id) != 0)
		return false;
	return (type == CJOSE_JWK_KTY_RSA && strcmp(algorithm, CJOSE_HDR_ALG_RS256) == 0) ||
		(type == CJOSE_JWK_KTY_EC && strcmp(algorithm, CJOSE_HDR_ALG_ES256) == 0);
}

static bool
is_extended(cjose_header_t *header)
{
	cjose_err	error;
	char	   *critical = cjose_header_get_raw(header, "crit", &error);

	free(critical);
	return critical != NULL;
}

/*
 * Is it the compact form of RFC 7515 section 7.1: three parts of base64url, without
 * padding?  cjose 0.6 asserts, and so ends the process, on parts that are none.
 */
static bool
is_compact(const char *text)
{
	for (int part = 0; part < 3; part++)
	{
		size_t		length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

		/* one digit more than whole groups has six bits, and no byte */
		if (length == 0 || length % 4 == 1 || text[length] != (part < 2 ? '.' : '\0'))
			return false;
		text += length + 1;
	}
	return true;
}

/* The claims of a token with a good signature, or NULL. */
static json_t *
verified_claims(const char *text)
{
	cjose_err	error;
	cjose_jws_t *token = is_compact(text) ? cjose_jws_import(text, strlen(text), &error) : NULL;
	json_t	   *claims = NULL;
	uint8_t    *payload;
	size_t		length;

	if (token == NULL)
		return NULL;
	pthread_rwlock_rdlock(&lock);
	for (int i = 0; keys && i < keys->count && claims == NULL; i++)
	{
		cjose_header_t *header = cjose_jws_get_protected(token);
		const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, &error);

		if (algorithm && !is_extended(header) && fits(keys->keys[i], algorithm, cjose_header_get(header, CJOSE_HDR_KID, &error)) &&
			cjose_jws_verify(token, keys->keys[i], &error) && cjose_jws_get_plaintext(token, &payload, &length, &error))
			claims = json_loadb((const char *) payload, length, JSON_REJECT_DUPLICATES, NULL);
	}
	pthread_rwlock_unlock(&lock);
	cjose_jws_release(token);
	return claims;
}

static bool
names_audience(const json_t *audience)
{
	const char *single = json_string_value(audience);

	if (single)
		return strcmp(single, settings->jwt_audience) == 0;
	for (size_t i = 0; i < json_array_size(audience); i++)
	{
		const char *name = json_string_value(json_array_get(audience, i));

		if (name && strcmp(name, settings->jwt_audience) == 0)
			return true;
	}
	return false;
}

static bool
is_valid(const json_t *claims)
{
	double		now = (double) time(NULL);
	const json_t *expires = json_object_get(claims, "exp");
	const json_t *not_before = json_object_get(claims, "nbf");
	const char *issuer = json_string_value(json_object_get(claims, "iss"));

	return json_is_number(expires) && json_number_value(expires) + LEEWAY_SECONDS > now &&
		(not_before == NULL || (json_is_number(not_before) && json_number_value(not_before) - LEEWAY_SECONDS <= now)) &&
		issuer && strcmp(issuer, settings->jwt_issuer) == 0 && names_audience(json_object_get(claims, "aud"));
}

/*
 * Roles of the claim as an array in *roles: NULL where there is none.  One name may
 * be a string; what is neither must not pass for "all that the user has".
 */
static bool
read_roles(json_t *claims, json_t **roles)
{
	json_t	   *claim = json_object_get(claims, settings->jwt_roles_claim);

	*roles = json_is_string(claim) ? json_pack("[O]", claim) : json_is_array(claim) ? json_incref(claim) : NULL;
	return claim == NULL || *roles;
}

const char *
token_verify(const char *text, Arena *arena)
{
	json_t	   *claims = verified_claims(text);
	json_t	   *subject = NULL;
	json_t	   *roles = NULL;
	const char *answer = NULL;
	char	   *dumped;

	if (claims && is_valid(claims) && json_is_string(json_object_get(claims, settings->jwt_user_claim)) &&
		json_is_string(json_object_get(claims, settings->jwt_tenant_claim)) && read_roles(claims, &roles))
	{
		subject = json_pack("{s:O, s:O}", "tenant", json_object_get(claims, settings->jwt_tenant_claim),
							"user", json_object_get(claims, settings->jwt_user_claim));
		if (roles)
			json_object_set(subject, "roles", roles);
		dumped = json_dumps(subject, JSON_COMPACT | JSON_SORT_KEYS);
		if (dumped)
			answer = arena_copy(arena, dumped, strlen(dumped));
		free(dumped);
	}
	json_decref(roles);
	json_decref(subject);
	json_decref(claims);
	return answer;
}
