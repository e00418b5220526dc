/*
 * dates.c
 *	  Dates and times of exports as text: ISO 8601, or as the people of a locale
 *	  write them, by ICU, which knows locales and time zones.
 */
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/ustring.h>

#include "export/file.h"

struct Dates
{
	bool		iso_times;
	UDateFormat *date;
	UDateFormat *time;			/* NULL in both: ISO 8601 */
	UCalendar  *calendar;		/* of the time zone */
};

/* Two digits at a place of an RFC 3339 text. */
static int
digits(const char *text, int count)
{
	int			value = 0;

	for (int i = 0; i < count; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

/* Days from 1970-01-01 (Howard Hinnant, days_from_civil). */
static int64_t
days_of(int year, int month, int day)
{
	int			y = month <= 2 ? year - 1 : year;
	int			era = (y >= 0 ? y : y - 399) / 400;
	int			yoe = y - era * 400;
	int			doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int			doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (int64_t) era * 146097 + doe - 719468;
}

static bool
has_form(const char *text, const char *form)
{
	for (; *form; text++, form++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return true;
}

/* Milliseconds since 1970 of a date, or of a time in UTC as the database writes it; false for other texts. */
static bool
read_time(const Cell *cell, bool with_time, int64_t *milliseconds)
{
	const char *text = cell->text;

	if (cell->type != CELL_TEXT || cell->length < 10 || !has_form(text, "0000-00-00"))
		return false;
	*milliseconds = days_of(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2)) * 86400000;
	if (!with_time)
		return cell->length == 10;
	if (cell->length != 24 || !has_form(text, "0000-00-00T00:00:00.000Z"))
		return false;
	*milliseconds += ((digits(text + 11, 2) * 60 + digits(text + 14, 2)) * 60 + digits(text + 17, 2)) * 1000LL + digits(text + 20, 3);
	return true;
}

Dates *
dates_open(const ExportInfo *info, bool iso_times)
{
	Dates	   *dates = calloc(1, sizeof(Dates));
	UChar		zone[80];
	UChar		utc[8];
	UErrorCode	code = U_ZERO_ERROR;

	if (dates == NULL)
		abort();
	dates->iso_times = iso_times;
	u_uastrncpy(zone, info->time_zone, 79);
	zone[79] = 0;
	u_uastrcpy(utc, "UTC");
	dates->calendar = ucal_open(zone, -1, "en", UCAL_GREGORIAN, &code);
	if (info->locale)
	{
		code = U_ZERO_ERROR;
		dates->date = udat_open(UDAT_NONE, UDAT_MEDIUM, info->locale, utc, -1, NULL, 0, &code);
		dates->time = udat_open(UDAT_SHORT, UDAT_MEDIUM, info->locale, zone, -1, NULL, 0, &code);
	}
	return dates;
}

void
dates_free(Dates *dates)
{
	if (dates->date)
		udat_close(dates->date);
	if (dates->time)
		udat_close(dates->time);
	if (dates->calendar)
		ucal_close(dates->calendar);
	free(dates);
}

/* How far the time zone is before UTC at a time, in milliseconds. */
static int64_t
offset_at(const Dates *dates, int64_t milliseconds)
{
	UErrorCode	code = U_ZERO_ERROR;

	if (dates->calendar == NULL)
		return 0;
	ucal_setMillis(dates->calendar, (UDate) milliseconds, &code);
	return ucal_get(dates->calendar, UCAL_ZONE_OFFSET, &code) + ucal_get(dates->calendar, UCAL_DST_OFFSET, &code);
}

/* "2026-02-03 09:30" in the time zone. */
static const char *
local_text(const Dates *dates, int64_t milliseconds, Arena *arena)
{
	int64_t		local = milliseconds + offset_at(dates, milliseconds);
	UErrorCode	code = U_ZERO_ERROR;
	int64_t		minute = (local / 60000 % 1440 + 1440) % 1440;

	ucal_setMillis(dates->calendar, (UDate) milliseconds, &code);
	return arena_format(arena, "%04d-%02d-%02d %02d:%02d", ucal_get(dates->calendar, UCAL_EXTENDED_YEAR, &code),
						ucal_get(dates->calendar, UCAL_MONTH, &code) + 1, ucal_get(dates->calendar, UCAL_DATE, &code),
						(int) (minute / 60), (int) (minute % 60));
}

const char *
dates_text(const Dates *dates, const Cell *cell, bool with_time, Arena *arena, size_t *length)
{
	const UDateFormat *format = with_time ? dates->time : dates->date;
	UErrorCode	code = U_ZERO_ERROR;
	UChar		wide[128];
	char	   *text;
	int64_t		milliseconds;
	int32_t		size;

	*length = cell->length;
	if (!read_time(cell, with_time, &milliseconds) || (format == NULL && (!with_time || dates->iso_times || dates->calendar == NULL)))
		return cell->text;
	if (format == NULL)
	{
		const char *local = local_text(dates, milliseconds, arena);

		*length = strlen(local);
		return local;
	}
	udat_format(format, (UDate) milliseconds, wide, 128, NULL, &code);
	text = arena_alloc(arena, 512);
	u_strToUTF8(text, 511, &size, wide, -1, &code);
	if (U_FAILURE(code))
		return cell->text;
	text[size] = '\0';
	*length = (size_t) size;
	return text;
}

bool
dates_serial(const Dates *dates, const Cell *cell, bool with_time, double *serial)
{
	int64_t		milliseconds;

	if (!read_time(cell, with_time, &milliseconds))
		return false;
	if (with_time)
		milliseconds += offset_at(dates, milliseconds);
	*serial = (double) milliseconds / 86400000.0 + 25569.0;
	/* spreadsheets count from 1900-03-01 without a fault */
	return *serial >= 61.0;
}
