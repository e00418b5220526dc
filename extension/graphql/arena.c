/*
 * arena.c
 *	  Blocks of 8 kB from the arena's owner, cut from the front.  The owner frees
 *	  the blocks; nothing here does.
 */
#include "graphql/arena.h"

#include <stdalign.h>
#include <string.h>

#define BLOCK_BYTES 8192

void *
graphql_arena_take(GraphqlArena *arena, size_t size)
{
	void	   *taken;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > arena->left)
	{
		size_t		block = size > BLOCK_BYTES / 4 ? size : BLOCK_BYTES;
		char	   *fresh = arena->allocate(arena->owner, block);

		if (fresh == NULL)
			return NULL;
		if (block == size)
			return memset(fresh, 0, size);	/* a block of its own; the current one goes on */
		arena->free = fresh;
		arena->left = block;
	}
	taken = arena->free;
	arena->free += size;
	arena->left -= size;
	return memset(taken, 0, size);
}
