/*
 * csv.h
 *	  Where the cells and the records of a CSV text end (RFC 4180), byte by byte.
 *
 * A quote opens at the beginning of a cell only; elsewhere it is a character like
 * others.  Plain C without memory of its own, for the extension and the shim, which
 * must agree.
 */
#ifndef QEHS_CSV_H
#define QEHS_CSV_H

typedef enum CsvState
{
	CSV_BEGIN,					/* before the first byte of a cell */
	CSV_PLAIN,					/* in a cell without quotes */
	CSV_QUOTED,					/* in a cell with quotes */
	CSV_CLOSED					/* behind a quote in one: its end, or the first half of two */
} CsvState;

/* The state behind a byte. */
static inline CsvState
csv_step(CsvState state, char byte, char delimiter)
{
	if (state == CSV_QUOTED)
		return byte == '"' ? CSV_CLOSED : CSV_QUOTED;
	if (state == CSV_CLOSED && byte == '"')
		return CSV_QUOTED;
	if (byte == delimiter || byte == '\n')
		return CSV_BEGIN;
	if (state == CSV_BEGIN && byte == '"')
		return CSV_QUOTED;
	/* the carriage return of a line end stands behind the quote */
	return state == CSV_CLOSED && byte == '\r' ? CSV_CLOSED : CSV_PLAIN;
}

/* Does the byte, which led to the state, end a record? */
static inline bool
csv_ends_record(CsvState state, char byte)
{
	return state == CSV_BEGIN && byte == '\n';
}

#endif							/* QEHS_CSV_H */
