/*
 * extension_text.c
 *	  Fuzz target of the extension's small readers: formats, patterns, references,
 *	  times, ids, languages, secrets.  The first byte chooses.
 */
#include "extension_driver.h"

#include "calendar/calendar.h"
#include "common/utf8.h"
#include "mb/pg_wchar.h"
#include "module/module.h"
#include "base/id.h"
#include "base/json.h"
#include "record/question.h"
#include "record/words.h"
#include "schema/format.h"
#include "schema/regex.h"
#include "schema/uri.h"
#include "utils/builtins.h"

extern Datum qehs_search_vector(PG_FUNCTION_ARGS);

static void
try_format(const char *text, int length)
{
	static const char *const names[] = {
		"date", "time", "date-time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "uri-reference",
		"iri", "iri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex"
	};
	uint32		steps;

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		FormatCheck check = format_find(names[i], &steps);

		if (check)
			check(text, length);
		else
			elog(ERROR, "there is no format \"%s\"", names[i]);
	}
	/* what is a URI is a URI reference, and both are IRIs */
	if (format_uri(text, length) && !(format_uri_reference(text, length) && format_iri(text, length)))
		elog(ERROR, "a URI that is no reference or no IRI");
	if (format_iri(text, length) && !format_iri_reference(text, length))
		elog(ERROR, "an IRI that is no reference");
	if (format_date(text, length) && length != 10)
		elog(ERROR, "a date of %d bytes", length);
}

/* The first line is the pattern, the rest is searched. */
static void
try_regex(const char *text, int length)
{
	const char *line_end = strchr(text, '\n');
	int			pattern_length = line_end ? (int) (line_end - text) : length;
	uint64		steps = 0;
	char	   *message = NULL;
	Regex	   *regex = regex_compile(text, pattern_length, CurrentMemoryContext, &message);

	if ((regex == NULL) != (message != NULL))
		elog(ERROR, "a pattern is refused without a message, or taken with one");
	if (regex && !regex_is_valid(text, pattern_length))
		elog(ERROR, "a pattern that compiles is not valid");
	if (regex && line_end)
		regex_match(regex, line_end + 1, length - pattern_length - 1, &steps);
}

static void
try_reference(const char *text)
{
	const char *line_end = strchr(text, '\n');
	char	   *base = line_end ? pnstrdup(text, line_end - text) : pstrdup("https://example.com/a/b?c#d");
	char	   *found = uri_resolve(base, line_end ? line_end + 1 : text);
	size_t		length = strlen(found);

	uri_cut_fragment(found);
	uri_decode(found);
	if (strlen(found) > length)
		elog(ERROR, "a decoded reference grew");
}

/* What is read is written so that it is read again as the same. */
static void
try_time(const char *text, int length)
{
	TimestampTz value;
	TimestampTz again;
	StringInfoData out;

	json_date_parse(text, length, &value);
	if (!json_time_parse(text, length, &value))
		return;
	initStringInfo(&out);
	json_time_raw(&out, value);
	if (!json_time_parse(out.data, out.len, &again) || again / 1000 != value / 1000)
		elog(ERROR, "\"%s\" is written as \"%s\"", text, out.data);
}

static bool
take_word(void *owner, const Word *word)
{
	if (word->length <= 0 || word->length > QEHS_WORD_BYTES + 8 || word->tail >= word->length || (int) strlen(word->text) != word->length)
		elog(ERROR, "a word of %d bytes", word->length);
	return true;
}

/* Whatever is asked can be, and a text has the words of itself. */
static void
try_search(const char *text, int length)
{
	static const ModuleDef no_options;
	/* q has 500 bytes at most */
	Question   *question = question_read(pnstrdup(text, pg_mbcliplen(text, length, 500)), &no_options);
	Datum	   *needs;
	double	   *shares;
	int			count;

	words_split(text, length, take_word, NULL);
	if (question->has_words)
	{
		question_on_record(question);
		if (question->narrows)
		{
			question_ask_all(question);
			question_on_index(question, 1, 2, 3);
			count = question_needs(question, &needs);
			shares = palloc(sizeof(double) * (count + 1));
			for (int i = 0; i < count; i++)
				shares[i] = (double) ((unsigned char) text[i % length] + 1) / 256;
			question_ask(question, shares);
			question_on_index(question, 1, 2, 3);
		}
	}
	DirectFunctionCall1(qehs_search_vector, PointerGetDatum(cstring_to_text_with_len(text, length)));
}

/* A clock on the wall that is set back an hour on each day divisible by 7. */
static LocalTime
zone_local(const void *zone, TimestampTz time)
{
	int64		day = time / USECS_PER_DAY - (time % USECS_PER_DAY < 0);

	return (LocalTime) {day, time - day * USECS_PER_DAY};
}

static TimestampTz
zone_time(const void *zone, LocalTime local)
{
	return local.day * USECS_PER_DAY + local.time + (local.day % 7 == 0 ? USECS_PER_HOUR : 0);
}

/* A duration leads forward or back, in every calendar. */
static void
try_duration(const char *text, int length)
{
	static const int32 holidays[] = {-400, 0, 9600, 9601};
	Calendar	calendar = {{zone_local, zone_time, NULL}, {true, false, true}, 8 * USECS_PER_HOUR, 17 * USECS_PER_HOUR, lengthof(holidays), holidays};
	ModuleMoment moment;
	Duration	duration;
	TimestampTz from = 9600 * USECS_PER_DAY + length * USECS_PER_HOUR;
	TimestampTz found;

	if (module_moment_read(text, &moment) && moment.field == NULL && !duration_read(text, length, &duration))
		elog(ERROR, "a moment that is no duration");
	if (!duration_read(text, length, &duration))
		return;
	for (int i = 0; i < 4; i++)
	{
		bool		business = i % 2 && duration.months == 0;
		int			sign = i < 2 ? 1 : -1;

		/* the end of a day, and where the clock is set back, may be an hour on the other side */
		if (calendar_add(&calendar, business, from, &duration, sign, &found) && (found - from) * sign < -2 * USECS_PER_HOUR)
			elog(ERROR, "a duration that leads the other way");
	}
}

static void
try_id(const char *text, int length)
{
	pg_uuid_t	id;
	pg_uuid_t	again;
	char		buffer[QEHS_ID_LENGTH + 1];

	if (!id_parse(text, length, QEHS_ID_RECORD, &id))
		return;
	id_format(&id, QEHS_ID_RECORD, buffer);
	if (!id_parse(buffer, (int) strlen(buffer), QEHS_ID_RECORD, &again) || memcmp(&id, &again, sizeof(id)) != 0)
		elog(ERROR, "\"%s\" is written as \"%s\"", text, buffer);
}

/* Text in JSON is JSON, of the same text. */
static void
try_string(const char *text, int length)
{
	StringInfoData out;
	Jsonb *value;
	StringInfoData again;

	initStringInfo(&out);
	json_string_n(&out, text, length);
	value = fuzz_jsonb(out.data);
	if (value == NULL)
		elog(ERROR, "no JSON: %s", out.data);
	initStringInfo(&again);
	json_jsonb(&again, value);
	if (strcmp(out.data, again.data) != 0)
		elog(ERROR, "%s comes back as %s", out.data, again.data);
}

static void
try_text(const char *text, int length)
{
	const char *rest = text + 1;
	int			size = length - 1;

	switch (text[0] % 7)
	{
		case 0:
			try_format(rest, size);
			break;
		case 1:
			try_regex(rest, size);
			break;
		case 2:
			try_reference(rest);
			break;
		case 3:
			try_time(rest, size);
			try_duration(rest, size);
			break;
		case 4:
			try_id(rest, size);
			break;
		case 5:
			if (utf8_is_valid(rest, size))
				try_search(rest, size);
			break;
		default:
			if (((unsigned char) *text) < 0x80)
				try_string(rest, size);
	}
}

const FuzzTarget fuzz_text = {"text", try_text};
