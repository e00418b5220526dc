/*
 * guard.c
 *	  A state machine.  Lines end with CRLF; what a byte inside a line may be
 *	  depends on the kind of line.
 */
#include "http/guard.h"

#include "common/hex.h"

static bool
is_control(unsigned char byte)
{
	return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* A byte of a chunk's size or what ends it; false when it cannot stand there. */
static bool
take_size(Guard *guard, char byte)
{
	int			digit = hex_value(byte);

	if (digit < 0)
	{
		guard->state = GUARD_CHUNK_EXTENSION;
		return guard->seen && (byte == ';' || byte == ' ' || byte == '\t');
	}
	guard->seen = true;
	if (guard->remaining < GUARD_LARGEST)
		guard->remaining = guard->remaining * 16 + (uint64_t) digit;
	return true;
}

/* A byte of a line, not of its end; false when it cannot stand there. */
static bool
take_byte(Guard *guard, char byte)
{
	if (is_control((unsigned char) byte))
		return false;
	switch (guard->state)
	{
		case GUARD_START:
			guard->state = GUARD_REQUEST_LINE;
			guard->seen = false;
			return byte != ' ' && byte != '\t';
		case GUARD_REQUEST_LINE:
			/* one space between its parts */
			if (byte == '\t' || (byte == ' ' && guard->seen))
				return false;
			guard->seen = byte == ' ';
			return true;
		case GUARD_FIELD_START:
			/* a folded line, or a name of no bytes */
			guard->state = GUARD_FIELD_NAME;
			return byte != ' ' && byte != '\t' && byte != ':';
		case GUARD_FIELD_NAME:
			if (byte == ':')
				guard->state = GUARD_FIELD_VALUE;
			return true;
		case GUARD_CHUNK_SIZE:
			return take_size(guard, byte);
		case GUARD_CHUNK_END:
			return false;
		default:
			return true;
	}
}

/* How many bytes from the first on leave the state as it is.  Most of a head are such: its values, names and target. */
static size_t
plain_length(const Guard *guard, const char *bytes, size_t length)
{
	const unsigned char *text = (const unsigned char *) bytes;
	size_t		at = 0;

	if (guard->carriage_return)
		return 0;
	if (guard->state == GUARD_FIELD_VALUE)
		while (at < length && !is_control(text[at]))
			at++;
	else if (guard->state == GUARD_FIELD_NAME)
		while (at < length && text[at] != ':' && !is_control(text[at]))
			at++;
	else if (guard->state == GUARD_REQUEST_LINE)
		while (at < length && text[at] > ' ' && text[at] != 0x7f)
			at++;
	return at;
}

/* May a line end here? */
static bool
may_end(const Guard *guard)
{
	return guard->state != GUARD_FIELD_NAME && (guard->state != GUARD_CHUNK_SIZE || guard->seen);
}

static void
expect_size(Guard *guard)
{
	guard->state = GUARD_CHUNK_SIZE;
	guard->remaining = 0;
	guard->seen = false;
}

/* A line is complete. */
static GuardEvent
end_line(Guard *guard)
{
	GuardEvent	event;

	switch (guard->state)
	{
		case GUARD_START:
			return GUARD_SKIP;
		case GUARD_CHUNK_SIZE:
		case GUARD_CHUNK_EXTENSION:
			guard->trailer = guard->remaining == 0;
			guard->state = guard->trailer ? GUARD_FIELD_START : GUARD_CHUNK_DATA;
			return GUARD_LINE;
		case GUARD_CHUNK_END:
			expect_size(guard);
			return GUARD_MORE;
		case GUARD_FIELD_START:	/* the empty line after the fields */
			guard->state = GUARD_START;
			event = guard->trailer ? GUARD_TRAILER : GUARD_HEAD;
			guard->trailer = false;
			return event;
		default:
			guard->state = GUARD_FIELD_START;
			return GUARD_MORE;
	}
}

/* As many bytes of a body or chunk as there are. */
static size_t
take_data(Guard *guard, size_t length)
{
	size_t		part = guard->remaining < length ? (size_t) guard->remaining : length;

	guard->remaining -= part;
	if (guard->remaining == 0)
		guard->state = guard->state == GUARD_BODY ? GUARD_START : GUARD_CHUNK_END;
	return part;
}

size_t
guard_next(Guard *guard, const char *bytes, size_t length, GuardEvent *event)
{
	*event = GUARD_MORE;
	if (length > 0 && (guard->state == GUARD_BODY || guard->state == GUARD_CHUNK_DATA))
	{
		*event = GUARD_DATA;
		return take_data(guard, length);
	}
	for (size_t at = 0; at < length; at++)
	{
		size_t		plain = plain_length(guard, bytes + at, length - at);
		char		byte;

		at += plain;
		guard->seen = guard->seen && plain == 0;
		if (at == length)
			return length;
		byte = bytes[at];
		if (guard->state == GUARD_BROKEN || guard->carriage_return != (byte == '\n') || (byte == '\r' && !may_end(guard)) ||
			(byte != '\r' && byte != '\n' && !take_byte(guard, byte)))
		{
			guard->state = GUARD_BROKEN;
			*event = GUARD_BREAK;
			return at;
		}
		guard->carriage_return = byte == '\r';
		if (byte == '\n' && (*event = end_line(guard)) != GUARD_MORE)
			return at + 1;
	}
	return length;
}

void
guard_body(Guard *guard, uint64_t length, bool chunked)
{
	guard->remaining = length;
	if (chunked)
		expect_size(guard);
	else
		guard->state = length > 0 ? GUARD_BODY : GUARD_START;
}
