/*
 * json.c
 *	  Exports as one JSON document: {"tenant","exportedAt","exportedBy","traceId",
 *	  "modules":[{"key","name",…,"records":[…]}]}, a record a line.
 *
 * The records of a module come behind a line that begins it (qehs.export_fetch).
 */
#include <stdlib.h>
#include <string.h>

#include "export/file.h"

#define MODULE "module "

typedef struct JsonFile
{
	Output	   *output;
	int			modules;
	int64_t		records;		/* of the module */
} JsonFile;

bool
json_begins_module(const char *line, size_t length)
{
	return length > strlen(MODULE) && memcmp(line, MODULE, strlen(MODULE)) == 0;
}

static bool
put(JsonFile *file, const char *text)
{
	return output_write(file->output, text, strlen(text));
}

static void *
json_open(const ExportInfo *info, Output *output)
{
	const struct
	{
		const char *name;
		const char *value;
	}			members[] = {{"tenant", info->tenant}, {"exportedAt", info->at}, {"exportedBy", info->actor}, {"traceId", info->trace_id}};
	JsonFile   *file = calloc(1, sizeof(JsonFile));
	Arena		arena = {NULL};
	Buffer		head = {.arena = &arena};

	if (file == NULL)
		abort();
	file->output = output;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		buffer_format(&head, "%s\"%s\":", i == 0 ? "{" : ",", members[i].name);
		buffer_json(&head, members[i].value, strlen(members[i].value));
	}
	buffer_text(&head, ",\"modules\":[");
	put(file, head.data);
	arena_free(&arena);
	return file;
}

/* What is known of a module, without its closing brace, up to its records. */
static bool
begin_module(JsonFile *file, const char *line, size_t length)
{
	const char *head = line + strlen(MODULE);

	file->records = 0;
	return put(file, file->modules++ > 0 ? "]},\n" : "\n") && output_write(file->output, head, length - strlen(MODULE) - 1) &&
		put(file, ",\"records\":[");
}

static bool
json_row(void *closure, const char *line, size_t length)
{
	JsonFile   *file = closure;

	if (json_begins_module(line, length))
		return begin_module(file, line, length);
	return put(file, file->records++ > 0 ? ",\n" : "\n") && output_write(file->output, line, length);
}

static bool
json_close(void *closure)
{
	JsonFile   *file = closure;

	return put(file, file->modules > 0 ? "]}\n]}\n" : "]}\n") && output_flush(file->output);
}

static void
json_free(void *closure)
{
	free(closure);
}

const FileFormat json_format = {"json", "application/json", json_open, json_row, json_close, json_free};
