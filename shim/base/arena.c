/*
 * arena.c
 *	  Blocks of at least 4 kB in a list; nothing is freed singly.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define BLOCK_BYTES 4064

struct ArenaBlock
{
	ArenaBlock *next;
	size_t		used;
	size_t		size;
	_Alignas(16) char data[];
};

void *
arena_alloc(Arena *arena, size_t size)
{
	ArenaBlock *block = arena->blocks;
	void	   *memory;

	size = (size + 15) & ~(size_t) 15;
	if (block == NULL || block->size - block->used < size)
	{
		size_t		bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		block = malloc(sizeof(ArenaBlock) + bytes);
		if (block == NULL)
			abort();
		block->next = arena->blocks;
		block->used = 0;
		block->size = bytes;
		arena->blocks = block;
	}
	memory = block->data + block->used;
	block->used += size;
	return memory;
}

char *
arena_copy(Arena *arena, const char *text, size_t length)
{
	char	   *copy = arena_alloc(arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *
arena_format(Arena *arena, const char *format,...)
{
	va_list		arguments;
	int			length;
	char	   *text;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	text = arena_alloc(arena, (size_t) length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t) length + 1, format, arguments);
	va_end(arguments);
	return text;
}

void
arena_free(Arena *arena)
{
	while (arena->blocks)
	{
		ArenaBlock *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

void
arena_reset(Arena *arena)
{
	ArenaBlock *kept = NULL;

	while (arena->blocks)
	{
		ArenaBlock *next = arena->blocks->next;

		if (kept == NULL && arena->blocks->size == BLOCK_BYTES)
			kept = arena->blocks;
		else
			free(arena->blocks);
		arena->blocks = next;
	}
	if (kept)
	{
		kept->next = NULL;
		kept->used = 0;
	}
	arena->blocks = kept;
}

/* Room for so many bytes more and a NUL. */
static void
make_room(Buffer *buffer, size_t length)
{
	size_t		capacity = (buffer->length + length + 1) * 2;
	char	   *data;

	if (buffer->length + length + 1 <= buffer->capacity)
		return;
	data = arena_alloc(buffer->arena, capacity);
	if (buffer->length > 0)
		memcpy(data, buffer->data, buffer->length);
	buffer->data = data;
	buffer->capacity = capacity;
}

void
buffer_append(Buffer *buffer, const char *bytes, size_t length)
{
	make_room(buffer, length);
	memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void
buffer_text(Buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void
buffer_format(Buffer *buffer, const char *format,...)
{
	va_list		arguments;
	size_t		room;
	int			length;

	make_room(buffer, 64);
	for (;;)
	{
		room = buffer->capacity - buffer->length;
		va_start(arguments, format);
		length = vsnprintf(buffer->data + buffer->length, room, format, arguments);
		va_end(arguments);
		if (length < 0)
			abort();
		if ((size_t) length < room)
			break;
		make_room(buffer, (size_t) length);
	}
	buffer->length += (size_t) length;
}

/* How many bytes from the start stand in a JSON string as they are. */
static size_t
plain_length(const char *text, size_t length)
{
	size_t		at = 0;

	while (at < length && (unsigned char) text[at] >= 0x20 && text[at] != '"' && text[at] != '\\')
	{
		int			step = (unsigned char) text[at] < 0x80 ? 1 : utf8_length(text + at, length - at);

		if (step == 0)
			break;
		at += (size_t) step;
	}
	return at;
}

void
buffer_json(Buffer *buffer, const char *text, size_t length)
{
	buffer_append(buffer, "\"", 1);
	for (size_t at = 0; at < length; at++)
	{
		size_t		plain = plain_length(text + at, length - at);

		buffer_append(buffer, text + at, plain);
		at += plain;
		if (at == length)
			break;
		if ((unsigned char) text[at] >= 0x80)
			buffer_text(buffer, "\xEF\xBF\xBD");
		else if ((unsigned char) text[at] < 0x20)
			buffer_format(buffer, "\\u%04x", text[at]);
		else
			buffer_format(buffer, "\\%c", text[at]);
	}
	buffer_append(buffer, "\"", 1);
}
