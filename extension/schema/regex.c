/*
 * regex.c
 *	  ECMA-262 patterns run by PCRE2: syntax is translated, not only passed on.
 *
 * What differs (ECMA-262 section 22.2, flag u): \s is Unicode's white space and
 * \d, \w are ASCII; a dot stops at four line terminators; \p takes long names of
 * categories; what is Perl only (\A, \Q, possessive quantifiers, inline options,
 * POSIX classes, verbs) is an error.  Punctuation may always be escaped, which
 * ECMA-262 allows without the flag.  Lookbehinds must have a fixed length.
 *
 * A match ends after a bounded number of steps, with and without JIT.  PCRE2 does
 * not say how many it took: a match begins with a small allowance, and is tried
 * again with ten times as much when that was not enough.
 */
#include "base/compat.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/hex.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "schema/regex.h"
#include "utils/memutils.h"

#define STEP_LIMIT 1000000
#define FIRST_STEPS 128
#define FIRST_STEPS_PER_BYTE 4
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KB 16384
#define JIT_STACK_BYTES (512 * 1024)
#define PATTERN_BYTES 65536

#define SPACES "\\s\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}"
#define NO_SPACES "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}" \
	"\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{D7FF}\\x{E000}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}"

struct Regex
{
	pcre2_code *code;
	pcre2_match_data *data;
	int			(*match) (const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE, uint32_t, pcre2_match_data *, pcre2_match_context *);
	MemoryContextCallback release;
};

typedef struct Translation
{
	const char *at;
	const char *end;
	StringInfoData out;
	bool		in_class;
	const char *error;
} Translation;

static const char *const categories[][2] = {
	{"Cased_Letter", "L&"}, {"Close_Punctuation", "Pe"}, {"Connector_Punctuation", "Pc"}, {"Control", "Cc"},
	{"Currency_Symbol", "Sc"}, {"Dash_Punctuation", "Pd"}, {"Decimal_Number", "Nd"}, {"Enclosing_Mark", "Me"},
	{"Final_Punctuation", "Pf"}, {"Format", "Cf"}, {"Initial_Punctuation", "Pi"}, {"LC", "L&"}, {"Letter", "L"},
	{"Letter_Number", "Nl"}, {"Line_Separator", "Zl"}, {"Lowercase_Letter", "Ll"}, {"Mark", "M"}, {"Math_Symbol", "Sm"},
	{"Modifier_Letter", "Lm"}, {"Modifier_Symbol", "Sk"}, {"Nonspacing_Mark", "Mn"}, {"Number", "N"},
	{"Open_Punctuation", "Ps"}, {"Other", "C"}, {"Other_Letter", "Lo"}, {"Other_Number", "No"},
	{"Other_Punctuation", "Po"}, {"Other_Symbol", "So"}, {"Paragraph_Separator", "Zp"}, {"Private_Use", "Co"},
	{"Punctuation", "P"}, {"Separator", "Z"}, {"Space_Separator", "Zs"}, {"Spacing_Mark", "Mc"}, {"Surrogate", "Cs"},
	{"Symbol", "S"}, {"Titlecase_Letter", "Lt"}, {"Unassigned", "Cn"}, {"Uppercase_Letter", "Lu"}, {"digit", "Nd"},
	{"punct", "P"}, {"cntrl", "Cc"},
};

static void
fail(Translation *translation, const char *error)
{
	if (translation->error == NULL)
		translation->error = error;
	translation->at = translation->end;
}

/* A number of hexadecimal digits: exactly count, or up to the closing brace when count is 0. */
static bool
read_hex(Translation *translation, int count, uint32 *value)
{
	int			digits = 0;

	*value = 0;
	while (translation->at < translation->end && hex_value(*translation->at) >= 0 && (count == 0 || digits < count) &&
		   *value <= 0x10FFFF)
	{
		*value = *value * 16 + (uint32) hex_value(*translation->at++);
		digits++;
	}
	if (count > 0)
		return digits == count;
	return digits > 0 && *value <= 0x10FFFF && translation->at < translation->end && *translation->at++ == '}';
}

/* Behind \u: four digits, a pair of surrogates, or {digits}. */
static void
translate_unicode(Translation *translation)
{
	uint32		value;
	uint32		low;
	const char *after;

	if (translation->at < translation->end && *translation->at == '{')
	{
		translation->at++;
		if (!read_hex(translation, 0, &value))
		{
			fail(translation, "\\u{ must be followed by the hexadecimal number of a character and }");
			return;
		}
	}
	else if (!read_hex(translation, 4, &value))
	{
		fail(translation, "\\u must be followed by four hexadecimal digits");
		return;
	}
	after = translation->at;
	if (value >= 0xD800 && value < 0xDC00 && translation->end - after >= 6 && after[0] == '\\' && after[1] == 'u')
	{
		translation->at += 2;
		if (read_hex(translation, 4, &low) && low >= 0xDC00 && low < 0xE000)
			value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
		else
			translation->at = after;
	}
	if (value >= 0xD800 && value < 0xE000)
		fail(translation, "a surrogate stands alone");
	else
		appendStringInfo(&translation->out, "\\x{%X}", value);
}

/* Behind \p or \P: {General category} or {Property=Value}. */
static void
translate_property(Translation *translation, char letter)
{
	const char *close = translation->at < translation->end && *translation->at == '{' ?
		memchr(translation->at, '}', translation->end - translation->at) : NULL;
	const char *name;
	const char *equals;
	int			length;

	if (close == NULL)
	{
		fail(translation, "\\p must be followed by a property in braces");
		return;
	}
	name = translation->at + 1;
	translation->at = close + 1;
	equals = memchr(name, '=', close - name);
	if (equals && ((equals - name == 2 && memcmp(name, "gc", 2) == 0) ||
				   (equals - name == 16 && memcmp(name, "General_Category", 16) == 0)))
	{
		name = equals + 1;
		equals = NULL;
	}
	length = close - name;
	if (length == 0 || memchr(name, '^', length) || memchr(name, ':', length) || memchr(name, ' ', length))
	{
		fail(translation, "\\p must be followed by a property of Unicode in braces");
		return;
	}
	if (equals)
	{
		bool		extensions = (equals - name == 3 && memcmp(name, "scx", 3) == 0) ||
			(equals - name == 17 && memcmp(name, "Script_Extensions", 17) == 0);

		if (!extensions && !(equals - name == 2 && memcmp(name, "sc", 2) == 0) &&
			!(equals - name == 6 && memcmp(name, "Script", 6) == 0))
			fail(translation, "\\p{…=…} knows General_Category, Script and Script_Extensions");
		else
			appendStringInfo(&translation->out, "\\%c{%s:%.*s}", letter, extensions ? "scx" : "sc",
							 (int) (close - equals - 1), equals + 1);
		return;
	}
	for (int i = 0; i < (int) lengthof(categories); i++)
		if ((int) strlen(categories[i][0]) == length && memcmp(categories[i][0], name, length) == 0)
		{
			appendStringInfo(&translation->out, "\\%c{%s}", letter, categories[i][1]);
			return;
		}
	appendStringInfo(&translation->out, "\\%c{%.*s}", letter, length, name);
}

/* A back reference or \0. */
static void
translate_digits(Translation *translation, char first)
{
	int			number = first - '0';

	if (first == '0' || translation->in_class)
	{
		if (first != '0' || (translation->at < translation->end && isdigit((unsigned char) *translation->at)))
			fail(translation, "octal escapes are not allowed");
		else
			appendStringInfoString(&translation->out, "\\x{0}");
		return;
	}
	while (translation->at < translation->end && isdigit((unsigned char) *translation->at) && number < 10000)
		number = number * 10 + (*translation->at++ - '0');
	appendStringInfo(&translation->out, "\\g{%d}", number);
}

static void
translate_escape(Translation *translation)
{
	StringInfo	out = &translation->out;
	char		c;
	uint32		value;

	if (translation->at == translation->end)
	{
		fail(translation, "a backslash ends the pattern");
		return;
	}
	c = *translation->at++;
	switch (c)
	{
		case 'd':
		case 'D':
		case 'w':
		case 'W':
		case 'f':
		case 'n':
		case 'r':
		case 't':
		case 'b':
			appendStringInfo(out, "\\%c", c);
			break;
		case 'B':
			if (translation->in_class)
				fail(translation, "\\B has no meaning in a class");
			else
				appendStringInfoString(out, "\\B");
			break;
		case 'v':
			appendStringInfoString(out, "\\x{B}");
			break;
		case 's':
			appendStringInfoString(out, translation->in_class ? SPACES : "[" SPACES "]");
			break;
		case 'S':
			appendStringInfoString(out, translation->in_class ? NO_SPACES : "[^" SPACES "]");
			break;
		case 'c':
			if (translation->at == translation->end || !isalpha((unsigned char) *translation->at))
				fail(translation, "\\c must be followed by a letter");
			else
				appendStringInfo(out, "\\x{%X}", *translation->at++ & 0x1F);
			break;
		case 'x':
			if (read_hex(translation, 2, &value))
				appendStringInfo(out, "\\x{%X}", value);
			else
				fail(translation, "\\x must be followed by two hexadecimal digits");
			break;
		case 'u':
			translate_unicode(translation);
			break;
		case 'p':
		case 'P':
			translate_property(translation, c);
			break;
		case 'k':
			if (translation->in_class || translation->at == translation->end || *translation->at != '<')
				fail(translation, "\\k must be followed by the name of a group in <>");
			else
				appendStringInfoString(out, "\\k");
			break;
		default:
			if (c >= '0' && c <= '9')
				translate_digits(translation, c);
			else if (isalpha((unsigned char) c))
				fail(translation, psprintf("\\%c is no escape of ECMA-262", c));
			else if (IS_HIGHBIT_SET(c))
				fail(translation, "a letter beyond ASCII must not be escaped");
			else
				appendStringInfo(out, "\\%c", c);
	}
}

/* Behind a parenthesis: what may follow a question mark. */
static void
translate_group(Translation *translation)
{
	static const char *const openers[] = {"?:", "?=", "?!", "?<=", "?<!"};

	appendStringInfoChar(&translation->out, '(');
	if (translation->at == translation->end || (*translation->at != '?' && *translation->at != '*'))
		return;
	for (int i = 0; i < (int) lengthof(openers); i++)
	{
		int			length = strlen(openers[i]);

		if (translation->end - translation->at >= length && memcmp(translation->at, openers[i], length) == 0)
		{
			appendStringInfoString(&translation->out, openers[i]);
			translation->at += length;
			return;
		}
	}
	if (translation->end - translation->at > 2 && translation->at[1] == '<' &&
		(isalpha((unsigned char) translation->at[2]) || translation->at[2] == '_'))
	{
		appendStringInfoString(&translation->out, "?<");
		translation->at += 2;
		return;
	}
	fail(translation, "( must be followed by an expression, or ?: ?= ?! ?<= ?<! ?<name>");
}

/* {n}, {n,} or {n,m} at at; its length, or 0. */
static int
quantifier_length(const char *at, const char *end)
{
	const char *p = at + 1;
	int			digits = 0;

	for (; p < end && isdigit((unsigned char) *p); p++)
		digits++;
	if (digits == 0 || p == end)
		return 0;
	if (*p == ',')
		for (p++; p < end && isdigit((unsigned char) *p);)
			p++;
	return p < end && *p == '}' ? (int) (p + 1 - at) : 0;
}

static void
translate_quantifier(Translation *translation, int length)
{
	appendBinaryStringInfo(&translation->out, translation->at, length);
	translation->at += length;
	if (translation->at < translation->end && *translation->at == '?')
		appendStringInfoChar(&translation->out, *translation->at++);
	if (translation->at < translation->end && strchr("*+?{", *translation->at) && *translation->at != '\0')
		fail(translation, "a quantifier must not follow a quantifier");
}

static void
translate_in_class(Translation *translation, char c)
{
	if (c == ']')
		translation->in_class = false;
	if (c == '[')
		appendStringInfoChar(&translation->out, '\\');
	appendStringInfoChar(&translation->out, c);
}

static void
translate(Translation *translation)
{
	while (translation->at < translation->end)
	{
		char		c = *translation->at;
		int			length;

		if (!translation->in_class && (c == '*' || c == '+' || c == '?'))
		{
			translate_quantifier(translation, 1);
			continue;
		}
		if (!translation->in_class && c == '{')
		{
			length = quantifier_length(translation->at, translation->end);
			if (length > 0)
				translate_quantifier(translation, length);
			else
				fail(translation, "{ must be escaped, or begin {n}, {n,} or {n,m}");
			continue;
		}
		translation->at++;
		if (c == '\\')
			translate_escape(translation);
		else if (translation->in_class)
			translate_in_class(translation, c);
		else if (c == '[')
		{
			translation->in_class = true;
			appendStringInfoChar(&translation->out, '[');
			if (translation->at < translation->end && *translation->at == '^')
				appendStringInfoChar(&translation->out, *translation->at++);
		}
		else if (c == '(')
			translate_group(translation);
		else if (c == ']' || c == '}')
			fail(translation, psprintf("%c must be escaped", c));
		else if (c == '.')
			appendStringInfoString(&translation->out, "[^\\n\\r\\x{2028}\\x{2029}]");
		else
			appendStringInfoChar(&translation->out, c);
	}
}

static void
release_regex(void *pointer)
{
	Regex	   *regex = pointer;

	pcre2_match_data_free(regex->data);
	pcre2_code_free(regex->code);
}

/* One for the backend: limits, and the stack that JIT code runs on. */
static pcre2_match_context *
match_context(void)
{
	static pcre2_match_context *context = NULL;

	if (context == NULL)
	{
		context = pcre2_match_context_create(NULL);
		if (context == NULL)
			ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
		pcre2_set_depth_limit(context, DEPTH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_LIMIT_KB);
		pcre2_jit_stack_assign(context, NULL, pcre2_jit_stack_create(32 * 1024, JIT_STACK_BYTES, NULL));
	}
	return context;
}

/* Returns the pattern as PCRE2 compiles it, or NULL and a message if it is not a valid pattern of ECMA-262. */
static pcre2_code *
compile_code(const char *pattern, int length, char **message)
{
	Translation translation = {.at = pattern,.end = pattern + length};
	uint32		options = PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C |
		(GetDatabaseEncoding() == PG_UTF8 ? PCRE2_UTF | PCRE2_NO_UTF_CHECK : 0);
	pcre2_code *code;
	int			error;
	PCRE2_SIZE	offset;

	initStringInfo(&translation.out);
	if (length > PATTERN_BYTES)
		translation.error = psprintf("it is longer than %d bytes", PATTERN_BYTES);
	else
		translate(&translation);
	if (translation.error)
	{
		*message = psprintf("%s", translation.error);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR) translation.out.data, translation.out.len, options, &error, &offset, NULL);
	if (code == NULL)
	{
		char		text[256];

		pcre2_get_error_message(error, (PCRE2_UCHAR *) text, sizeof(text));
		*message = pstrdup(text);
	}
	pfree(translation.out.data);
	return code;
}

Regex *
regex_compile(const char *pattern, int length, MemoryContext context, char **message)
{
	/* first what may raise an ERROR, then what is not palloc'd */
	Regex	   *regex = MemoryContextAllocZero(context, sizeof(Regex));
	pcre2_code *code = compile_code(pattern, length, message);

	if (code == NULL)
	{
		pfree(regex);
		return NULL;
	}
	regex->code = code;
	regex->data = pcre2_match_data_create(1, NULL);
	if (regex->data == NULL)
	{
		pcre2_code_free(code);
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
	}
	regex->release = (MemoryContextCallback) {.func = release_regex,.arg = regex};
	MemoryContextRegisterResetCallback(context, &regex->release);
	/* without JIT the interpreter runs, with the same result */
	regex->match = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0 ? pcre2_jit_match : pcre2_match;
	return regex;
}

Size
regex_size(const Regex *regex)
{
	size_t		code = 0;
	size_t		jit = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &code);
	pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &jit);
	return code + jit;
}

RegexResult
regex_match(Regex *regex, const char *text, int length, uint64 *steps)
{
	pcre2_match_context *context = match_context();
	uint64		limit = FIRST_STEPS + FIRST_STEPS_PER_BYTE * (uint64) length;

	*steps += 4 + length / 16;
	for (;;)
	{
		int			result;

		pcre2_set_match_limit(context, Min(limit, STEP_LIMIT));
		result = regex->match(regex->code, (PCRE2_SPTR) text, length, 0, PCRE2_NO_UTF_CHECK, regex->data, context);
		if (result >= 0)
			return REGEX_MATCH;
		if (result == PCRE2_ERROR_NOMATCH)
			return REGEX_NO_MATCH;
		if (result != PCRE2_ERROR_MATCHLIMIT || limit >= STEP_LIMIT)
			return REGEX_GAVE_UP;
		limit *= 10;
		*steps += Min(limit, STEP_LIMIT) / 8;
	}
}

bool
regex_is_valid(const char *pattern, int length)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "qehs regex", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	char	   *message;
	pcre2_code *code = compile_code(pattern, length, &message);

	pcre2_code_free(code);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return code != NULL;
}
