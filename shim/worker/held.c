/*
 * held.c
 *	  Statements, URLs and failures of a job.
 */
#include "worker/held.h"

#include <stdio.h>
#include <string.h>

#include "exchange/log.h"
#include "exchange/sign.h"

const JsonDocument *
held_object(Arena *arena, const char *text, size_t length)
{
	JsonDocument *document = arena_alloc(arena, sizeof(JsonDocument));

	if (text == NULL || !json_scan(text, length, arena, document))
		document->count = 0;
	return document;
}

const JsonMember *
held_member(const JsonDocument *object, const char *name, JsonType type)
{
	for (int i = 0; i < object->count; i++)
		if (object->members[i].type == type && strcmp(object->members[i].name, name) == 0)
			return &object->members[i];
	return NULL;
}

const char *
held_text(const JsonDocument *object, const char *name, Arena *arena)
{
	const JsonMember *member = held_member(object, name, JSON_STRING);
	size_t		length;

	return member ? json_decode(member->value, member->length, arena, &length) : NULL;
}

/* A member that is an object, as JSON; NULL when there is none. */
static const char *
copy_object(HeldJob *job, const JsonDocument *object, const char *name)
{
	const JsonMember *member = held_member(object, name, JSON_OBJECT);

	return member ? arena_copy(&job->arena, member->value, member->length) : NULL;
}

bool
held_read(HeldJob *job, const char *text, size_t length)
{
	const JsonDocument *claim = held_object(&job->arena, text, length);

	job->claim = (Claim) {
		.kind = held_text(claim, "kind", &job->arena),
		.tenant = held_text(claim, "tenant", &job->arena),
		.job_id = held_text(claim, "jobId", &job->arena),
		.arguments = copy_object(job, claim, "arguments"),
		.position = copy_object(job, claim, "position"),
	};
	return job->claim.kind && job->claim.tenant && job->claim.job_id;
}

bool
held_fail(HeldJob *job, const char *code, bool again, const char *detail)
{
	if (job->code == NULL)
	{
		job->code = code;
		job->again = again;
		snprintf(job->detail, sizeof(job->detail), "%s", detail);
	}
	return false;
}

/* {"errors":[…]} of a refusal. */
static const char *
errors_of(HeldJob *job)
{
	static const char begin[] = "{\"errors\":";
	const char *detail = session_detail(job->session);
	size_t		length = detail ? strlen(detail) : 0;

	if (length < sizeof(begin) || strncmp(detail, begin, sizeof(begin) - 1) != 0 || detail[length - 1] != '}')
		return NULL;
	return arena_copy(&job->arena, detail + sizeof(begin) - 1, length - sizeof(begin));
}

bool
held_refused(HeldJob *job)
{
	const char *message;
	const char *code = session_problem(job->session, &message);
	bool		again = strcmp(code, "internal") == 0 || strcmp(code, "unavailable") == 0;

	if (job->code == NULL && !again)
		job->errors = errors_of(job);
	/* what is no refusal of the extension is for the server's log */
	return held_fail(job, arena_copy(&job->arena, code, strlen(code)), again, message);
}

bool
held_run(HeldJob *job, const char *sql, int count, const char *const *arguments, const char **value, size_t *length)
{
	return session_value(job->session, sql, count, arguments, value, length) || held_refused(job);
}

const char *
held_sign(HeldJob *job, const char *method, const char *id, const StorageFacts *facts)
{
	StorageName name = {job->claim.tenant, id};
	const char *url;

	if (!sign_url(job->session, method, &name, facts, &job->arena, &url))
		held_refused(job);
	return url;
}

void
held_tell(HeldJob *job, PulseState state)
{
	Buffer		error = {&job->arena, NULL, 0, 0};
	const char *arguments[] = {job->claim.tenant, job->claim.job_id, job->worker, NULL, job->again ? "t" : "f"};
	const char *value = NULL;

	if (state == PULSE_LOST)
		return;
	if (state == PULSE_STOPPED)
	{
		session_value(job->queue, "SELECT qehs.job_release($1, $2, $3)", 3, arguments, NULL, NULL);
		return;
	}
	buffer_text(&error, "{\"code\":");
	buffer_json(&error, job->code, strlen(job->code));
	buffer_text(&error, ",\"detail\":");
	buffer_json(&error, job->detail, strlen(job->detail));
	if (job->errors)
		buffer_format(&error, ",\"errors\":%s", job->errors);
	buffer_text(&error, "}");
	arguments[3] = error.data;
	session_value(job->queue, "SELECT qehs.job_fail($1, $2, $3, $4::jsonb, $5::bool)", 5, arguments, &value, NULL);
	log_event(state == PULSE_CANCELLED ? "info" : "error", "%s %s of tenant %s is %s: %s", job->claim.kind, job->claim.job_id, job->claim.tenant,
			  value ? value : "lost", state == PULSE_CANCELLED ? "as was asked for" : job->detail);
}
