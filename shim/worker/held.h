/*
 * held.h
 *	  A job that a worker holds, and what all kinds of them do with it.
 */
#ifndef QEHS_HELD_H
#define QEHS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/json.h"
#include "db/session.h"
#include "storage/storage.h"
#include "worker/pulse.h"

typedef struct HeldJob
{
	const Config *config;
	const char *worker;			/* name of who holds it */
	Session    *queue;			/* for what workers tell the queue */
	Session    *session;		/* for the work, which the pulse breaks off when it is to stop */
	Pulse	   *pulse;
	Claim		claim;
	Arena		arena;			/* of the job */
	/* why it failed */
	const char *code;			/* NULL: not yet */
	char		detail[320];
	const char *errors;			/* a JSON array of violations, or NULL */
	bool		again;			/* it may be tried again */
} HeldJob;

/* Read what qehs.job_claim gave into the job's arena; false when it is not that. */
extern bool held_read(HeldJob *job, const char *text, size_t length);

/* An object of JSON that the extension gave, in the arena; without members when it is none (NULL is none). */
extern const JsonDocument *held_object(Arena *arena, const char *text, size_t length);
/* A member of a type, or NULL; and the text of a member that is a string, or NULL. */
extern const JsonMember *held_member(const JsonDocument *object, const char *name, JsonType type);
extern const char *held_text(const JsonDocument *object, const char *name, Arena *arena);

/* Note why the job failed, once; gives false. */
extern bool held_fail(HeldJob *job, const char *code, bool again, const char *detail);

/* Run a statement on the session of the work; false, noted, when it fails: a refusal of the extension would be the same again. */
extern bool held_run(HeldJob *job, const char *sql, int count, const char *const *arguments, const char **value, size_t *length);
/* Note why the last statement of the session failed; gives false. */
extern bool held_refused(HeldJob *job);

/* A URL of S3 for an object of the job's tenant, of PUT with what it has to have; NULL for the embedded store. */
extern const char *held_sign(HeldJob *job, const char *method, const char *id, const StorageFacts *facts);

/* Tell the queue what became of a job that was not finished. */
extern void held_tell(HeldJob *job, PulseState state);

/* The kinds, one file each: do the job and finish it; false when it failed. */
extern bool export_job_run(HeldJob *job);
extern bool load_job_run(HeldJob *job);

#endif							/* QEHS_HELD_H */
