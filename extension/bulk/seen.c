/*
 * seen.c
 *	  What the lines of a dry run would have taken so far: unique values and keys.
 *
 * A dry run stores nothing, so a line is held against the lines before it, of its
 * own and of earlier chunks, by hashes of 128 bits in a table of this session.
 * The table lives until bulk_end or, without bulk_begin, as long as the
 * transaction, and begins anew with line 1.  It is bounded: when it is full, all
 * is forgotten, so that lines far apart are no longer held against each other.
 */
#include "base/compat.h"

#include "bulk/bulk.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 1024
#define MOST_SLOTS (1024 * 1024)	/* 32 MB */

typedef struct Seen
{
	uint64		hash[2];
	int64		line;			/* 0: the slot is free */
	uint64		what;
} Seen;

static MemoryContext memory = NULL;
static Seen *slots;
static uint32 slot_count;
static uint32 used;

static void
forget(void *argument)
{
	memory = NULL;
}

void
bulk_forget_seen(void)
{
	if (memory)
		MemoryContextDelete(memory);
}

static void
make_slots(uint32 count)
{
	slots = MemoryContextAllocZero(memory, sizeof(Seen) * count);
	slot_count = count;
	used = 0;
}

void
bulk_start_seen(int64 first_line)
{
	MemoryContextCallback *callback;

	if (first_line == 1)
		bulk_forget_seen();
	if (memory)
		return;
	memory = AllocSetContextCreate(bulk_is_running() ? TopMemoryContext : TopTransactionContext, "qehs bulk dry run",
								   ALLOCSET_DEFAULT_SIZES);
	callback = MemoryContextAllocZero(memory, sizeof(MemoryContextCallback));
	callback->func = forget;
	MemoryContextRegisterResetCallback(memory, callback);
	make_slots(FIRST_SLOTS);
}

/* The slot that has a hash, or the free one where it would stand. */
static Seen *
find_slot(const uint64 *hash)
{
	uint32		at = hash[0] & (slot_count - 1);

	while (slots[at].line && (slots[at].hash[0] != hash[0] || slots[at].hash[1] != hash[1]))
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

static void
make_room(void)
{
	Seen	   *old = slots;
	uint32		old_count = slot_count;

	if (used < slot_count / 4 * 3)
		return;
	make_slots(Min(slot_count * 2, MOST_SLOTS));
	if (old_count < MOST_SLOTS)
		for (uint32 i = 0; i < old_count; i++)
			if (old[i].line)
			{
				*find_slot(old[i].hash) = old[i];
				used++;
			}
	pfree(old);
}

static void
hash_name(const char *kind, const char *name, uint64 *hash)
{
	for (int i = 0; i < 2; i++)
		hash[i] = hash_bytes_extended((const unsigned char *) name, strlen(name),
									  hash_bytes_extended((const unsigned char *) kind, strlen(kind), (uint64) i + 1));
}

bool
bulk_was_seen(const char *kind, const char *name, int64 line, uint64 *what)
{
	uint64		hash[2];
	const Seen *found;

	hash_name(kind, name, hash);
	found = find_slot(hash);
	if (found->line == 0 || found->line >= line)
		return false;
	*what = found->what;
	return true;
}

void
bulk_see(const char *kind, const char *name, int64 line, uint64 what)
{
	uint64		hash[2];
	Seen	   *slot;

	make_room();
	hash_name(kind, name, hash);
	slot = find_slot(hash);
	used += slot->line == 0;
	*slot = (Seen) {{hash[0], hash[1]}, line, what};
}
