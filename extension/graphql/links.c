/*
 * links.c
 *	  The links of records of a level, with the records at their other ends.
 *
 * One statement finds the links of all records of the level, with the rows at their other
 * ends; those become levels of their own, one for each module.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/load.h"
#include "miscadmin.h"
#include "record/link.h"

typedef struct RunLink
{
	int			place;			/* of the record that it is a link of */
	LinkPosition position;
	const char *fields;			/* a JSON array */
} RunLink;

struct RunLinks
{
	Run		   *run;			/* while they are taken */
	MemoryContext memory;
	bool		keeps_records;	/* the other records are asked for */
	int			count;
	int			room;
	RunLink    *items;			/* record by record, when all are there */
	int			record_count;
	Record	   *records;		/* at their other ends, by their ids, each once */
	RunNamed  **named;			/* of each field of RecordLink that is the record: where records are */
};

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

/* The other records, each once, as each field asks for them. */
static void
load_others(Run *run, RunLinks *links, RunFields *members)
{
	record_sort(links->records, links->count);
	for (int i = 0; i < links->count; i++)
		if (links->record_count == 0 || memcmp(&links->records[links->record_count - 1].id, &links->records[i].id, UUID_LEN) != 0)
			links->records[links->record_count++] = links->records[i];
	for (int i = 0; i < members->count; i++)
		if (graphql_is_composite(graphql_named_type(members->items[i].field->type)))
			links->named[i] = load_named(run, &members->items[i], links->records, links->record_count);
}

/* The fields of RecordLink that are asked for. */
static RunFields *
link_members(Run *run, RunField *field)
{
	return run_fields(run, field, graphql_named_type(field->field->type));
}

void
links_load(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded)
{
	RunFields  *members = link_members(run, field);
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
		load_others(run, links, members);
	loaded->links = links;
}

static bool
write_member(Run *run, StringInfo out, RunFields *members, int number, const pg_uuid_t *record_id, const RunLinks *links, const RunLink *link)
{
	const RunField *member = &members->items[number];
	const RunNamed *other;

	if (member->source->origin == ORIGIN_TYPENAME)
		json_string_n(out, members->type->name.data, members->type->name.length);
	else if (strcmp(member->source->member, "direction") == 0)
		json_string(out, link->position.is_in ? "in" : "out");
	else if (strcmp(member->source->member, "fields") == 0)
		appendStringInfoString(out, link->fields);
	else if (strcmp(member->source->member, "cursor") == 0)
		json_string(out, link_seal_cursor(run->context->tenant_id, record_id, &link->position));
	else
	{
		other = &links->named[number][record_find(links->records, links->record_count, &link->position.other)];
		return load_write_record(run, out, other->level, other->number);
	}
	return true;
}

static bool
write_link(Run *run, StringInfo out, RunFields *members, const pg_uuid_t *record_id, const RunLinks *links, const RunLink *link)
{
	int			start = out->len;

	for (int i = 0; i < members->count; i++)
	{
		int			path = run_begin_member(run, out, start, &members->items[i]);
		bool		written = write_member(run, out, members, i, record_id, links, link);

		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}

bool
links_write(Run *run, StringInfo out, RunField *field, const RunLevel *level, const RunLoaded *loaded, int number)
{
	RunFields  *members = link_members(run, field);
	int			start = out->len;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < loaded->counts[number]; i++)
	{
		int			path = run_begin_item(run, i);
		bool		written;

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(out, ',');
		written = write_link(run, out, members, &level->records[number].id, loaded->links, &loaded->links->items[loaded->starts[number] + i]);
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoChar(out, ']');
	return true;
}
