/*
 * zone.c
 *	  Local times and their offsets, by the time zones that the server has.
 *
 * pg_tzset keeps a zone for the life of the backend: names come from definitions, which are checked.
 */
#include "base/zone.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/datetime.h"

/* Bytes of a local date and time, with the end. */
#define MAX_LOCAL 64

bool
time_zone_find(const char *name)
{
	/* "+02" and "EST5EDT4" are rules of POSIX, with signs of their own */
	return *name != '\0' && strpbrk(name, "0123456789<>+:,") == NULL && strlen(name) <= TZ_STRLEN_MAX && pg_tzset(name) != NULL;
}

/* Returns the number that count digits at text make, or -1 if one of the characters is no digit. */
static int
digits(const char *text, int count)
{
	int			number = 0;

	for (int i = 0; i < count; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* "hh:mm", ":ss" and fractions of it; *seconds is where the seconds are told, or length. */
static bool
read_clock(const char *text, int length, struct pg_tm *tm)
{
	if (length < 5 || text[2] != ':')
		return false;
	tm->tm_hour = digits(text, 2);
	tm->tm_min = digits(text + 3, 2);
	tm->tm_sec = 0;
	if (length > 5 && (length < 8 || text[5] != ':' || (tm->tm_sec = digits(text + 6, 2)) < 0))
		return false;
	if (length > 8 && (text[8] != '.' || length == 9 || length > 15))
		return false;
	for (int i = 9; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return tm->tm_hour >= 0 && tm->tm_hour < HOURS_PER_DAY && tm->tm_min >= 0 && tm->tm_min < MINS_PER_HOUR && tm->tm_sec < SECS_PER_MINUTE;
}

/* "yyyy-mm-dd" */
static bool
read_date(const char *text, struct pg_tm *tm)
{
	if (text[4] != '-' || text[7] != '-')
		return false;
	tm->tm_year = digits(text, 4);
	tm->tm_mon = digits(text + 5, 2);
	tm->tm_mday = digits(text + 8, 2);
	return tm->tm_year > 0 && tm->tm_mon >= 1 && tm->tm_mon <= MONTHS_PER_YEAR && tm->tm_mday >= 1 &&
		tm->tm_mday <= day_tab[isleap(tm->tm_year)][tm->tm_mon - 1];
}

/* A local date and time. */
static bool
read_local(const char *text, int length, struct pg_tm *tm)
{
	return length >= 16 && length < MAX_LOCAL && (text[10] == 'T' || text[10] == 't' || text[10] == ' ') &&
		read_date(text, tm) && read_clock(text + 11, length - 11, tm);
}

bool
time_zone_is_missing(const char *text, int length)
{
	struct pg_tm tm = {0};

	return read_local(text, length, &tm);
}

char *
time_zone_complete(const char *name, const char *text, int length)
{
	struct pg_tm tm = {0};
	pg_tz	   *zone = pg_tzset(name);
	char		copy[MAX_LOCAL];
	int			offset;

	if (zone == NULL || !read_local(text, length, &tm))
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	copy[10] = 'T';
	/* PostgreSQL counts westward; RFC 3339 has minutes */
	offset = -DetermineTimeZoneOffset(&tm, zone) / SECS_PER_MINUTE;
	return psprintf("%s%s%c%02d:%02d", copy, length == 16 ? ":00" : "", offset < 0 ? '-' : '+', abs(offset) / MINS_PER_HOUR, abs(offset) % MINS_PER_HOUR);
}
