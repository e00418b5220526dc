/*
 * lines.h
 *	  A body of lines that arrives in parts, perhaps compressed: whole lines are
 *	  gathered into chunks.  Of CSV a line is a record, in whose quotes lines may break,
 *	  and the first one, the header, goes with each chunk.
 *
 * The memory of a chunk grows to its largest content and stays; nothing else
 * grows with the body.
 */
#ifndef QEHS_LINES_H
#define QEHS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/csv.h"

typedef struct Decoder Decoder;

/* Whole lines, each with its newline, and behind them what has come of the next one. */
typedef struct Lines
{
	char	   *bytes;
	size_t		length;			/* with the beginning of a line that is not there yet */
	size_t		whole;			/* bytes of whole lines */
	size_t		capacity;
	int			count;
	int64_t		first;			/* number of the first line */
	int64_t		long_line;		/* a line behind these that is too long; 0: none */
	uint64_t	since;			/* when the first line was whole */
} Lines;

/* Where the body has been read to. */
typedef struct LineReader
{
	Decoder    *decoder;		/* NULL: the body comes as it is */
	char	   *input;			/* what has been given */
	size_t		input_length;
	size_t		input_at;
	size_t		input_capacity;
	char	   *decoded;
	bool		more_decoded;	/* the decoder may have more without input */
	const char *piece;			/* of input or decoded */
	size_t		piece_length;
	int64_t		line;			/* whole lines so far */
	int64_t		from;			/* lines up to this one are passed over; set behind lines_open, 0: none */
	size_t		limit;			/* bytes of a line without its newline */
	bool		skipping;		/* in a line that is too long */
	char		delimiter;		/* between the cells of CSV; NUL: lines end with each newline */
	CsvState	state;			/* behind what has been taken */
	char	   *header;			/* of CSV, with its newline; NULL: not whole yet */
	size_t		header_length;
} LineReader;

typedef enum LinesOutcome
{
	LINES_FULL,					/* the chunk takes no more */
	LINES_HUNGRY,				/* all input has been taken */
	LINES_MALFORMED				/* the input is not what its encoding says */
} LinesOutcome;

/*
 * Read from the beginning of a body with a Content-Encoding that decoder_knows; limit is that of a line in bytes,
 * delimiter that of CSV, or NUL.
 */
extern void lines_open(LineReader *reader, const char *encoding, size_t limit, char delimiter);
/* Free what it holds. */
extern void lines_close(LineReader *reader);

/* Give a part of the body, which is copied; all before must have been taken. */
extern void lines_give(LineReader *reader, const char *bytes, size_t length);
/* Is there input that lines_fill has not taken? */
extern bool lines_waiting(const LineReader *reader);
/* Forget what has not been taken. */
extern void lines_drop(LineReader *reader);

/* Move input into the chunk, as far as it goes. */
extern LinesOutcome lines_fill(LineReader *reader, Lines *lines);
/* The body has ended: the last line may have no newline.  False when it ends before its encoding does. */
extern bool lines_end(LineReader *reader, Lines *lines);

/* Does it take no more? */
extern bool lines_full(const Lines *lines);
/* What has come of the next line moves to an empty chunk. */
extern void lines_move_tail(const LineReader *reader, const Lines *from, Lines *to);
/* Empty the chunk; its memory stays. */
extern void lines_empty(Lines *lines);

#endif							/* QEHS_LINES_H */
