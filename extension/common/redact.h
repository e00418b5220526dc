/*
 * redact.h
 *	  Taking secrets out of what is written to a log or told to a client.
 *
 * Secrets are known by their form, wherever they stand: API keys by their prefix,
 * JSON Web Tokens by their first part, which is an object in base64url (RFC 7515
 * section 3.3).  Plain C without memory of its own: the shim has it for its log and
 * problems, the extension for the server's log.
 */
#ifndef QEHS_REDACT_H
#define QEHS_REDACT_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define REDACTED "***"
#define REDACTED_LENGTH (sizeof(REDACTED) - 1)
#define REDACT_WORD "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* How many bytes from the start are all in set. */
static inline size_t
redact_span(const char *text, size_t length, const char *set)
{
	size_t		at = 0;

	while (at < length && text[at] && strchr(set, text[at]))
		at++;
	return at;
}

/* The length of the token at the start of text, or 0: three parts with dots between them. */
static inline size_t
redact_token(const char *text, size_t length)
{
	size_t		at = 0;

	for (int part = 0; part < 3; part++)
	{
		size_t		span = redact_span(text + at, length - at, REDACT_WORD "-_");

		at += span;
		if (part == 2)
			return at;
		if (span < 4 || at == length || text[at++] != '.')
			return 0;
	}
	return 0;
}

/*
 * The length of the secret at the start of text, or 0; *kept is how much of it says
 * what it is and may stay.  A key that was cut or misspelt is one all the same.
 */
static inline size_t
redact_find(const char *text, size_t length, size_t *kept)
{
	static const struct
	{
		const char *prefix;
		size_t		least;		/* bytes that follow */
	}			keys[] = {{"_live_sk_", 4}, {"_test_sk_", 4}, {"sa_", 32}, {"scim_", 32}};

	if (strchr("_sSe", *text) == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
	{
		size_t		span;

		*kept = strlen(keys[i].prefix);
		if (length <= *kept || strncasecmp(text, keys[i].prefix, *kept) != 0)
			continue;
		span = redact_span(text + *kept, length - *kept, REDACT_WORD);
		return span >= keys[i].least ? *kept + span : 0;
	}
	*kept = 3;
	return length > 3 && strncmp(text, "eyJ", 3) == 0 ? redact_token(text, length) : 0;
}

/* Does text hold a secret? */
static inline bool
redact_needed(const char *text, size_t length)
{
	size_t		kept;

	for (size_t at = 0; at < length; at++)
		if (text[at] && redact_find(text + at, length - at, &kept) > 0)
			return true;
	return false;
}

/* Take the secrets out of text in place; gives its new length, which is never greater. */
static inline size_t
redact_text(char *text, size_t length)
{
	size_t		used = 0;

	for (size_t at = 0; at < length;)
	{
		size_t		kept = 0;
		size_t		secret = text[at] ? redact_find(text + at, length - at, &kept) : 0;

		if (secret == 0)
		{
			text[used++] = text[at++];
			continue;
		}
		memmove(text + used, text + at, kept);
		memcpy(text + used + kept, REDACTED, REDACTED_LENGTH);
		used += kept + REDACTED_LENGTH;
		at += secret;
	}
	return used;
}

#endif							/* QEHS_REDACT_H */
