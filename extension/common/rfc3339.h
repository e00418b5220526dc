/*
 * rfc3339.h
 *	  Dates and date-times as RFC 3339 section 5.6 writes them.
 *
 * Plain C without memory of its own, for the extension and the shim.  What is read is
 * broken down; what it is as a number is for the caller.
 */
#ifndef QEHS_RFC3339_H
#define QEHS_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Rfc3339
{
	int			year;			/* 0 to 9999 */
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;			/* 60 is a leap second */
	int			microsecond;	/* further digits are cut */
	int			offset;			/* minutes east of UTC */
} Rfc3339;

/* Read exactly count digits; -1 when there are fewer. */
static inline int
rfc3339_digits(const char **at, const char *end, int count)
{
	int			value = 0;

	if (end - *at < count)
		return -1;
	for (int i = 0; i < count; i++)
	{
		char		c = *(*at)++;

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value;
}

static inline bool
rfc3339_char(const char **at, const char *end, char wanted)
{
	return *at < end && *(*at)++ == wanted;
}

/* full-date, moving at behind it; false when it has another form or the calendar has no such day. */
static inline bool
rfc3339_full_date(const char **at, const char *end, Rfc3339 *time)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap;

	time->year = rfc3339_digits(at, end, 4);
	if (time->year < 0 || !rfc3339_char(at, end, '-'))
		return false;
	time->month = rfc3339_digits(at, end, 2);
	if (time->month < 1 || time->month > 12 || !rfc3339_char(at, end, '-'))
		return false;
	time->day = rfc3339_digits(at, end, 2);
	leap = time->year % 4 == 0 && (time->year % 100 != 0 || time->year % 400 == 0);
	return time->day >= 1 && time->day <= days[time->month - 1] + (time->month == 2 && leap);
}

/* partial-time with its fraction. */
static inline bool
rfc3339_partial_time(const char **at, const char *end, Rfc3339 *time)
{
	int			digits = 0;

	time->hour = rfc3339_digits(at, end, 2);
	if (time->hour < 0 || time->hour > 23 || !rfc3339_char(at, end, ':'))
		return false;
	time->minute = rfc3339_digits(at, end, 2);
	if (time->minute < 0 || time->minute > 59 || !rfc3339_char(at, end, ':'))
		return false;
	time->second = rfc3339_digits(at, end, 2);
	if (time->second < 0 || time->second > 60)
		return false;
	time->microsecond = 0;
	if (*at == end || **at != '.')
		return true;
	for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++, digits++)
		if (digits < 6)
			time->microsecond = time->microsecond * 10 + (**at - '0');
	for (int i = digits; i < 6; i++)
		time->microsecond *= 10;
	return digits > 0;
}

/* time-offset: Z or ±HH:MM. */
static inline bool
rfc3339_offset(const char **at, const char *end, Rfc3339 *time)
{
	char		sign;
	int			hours;
	int			minutes;

	if (*at == end)
		return false;
	sign = *(*at)++;
	time->offset = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (sign != '+' && sign != '-')
		return false;
	hours = rfc3339_digits(at, end, 2);
	if (hours < 0 || hours > 23 || !rfc3339_char(at, end, ':'))
		return false;
	minutes = rfc3339_digits(at, end, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	time->offset = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

/* Read a date-time, all of text: T may be t or a space, Z may be z, an offset must be there.  False when it is none. */
static inline bool
rfc3339_read(const char *text, int length, Rfc3339 *time)
{
	const char *at = text;
	const char *end = text + length;

	if (!rfc3339_full_date(&at, end, time) || at == end || (*at != 'T' && *at != 't' && *at != ' '))
		return false;
	at++;
	return rfc3339_partial_time(&at, end, time) && rfc3339_offset(&at, end, time) && at == end;
}

/* Read a full-date, all of text. */
static inline bool
rfc3339_read_date(const char *text, int length, Rfc3339 *time)
{
	const char *at = text;

	return rfc3339_full_date(&at, text + length, time) && at == text + length;
}

#endif							/* QEHS_RFC3339_H */
