/*
 * check.c
 *	  Parses and validates documents with extension/graphql alone, for
 *	  ../graphql.mjs: reads frames (four bytes of length, little-endian, and the
 *	  document) and answers each with a line of JSON: null for a document without
 *	  fault, {"syntax":[line,column]}, or [[rule, [line,column]…]…].
 *
 * schema.inc, which graphql.mjs writes from an SDL text, defines the schema.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graphql/parser.h"
#include "graphql/validate.h"

#include "schema.inc"

typedef struct Block
{
	struct Block *next;
} Block;

static void *
take(void *owner, size_t size)
{
	Block	  **blocks = owner;
	Block	   *block = malloc(sizeof(Block) + 16 + size);

	if (block == NULL)
		abort();
	block->next = *blocks;
	*blocks = block;
	return (char *) block + 16;
}

static void
print_place(GraphqlText source, uint32_t offset)
{
	int			line;
	int			column;

	graphql_locate(source, offset, &line, &column);
	printf("[%d,%d]", line, column);
}

static void
check(GraphqlText source)
{
	GraphqlLimits limits = {1000000, 500};
	Block	   *blocks = NULL;
	GraphqlArena arena = {take, &blocks, NULL, 0};
	GraphqlFault fault;
	GraphqlErrors errors = {0};
	GraphqlNode *document = graphql_parse(source, &limits, &arena, &fault);

	if (document)
		graphql_validate(&schema, document, &arena, &errors);
	if (document == NULL)
	{
		printf("{\"syntax\":");
		print_place(source, fault.offset);
		printf("}\n");
	}
	else if (errors.first == NULL)
		printf("null\n");
	else
	{
		for (const GraphqlError *error = errors.first; error; error = error->next)
		{
			printf("%s[\"%s\"", error == errors.first ? "[" : ",", error->rule);
			for (int i = 0; i < error->place_count; i++)
			{
				printf(",");
				print_place(source, error->places[i]);
			}
			printf("]");
		}
		printf("]\n");
	}
	while (blocks)
	{
		Block	   *next = blocks->next;

		free(blocks);
		blocks = next;
	}
}

int
main(void)
{
	unsigned char head[4];

	while (fread(head, 1, sizeof(head), stdin) == sizeof(head))
	{
		size_t		length = head[0] | head[1] << 8 | head[2] << 16 | (size_t) head[3] << 24;
		char	   *text = malloc(length + 1);

		if (text == NULL || fread(text, 1, length, stdin) != length)
			return 1;
		check((GraphqlText) {text, length});
		free(text);
	}
	return 0;
}
