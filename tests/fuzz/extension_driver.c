/*
 * extension_driver.c
 *	  Fuzzing inside a server: qehs_fuzz(target, arguments) runs libFuzzer in the
 *	  backend, whose memory contexts, jsonb and numeric the extension's parsers work on.
 *
 * Each input has a memory context of its own, gone after it, and its text ends in front of a page
 * that can't be read, so that a step too far is seen. What is not text of
 * the database's encoding is left out, as the server would refuse it. An ERROR out
 * of a parser is a finding, since parsers collect their faults (a target that may
 * raise one catches it). libFuzzer ends the process itself.
 */
#include "extension_driver.h"

#include <sys/mman.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define INPUT_LIMIT (1024 * 1024)

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target) (const uint8_t *data, size_t size));

PG_FUNCTION_INFO_V1(qehs_fuzz);

static const FuzzTarget *const targets[] = {&fuzz_graphql, &fuzz_schema, &fuzz_scim, &fuzz_text};
static const FuzzTarget *chosen;

/* A copy of the input, NUL-terminated, whose end is the end of the readable pages; good until the next one. */
static char *
guarded_copy(const uint8_t *data, size_t size)
{
	static char *pages = NULL;
	char	   *text;

	if (pages == NULL)
	{
		size_t		page = (size_t) sysconf(_SC_PAGESIZE);

		pages = aligned_alloc(page, INPUT_LIMIT + page);
		if (pages == NULL || mprotect(pages + INPUT_LIMIT, page, PROT_NONE) != 0)
			abort();
	}
	text = pages + INPUT_LIMIT - size - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static int
run_one(const uint8_t *data, size_t size)
{
	MemoryContext context;
	MemoryContext before;

	if (size == 0 || size >= INPUT_LIMIT || memchr(data, '\0', size) != NULL || !pg_verify_mbstr(PG_UTF8, (const char *) data, (int) size, true))
		return -1;
	context = AllocSetContextCreate(CurrentMemoryContext, "fuzz input", ALLOCSET_SMALL_SIZES);
	before = MemoryContextSwitchTo(context);
	PG_TRY();
	{
		chosen->try(guarded_copy(data, size), (int) size);
	}
	PG_CATCH();
	{
		EmitErrorReport();
		abort();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return 0;
}

/* The arguments of qehs_fuzz. */
enum
{
	ARGUMENT_TARGET, ARGUMENT_OPTIONS
};

Datum
qehs_fuzz(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_TARGET));
	Datum	   *items;
	int			count;
	int			argc = 1;
	char	  **argv;

	for (int i = 0; i < (int) lengthof(targets); i++)
		if (strcmp(targets[i]->name, name) == 0)
			chosen = targets[i];
	if (chosen == NULL)
		ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no fuzz target \"%s\"", name));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_OPTIONS), TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	/* a server in single-user mode leaves out where the stack begins, and then no depth is too deep */
	set_stack_base();
	argv = palloc0((count + 2) * sizeof(char *));
	argv[0] = name;
	for (int i = 0; i < count; i++)
		argv[argc++] = TextDatumGetCString(items[i]);
	PG_RETURN_INT32(LLVMFuzzerRunDriver(&argc, &argv, run_one));
}
