/*
 * regex.h
 *	  Patterns of ECMA-262 (with the u flag), as JSON Schema asks for.
 */
#ifndef QEHS_SCHEMA_REGEX_H
#define QEHS_SCHEMA_REGEX_H

#include "base/compat.h"

#include "utils/palloc.h"

typedef struct Regex Regex;

typedef enum RegexResult
{
	REGEX_NO_MATCH,
	REGEX_MATCH,
	REGEX_GAVE_UP				/* the bound on steps was reached */
} RegexResult;

/*
 * Compile; the memory that PCRE2 takes is released with context.  Returns NULL and a
 * message (in the current context) if it is not a valid pattern of ECMA-262.
 */
extern Regex *regex_compile(const char *pattern, int length, MemoryContext context, char **message);

/* Does the pattern match anywhere in text?  Adds what that cost, in units of some ten nanoseconds, to steps. */
extern RegexResult regex_match(Regex *regex, const char *text, int length, uint64 *steps);

/* Bytes that PCRE2 holds for it. */
extern Size regex_size(const Regex *regex);

/* Is the pattern one of ECMA-262 (format "regex")? */
extern bool regex_is_valid(const char *pattern, int length);

#endif							/* QEHS_SCHEMA_REGEX_H */
