/*
 * guarded.c
 *	  A field in a subtransaction of its own.
 */
#include "base/compat.h"

#include "base/attempt.h"
#include "graphql/run.h"

typedef struct Guarded
{
	Run		   *run;
	StringInfo	out;
	RunField   *field;
	bool		(*write) (Run *run, StringInfo out, RunField *field);
	bool		written;
} Guarded;

static void
write_field(void *argument)
{
	Guarded    *guarded = argument;

	guarded->written = guarded->write(guarded->run, guarded->out, guarded->field);
}

bool
run_write_guarded(Run *run, StringInfo out, RunField *field, bool (*write) (Run *run, StringInfo out, RunField *field))
{
	Guarded		guarded = {.run = run,.out = out,.field = field,.write = write};
	int			start = out->len;
	int			path = run->path_length;
	ErrorData  *error = attempt_run(write_field, &guarded);

	if (error == NULL)
		return guarded.written;
	/* what is not the client's ends the request */
	if (strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) != 0)
		ReThrowError(error);
	out->len = start;
	run->path_length = path;
	run_error_caught(run, field->node, error);
	FreeErrorData(error);
	return false;
}
