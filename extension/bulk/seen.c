/*
 * seen.c
 *	  What the lines of a dry run would have taken and made so far: unique values,
 *	  keys, and the records of an upsert.
 *
 * A dry run stores nothing, so a line is held against the lines before it, of its
 * own and of earlier chunks, by hashes of 128 bits in a table of this session.  What
 * an upsert's lines would make of records is written to a temporary file, at the
 * place that the table has for their external ids.  Both live until bulk_end or,
 * without bulk_begin, as long as the transaction, and begin anew with line 1.  They
 * are bounded: when the table is full, all is forgotten, so that lines far apart are
 * no longer held against each other.
 */
#include "base/compat.h"

#include "bulk/bulk.h"
#include "common/hashfn.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 1024
#define MOST_SLOTS (1024 * 1024)	/* 32 MB */

typedef struct Seen
{
	uint64		hash[2];
	int64		line;			/* 0: the slot is free */
	uint64		what;
} Seen;

/* What stands in the file before the state and the payload of a record. */
typedef struct KeptRecord
{
	pg_uuid_t	id;
	pg_uuid_t	created_by;
	int32		module_id;
	int32		definition_version;
	uint32		state_length;
	uint32		payload_size;
} KeptRecord;

/* The kind of name that an external id is; no field has this key. */
#define KIND_RECORD "record of"

static MemoryContext memory = NULL;
static BufFile *file;			/* of records; NULL until one is kept */
static int	file_number;		/* where the next record goes */
static off_t file_offset;
static Seen *slots;
static uint32 slot_count;
static uint32 used;

static void
forget(void *argument)
{
	if (file)
		BufFileClose(file);
	file = NULL;
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
	if (old_count == MOST_SLOTS)
	{
		file_number = 0;
		file_offset = 0;
	}
	else
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

/* Go to a place of the file. */
static void
seek(int number, off_t offset)
{
	if (BufFileSeek(file, number, offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not seek in temporary file: %m")));
}

static void
read_bytes(void *bytes, size_t size)
{
	if (BufFileRead(file, bytes, size) != size)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read from temporary file: %m")));
}

void
bulk_keep_record(const char *external, int64 line, const Record *record)
{
	KeptRecord	kept = {record->id, record->created_by, record->module_id, record->definition_version,
	strlen(record->workflow_state), VARSIZE(record->payload)};
	uint64		place;

	if (file == NULL)
	{
		MemoryContext previous = MemoryContextSwitchTo(memory);

		file = BufFileCreateTemp(true);
		file_number = 0;
		file_offset = 0;
		MemoryContextSwitchTo(previous);
	}
	/* room is made first, since that may forget the file's contents; a part of the file has 1 GB, so 32 bits hold the offset */
	bulk_see(KIND_RECORD, external, line, 0);
	place = ((uint64) file_number << 32) | (uint64) file_offset;
	seek(file_number, file_offset);
	BufFileWrite(file, &kept, sizeof(kept));
	BufFileWrite(file, unconstify(char *, record->workflow_state), kept.state_length);
	BufFileWrite(file, record->payload, kept.payload_size);
	BufFileTell(file, &file_number, &file_offset);
	bulk_see(KIND_RECORD, external, line, place);
}

bool
bulk_find_kept(const char *external, int64 line, Record *record)
{
	uint64		place;
	KeptRecord	kept;
	char	   *state;

	if (file == NULL || !bulk_was_seen(KIND_RECORD, external, line, &place))
		return false;
	if (record == NULL)
		return true;
	seek((int) (place >> 32), (off_t) (place & PG_UINT32_MAX));
	read_bytes(&kept, sizeof(kept));
	state = palloc0(kept.state_length + 1);
	read_bytes(state, kept.state_length);
	memset(record, 0, sizeof(*record));
	record->payload = palloc(kept.payload_size);
	read_bytes(record->payload, kept.payload_size);
	record->id = kept.id;
	record->created_by = kept.created_by;
	record->module_id = kept.module_id;
	record->definition_version = kept.definition_version;
	record->workflow_state = state;
	return true;
}
