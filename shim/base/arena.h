/*
 * arena.h
 *	  Memory of one request: many small allocations, freed at once.
 *
 * arena_alloc never gives NULL: a shim that cannot get some kilobytes ends.
 */
#ifndef QEHS_ARENA_H
#define QEHS_ARENA_H

#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena
{
	ArenaBlock *blocks;
} Arena;

/* Memory, a NUL-terminated copy, a formatted text; all live until arena_free or arena_reset, and none is ever NULL. */
extern void *arena_alloc(Arena *arena, size_t size);
extern char *arena_copy(Arena *arena, const char *text, size_t length);
extern char *arena_format(Arena *arena, const char *format,...) __attribute__((format(printf, 2, 3)));
/* Free everything. */
extern void arena_free(Arena *arena);
/* Free everything but one small block, for the next use. */
extern void arena_reset(Arena *arena);

/* A growing buffer of an arena, NUL-terminated. */
typedef struct Buffer
{
	Arena	   *arena;
	char	   *data;
	size_t		length;
	size_t		capacity;
} Buffer;

/* Append bytes, a text, a formatted text. */
extern void buffer_append(Buffer *buffer, const char *bytes, size_t length);
extern void buffer_text(Buffer *buffer, const char *text);
extern void buffer_format(Buffer *buffer, const char *format,...) __attribute__((format(printf, 2, 3)));
/* Append text as a JSON string with its quotes; each byte that is no UTF-8 becomes U+FFFD, so that any text is valid JSON. */
extern void buffer_json(Buffer *buffer, const char *text, size_t length);

#endif							/* QEHS_ARENA_H */
