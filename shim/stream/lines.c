/*
 * lines.c
 *	  Decoding and splitting.  A chunk is full with 2,000 lines or 1 MiB, or when
 *	  a line that is too long has to be answered for behind it.
 */
#include "stream/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decode.h"

#define CHUNK_LINES 2000
#define CHUNK_BYTES (1024 * 1024)
#define PIECE_BYTES (32 * 1024)

void
lines_open(LineReader *reader, const char *encoding, size_t limit, char delimiter)
{
	*reader = (LineReader) {.limit = limit,.delimiter = delimiter,.decoder = decoder_create(encoding)};
	if (reader->decoder && (reader->decoded = malloc(PIECE_BYTES)) == NULL)
		abort();
}

void
lines_close(LineReader *reader)
{
	decoder_free(reader->decoder);
	free(reader->decoded);
	free(reader->input);
	free(reader->header);
}

void
lines_give(LineReader *reader, const char *bytes, size_t length)
{
	if (length > reader->input_capacity)
	{
		reader->input = realloc(reader->input, length);
		if (reader->input == NULL)
			abort();
		reader->input_capacity = length;
	}
	memcpy(reader->input, bytes, length);
	reader->input_length = length;
	reader->input_at = 0;
}

bool
lines_waiting(const LineReader *reader)
{
	return reader->piece_length > 0 || reader->input_at < reader->input_length || reader->more_decoded;
}

void
lines_drop(LineReader *reader)
{
	reader->piece_length = 0;
	reader->more_decoded = false;
	reader->input_at = reader->input_length;
}

bool
lines_full(const Lines *lines)
{
	return lines->long_line || lines->count >= CHUNK_LINES || lines->whole >= CHUNK_BYTES;
}

void
lines_empty(Lines *lines)
{
	lines->length = lines->whole = 0;
	lines->count = 0;
	lines->long_line = 0;
}

static void
reserve(Lines *lines, size_t needed, size_t spare)
{
	if (needed <= lines->capacity)
		return;
	lines->capacity = needed + spare;
	lines->bytes = realloc(lines->bytes, lines->capacity);
	if (lines->bytes == NULL)
		abort();
}

void
lines_move_tail(const LineReader *reader, const Lines *from, Lines *to)
{
	size_t		length = from->length - from->whole;

	if (length == 0)
		return;
	reserve(to, length, PIECE_BYTES);
	memcpy(to->bytes, from->bytes + from->whole, length);
	to->length = length;
	to->first = reader->line + 1;
}

static void
append(const LineReader *reader, Lines *lines, const char *bytes, size_t length)
{
	if (lines->length == 0)
		lines->first = reader->line + 1;
	reserve(lines, lines->length + length, lines->capacity / 2 + PIECE_BYTES);
	memcpy(lines->bytes + lines->length, bytes, length);
	lines->length += length;
}

/* The first line of the first chunk. */
static void
keep_header(LineReader *reader, const Lines *lines)
{
	reader->header = malloc(lines->length);
	if (reader->header == NULL)
		abort();
	memcpy(reader->header, lines->bytes, lines->length);
	reader->header_length = lines->length;
}

static void
end_line(LineReader *reader, Lines *lines)
{
	if (reader->line++ == 0 && reader->delimiter)
		keep_header(reader, lines);
	if (reader->line <= reader->from)
	{
		lines->length = lines->whole;
		return;
	}
	lines->whole = lines->length;
	if (lines->count++ == 0)
		lines->since = clock_now();
}

/* The newline that ends the line, in bytes that follow on those before; NULL when none does. */
static const char *
find_end(LineReader *reader, const char *bytes, size_t length)
{
	if (reader->delimiter == '\0')
		return memchr(bytes, '\n', length);
	for (const char *end = bytes + length; bytes < end; bytes++)
	{
		reader->state = csv_step(reader->state, *bytes, reader->delimiter);
		if (csv_ends_record(reader->state, *bytes))
			return bytes;
	}
	return NULL;
}

/* Take bytes into the chunk until it is full; gives how many. */
static size_t
take_bytes(LineReader *reader, Lines *lines, const char *bytes, size_t length)
{
	size_t		at = 0;

	while (at < length && !lines_full(lines))
	{
		const char *newline = find_end(reader, bytes + at, length - at);
		size_t		part = newline ? (size_t) (newline + 1 - (bytes + at)) : length - at;

		if (!reader->skipping && lines->length - lines->whole + part - (newline != NULL) > reader->limit)
		{
			reader->skipping = true;
			lines->length = lines->whole;
			lines->long_line = reader->line + 1 > reader->from ? reader->line + 1 : 0;
		}
		if (!reader->skipping)
		{
			append(reader, lines, bytes + at, part);
			if (newline)
				end_line(reader, lines);
		}
		else if (newline)
		{
			reader->skipping = false;
			reader->line++;
		}
		at += part;
	}
	return at;
}

/* Make the next piece of the body: LINES_FULL when there is one. */
static LinesOutcome
next_piece(LineReader *reader)
{
	const char *at = reader->input + reader->input_at;
	size_t		left = reader->input_length - reader->input_at;

	if (reader->decoder == NULL)
	{
		reader->piece = at;
		reader->piece_length = left;
		reader->input_at = reader->input_length;
		return left > 0 ? LINES_FULL : LINES_HUNGRY;
	}
	if (left == 0 && !reader->more_decoded)
		return LINES_HUNGRY;
	if (!decoder_run(reader->decoder, &at, &left, reader->decoded, PIECE_BYTES, &reader->piece_length) ||
		(reader->piece_length == 0 && left > 0 && left == reader->input_length - reader->input_at))
	{
		lines_drop(reader);
		return LINES_MALFORMED;
	}
	reader->input_at = reader->input_length - left;
	reader->piece = reader->decoded;
	reader->more_decoded = reader->piece_length == PIECE_BYTES;
	return reader->piece_length > 0 || left > 0 ? LINES_FULL : LINES_HUNGRY;
}

LinesOutcome
lines_fill(LineReader *reader, Lines *lines)
{
	while (!lines_full(lines))
	{
		if (reader->piece_length > 0)
		{
			size_t		taken = take_bytes(reader, lines, reader->piece, reader->piece_length);

			reader->piece += taken;
			reader->piece_length -= taken;
		}
		else
		{
			LinesOutcome outcome = next_piece(reader);

			if (outcome != LINES_FULL)
				return outcome;
		}
	}
	return LINES_FULL;
}

bool
lines_end(LineReader *reader, Lines *lines)
{
	if (reader->decoder && !decoder_complete(reader->decoder))
		return false;
	if (lines->length > lines->whole)
	{
		append(reader, lines, "\n", 1);
		end_line(reader, lines);
	}
	if (reader->skipping)
		reader->line++;
	reader->skipping = false;
	return true;
}
