/*
 * file.c
 *	  Opening the object, and ranges of bytes.
 *
 * An object never changes, so its id is its ETag.  One range is served; several, and
 * what cannot be read, are as if none had been asked for, as section 14.2 allows.
 */
#include "exchange/file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/log.h"
#include "exchange/problem.h"
#include "storage/storage.h"

/* A number at *at, which moves behind it; -1 when there is none. */
static int64_t
read_number(const char **at)
{
	char	   *end;
	long long	value;

	if (**at < '0' || **at > '9')
		return -1;
	value = strtoll(*at, &end, 10);
	*at = end;
	return value;
}

typedef enum RangeKind
{
	RANGE_NONE, RANGE_PART, RANGE_BEYOND
} RangeKind;

/* bytes=first-last, bytes=first- or bytes=-count of size bytes. */
static RangeKind
read_range(const char *field, int64_t size, int64_t *first, int64_t *last)
{
	const char *at = field + 6;

	if (strncasecmp(field, "bytes=", 6) != 0)
		return RANGE_NONE;
	at += strspn(at, " \t");
	*first = read_number(&at);
	if (*at++ != '-')
		return RANGE_NONE;
	*last = read_number(&at);
	at += strspn(at, " \t");
	if (*at != '\0' || (*first < 0 && *last < 0) || (*first >= 0 && *last >= 0 && *last < *first))
		return RANGE_NONE;
	if (*first < 0)
	{
		if (*last == 0)
			return RANGE_BEYOND;
		*first = *last < size ? size - *last : 0;
		*last = size - 1;
	}
	else if (*last < 0 || *last >= size)
		*last = size - 1;
	return *first < size ? RANGE_PART : RANGE_BEYOND;
}

static void
apply_range(Request *request, const char *tag, int64_t size)
{
	Reply	   *reply = &request->reply;
	const char *field = request_header(request, "Range");
	const char *condition = request_header(request, "If-Range");
	int64_t		first = 0;
	int64_t		last = 0;

	if (field == NULL || strcmp(request->method, "GET") != 0 || (condition && strcmp(condition, tag) != 0))
		return;
	switch (read_range(field, size, &first, &last))
	{
		case RANGE_NONE:
			return;
		case RANGE_BEYOND:
			close(reply->file);
			*reply = (Reply) {0};
			reply_header(reply, "Content-Range", arena_format(&request->arena, "bytes */%lld", (long long) size));
			problem_reply(request, "range_not_satisfiable", 0, "the range is beyond the end of the file", NULL);
			return;
		case RANGE_PART:
			reply->status = 206;
			reply->offset = first;
			reply->length = (size_t) (last - first + 1);
			reply_header(reply, "Content-Range", arena_format(&request->arena, "bytes %lld-%lld/%lld", (long long) first, (long long) last,
															  (long long) size));
	}
}

/* The names that the function has given. */
static bool
read_name(Request *request, StorageName *name)
{
	JsonDocument *document = arena_alloc(&request->arena, sizeof(JsonDocument));
	size_t		length;

	*name = (StorageName) {"", ""};
	if (!json_scan(request->reply.body, request->reply.length, &request->arena, document))
		return false;
	for (int i = 0; i < document->count; i++)
	{
		const JsonMember *member = &document->members[i];

		if (member->type != JSON_STRING)
			continue;
		if (strcmp(member->name, "tenant") == 0)
			name->tenant = json_decode(member->value, member->length, &request->arena, &length);
		else if (strcmp(member->name, "id") == 0)
			name->id = json_decode(member->value, member->length, &request->arena, &length);
	}
	return true;
}

void
file_reply(Request *request)
{
	Reply	   *reply = &request->reply;
	StorageName name;
	StorageOutcome outcome = STORAGE_ABSENT;
	StorageFault fault = {""};
	int64_t		size = 0;
	int			file = read_name(request, &name) ? storage_read_open(&name, NULL, &size, &outcome, &fault) : -1;
	const char *tag = arena_format(&request->arena, "\"%s\"", name.id);

	if (file < 0)
	{
		*reply = (Reply) {0};
		if (outcome == STORAGE_ABSENT)
			problem_reply(request, "not_found", 0, "the file is not there any more", NULL);
		else
		{
			request->error = arena_format(&request->arena, "%s", fault.message);
			log_event("error", "%s, traceId %s", request->error, request->trace_id);
			problem_reply(request, "unavailable", 0, "the object store cannot give the file at present", NULL);
		}
		return;
	}
	reply->body = NULL;
	reply->file = file;
	reply->length = (size_t) size;
	reply_header(reply, "Accept-Ranges", "bytes");
	reply_header(reply, "ETag", tag);
	apply_range(request, tag, size);
}
