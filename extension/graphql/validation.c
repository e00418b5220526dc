/*
 * validation.c
 *	  What every rule needs: memory, errors, fragments by name.
 */
#include "graphql/validation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graphql/parser.h"

void *
validation_take(Validation *validation, size_t size)
{
	void	   *taken = graphql_arena_take(validation->arena, size);

	if (taken == NULL)
		validation->errors->out_of_memory = true;
	return taken;
}

bool
validation_is_over(const Validation *validation)
{
	return validation->errors->count > GRAPHQL_MAX_ERRORS || validation->errors->out_of_memory;
}

static void add_error(Validation *validation, const char *rule, const uint32_t *places, int count, const char *format, va_list arguments)
			__attribute__((format(printf, 5, 0)));

static void
add_error(Validation *validation, const char *rule, const uint32_t *places, int count, const char *format, va_list arguments)
{
	GraphqlErrors *errors = validation->errors;
	GraphqlError *error;
	char		message[1000];
	char	   *kept;

	if (validation_is_over(validation))
		return;
	if (errors->count == GRAPHQL_MAX_ERRORS)
	{
		count = 0;
		snprintf(message, sizeof(message), "there are more than %d errors", GRAPHQL_MAX_ERRORS);
	}
	else
		vsnprintf(message, sizeof(message), format, arguments);
	if ((error = validation_take(validation, sizeof(GraphqlError))) == NULL ||
		(kept = validation_take(validation, strlen(message) + 1)) == NULL)
		return;
	error->rule = rule;
	error->message = memcpy(kept, message, strlen(message) + 1);
	error->places = places;
	error->place_count = count;
	if (errors->last)
		errors->last->next = error;
	else
		errors->first = error;
	errors->last = error;
	errors->count++;
}

void
validation_error_many(Validation *validation, const char *rule, const uint32_t *places, int count, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	add_error(validation, rule, places, count, format, arguments);
	va_end(arguments);
}

void
validation_error(Validation *validation, const char *rule, uint32_t place, const char *format,...)
{
	uint32_t   *places = validation_take(validation, sizeof(uint32_t));
	va_list		arguments;

	if (places == NULL)
		return;
	places[0] = place;
	va_start(arguments, format);
	add_error(validation, rule, places, 1, format, arguments);
	va_end(arguments);
}

void
validation_error_two(Validation *validation, const char *rule, uint32_t first, uint32_t second, const char *format,...)
{
	uint32_t   *places = validation_take(validation, 2 * sizeof(uint32_t));
	va_list		arguments;

	if (places == NULL)
		return;
	places[0] = first;
	places[1] = second;
	va_start(arguments, format);
	add_error(validation, rule, places, 2, format, arguments);
	va_end(arguments);
}

Definition *
validation_fragment(const Validation *validation, GraphqlText name)
{
	int			low = 0;
	int			high = validation->fragment_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = graphql_text_compare(validation->fragments[middle]->node->name, name);

		if (order == 0)
			return validation->fragments[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int
compare_names(const void *a, const void *b)
{
	const GraphqlNode *left = *(const GraphqlNode *const *) a;
	const GraphqlNode *right = *(const GraphqlNode *const *) b;
	int			order = graphql_text_compare(left->name, right->name);

	return order != 0 ? order : (left->start > right->start) - (left->start < right->start);
}

const GraphqlNode **
validation_sorted(Validation *validation, const GraphqlNodes *nodes)
{
	const GraphqlNode **sorted = validation_take(validation, (size_t) (nodes->count + 1) * sizeof(GraphqlNode *));
	int			count = 0;

	if (sorted == NULL)
		return NULL;
	for (const GraphqlNode *node = nodes->first; node; node = node->next)
		sorted[count++] = node;
	qsort(sorted, (size_t) count, sizeof(GraphqlNode *), compare_names);
	return sorted;
}

/* An error at all nodes of a name. */
static void
error_at_all(Validation *validation, const char *rule, const GraphqlNode *const *nodes, int count, const char *what)
{
	uint32_t   *places = validation_take(validation, (size_t) count * sizeof(uint32_t));

	if (places == NULL)
		return;
	for (int i = 0; i < count; i++)
		places[i] = nodes[i]->name_start;
	validation_error_many(validation, rule, places, count, "there can be only one %s \"%.*s\"", what, SHOWN(nodes[0]->name));
}

void
validation_check_unique(Validation *validation, const char *rule, const GraphqlNodes *nodes, bool pairs, const char *what)
{
	const GraphqlNode **sorted;

	if (nodes->count < 2 || (sorted = validation_sorted(validation, nodes)) == NULL)
		return;
	for (int from = 0, end; from < nodes->count && !validation_is_over(validation); from = end)
	{
		for (end = from + 1; end < nodes->count && graphql_texts_equal(sorted[end]->name, sorted[from]->name); end++)
			if (pairs)
				validation_error_two(validation, rule, sorted[from]->name_start, sorted[end]->name_start,
									 "there can be only one %s \"%.*s\"", what, SHOWN(sorted[from]->name));
		if (!pairs && end > from + 1)
			error_at_all(validation, rule, sorted + from, end - from, what);
	}
}
