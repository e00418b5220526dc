/*
 * arena.h
 *	  Memory that is given back all at once, for parsers that must not know whose
 *	  memory it is: the extension hands in a memory context, a fuzzer malloc.
 */
#ifndef QEHS_GRAPHQL_ARENA_H
#define QEHS_GRAPHQL_ARENA_H

#include <stddef.h>

typedef struct GraphqlArena
{
	/* Returns size bytes, or NULL when there are none (PostgreSQL's allocators raise an error instead). */
	void	   *(*allocate) (void *owner, size_t size);
	void	   *owner;			/* handed to allocate */
	char	   *free;			/* what is left of the current block */
	size_t		left;
} GraphqlArena;

/* Returns size bytes of zeros, aligned for any type, or NULL when memory is exhausted. */
extern void *graphql_arena_take(GraphqlArena *arena, size_t size);

#endif							/* QEHS_GRAPHQL_ARENA_H */
