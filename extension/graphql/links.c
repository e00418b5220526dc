/*
 * links.c
 *	  The links of records of a level, with the records at their other ends.
 *
 * One statement finds the links of all records of the level, with the rows at their other
 * ends.
 */
#include "base/compat.h"

#include "graphql/load.h"
#include "miscadmin.h"
#include "record/link.h"

/* A record that outlives the row that it was read from. */
static Record
copy_record(const Record *record)
{
	Record		copy = *record;

	copy.workflow_state = pstrdup(record->workflow_state);
	copy.payload = palloc(VARSIZE(record->payload));
	memcpy(copy.payload, record->payload, VARSIZE(record->payload));
	return copy;
}

static void
take_link(void *owner, const LinkTold *link)
{
	RunLinks   *links = owner;
	MemoryContext caller;

	if (graphql_model_type(links->run->model, link->module->key) == NULL)
		return;
	caller = MemoryContextSwitchTo(links->memory);
	if (links->count == links->room)
	{
		links->room = Max(64, 2 * links->room);
		links->items = links->items ? repalloc(links->items, links->room * sizeof(RunLink)) : palloc(links->room * sizeof(RunLink));
		links->records = links->records ? repalloc(links->records, links->room * sizeof(Record)) : palloc(links->room * sizeof(Record));
	}
	links->items[links->count] = (RunLink) {link->place, link->position, pstrdup(link->fields)};
	if (links->keeps_records)
		links->records[links->count] = copy_record(link->other);
	links->count++;
	MemoryContextSwitchTo(caller);
}

/* Bring the links of a record together, in their order; starts and counts of loaded say where they are. */
static void
sort_links(RunLinks *links, int record_count, RunLoaded *loaded)
{
	RunLink    *sorted = palloc(Max(links->count, 1) * sizeof(RunLink));
	int		   *next = palloc(record_count * sizeof(int));
	int			start = 0;

	loaded->starts = palloc(record_count * sizeof(int));
	loaded->counts = palloc0(record_count * sizeof(int));
	for (int i = 0; i < links->count; i++)
		loaded->counts[links->items[i].place]++;
	for (int i = 0; i < record_count; start += loaded->counts[i++])
		loaded->starts[i] = next[i] = start;
	for (int i = 0; i < links->count; i++)
		sorted[next[links->items[i].place]++] = links->items[i];
	links->items = sorted;
}

/* The other records by their ids, each once. */
static void
sort_records(RunLinks *links)
{
	record_sort(links->records, links->count);
	for (int i = 0; i < links->count; i++)
		if (links->record_count == 0 || memcmp(&links->records[links->record_count - 1].id, &links->records[i].id, UUID_LEN) != 0)
			links->records[links->record_count++] = links->records[i];
}

RunLinks *
links_find(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded)
{
	RunFields  *members = run_fields(run, field, graphql_named_type(field->field->type));
	RunLinks   *links = palloc0(sizeof(RunLinks));
	char	   *cursor = run_argument_text(field, "cursor");
	LinkPosition *after = palloc(level->count * sizeof(LinkPosition));

	links->run = run;
	links->memory = CurrentMemoryContext;
	links->named = palloc0(Max(members->count, 1) * sizeof(RunNamed *));
	for (int i = 0; i < members->count; i++)
		links->keeps_records |= graphql_is_composite(graphql_named_type(members->items[i].field->type));
	for (int i = 0; i < level->count; i++)
		after[i] = link_open_cursor(run->context->tenant_id, &level->records[i].id, cursor);
	link_walk(run->context, level->records, after, level->count, run_list_limit(field), take_link, links);
	sort_links(links, level->count, loaded);
	if (links->keeps_records)
		sort_records(links);
	return links;
}
