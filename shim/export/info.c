/*
 * info.c
 *	  What a file is about, read from what qehs.export_open gave.
 */
#include <jansson.h>
#include <string.h>

#include "export/file.h"

/* Returns a copy of a member that is a string, or the argument otherwise if there is no such member. */
static const char *
member_text(const json_t *object, const char *name, const char *otherwise, Arena *arena)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? arena_copy(arena, json_string_value(value), json_string_length(value)) : otherwise;
}

static ColumnType
type_of(const char *name)
{
	static const char *const names[] = {[COLUMN_TEXT] = "text",[COLUMN_NUMBER] = "number",[COLUMN_MEASURE] = "measure",[COLUMN_BOOLEAN] = "boolean",
		[COLUMN_DATE] = "date",[COLUMN_DATETIME] = "datetime",[COLUMN_LIST] = "list",[COLUMN_FILES] = "files",[COLUMN_TABLE] = "table"
	};

	for (int i = 0; i < (int) (sizeof(names) / sizeof(names[0])); i++)
		if (strcmp(names[i], name) == 0)
			return (ColumnType) i;
	return COLUMN_TEXT;
}

/* A column that is no table. */
static Column
read_column(const json_t *item, bool keys, Arena *arena)
{
	Column		column = {.key = member_text(item, "key", "", arena)};

	column.title = keys ? column.key : member_text(item, "label", column.key, arena);
	column.type = type_of(member_text(item, "type", "", arena));
	return column;
}

static Column *
read_columns(const json_t *list, bool keys, Arena *arena, int *count)
{
	Column	   *columns;

	*count = (int) json_array_size(list);
	columns = arena_alloc(arena, sizeof(Column) * (size_t) (*count + 1));
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const json_t *item = json_array_get(list, i);
		const json_t *fields = json_object_get(item, "fields");

		columns[i] = read_column(item, keys, arena);
		columns[i].count = (int) json_array_size(fields);
		columns[i].fields = arena_alloc(arena, sizeof(Column) * (size_t) (columns[i].count + 1));
		for (size_t j = 0; j < json_array_size(fields); j++)
			columns[i].fields[j] = read_column(json_array_get(fields, j), keys, arena);
	}
	return columns;
}

static Activity *
read_activities(const json_t *list, Arena *arena, int *count)
{
	Activity   *activities;

	*count = (int) json_array_size(list);
	activities = arena_alloc(arena, sizeof(Activity) * (size_t) (*count + 1));
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const json_t *item = json_array_get(list, i);
		const json_t *signature = json_object_get(item, "signature");

		activities[i] = (Activity) {
			.at = member_text(item, "at", "", arena),
			.type = member_text(item, "type", "", arena),
			.actor = member_text(json_object_get(item, "actor"), "displayName", "", arena),
			.from = member_text(item, "from", "", arena),
			.to = member_text(item, "to", "", arena),
			.comment = member_text(item, "comment", "", arena),
			.principal = member_text(json_object_get(item, "onBehalfOf"), "displayName", "", arena),
			.signer = member_text(json_object_get(signature, "signedBy"), "displayName", "", arena),
			.meaning = member_text(signature, "meaning", "", arena)
		};
	}
	return activities;
}

static void
read_record(const json_t *record, Arena *arena, ExportInfo *info)
{
	if (!json_is_object(record))
		return;
	info->code = member_text(record, "displayCode", "", arena);
	info->activities = read_activities(json_object_get(record, "activity"), arena, &info->activity_count);
	info->decisions = read_activities(json_object_get(record, "decisions"), arena, &info->decision_count);
}

bool
info_read(const char *head, size_t length, const char *tenant, const char *public_url, Arena *arena, ExportInfo *info)
{
	json_t	   *root = json_loadb(head, length, 0, NULL);
	const json_t *options = json_object_get(root, "options");
	const json_t *filter = json_object_get(options, "filter");
	char	   *text = filter ? json_dumps(filter, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	memset(info, 0, sizeof(*info));
	info->format = member_text(options, "format", "", arena);
	info->module_key = member_text(options, "moduleKey", "", arena);
	info->module_name = member_text(root, "moduleName", "", arena);
	info->tenant = tenant;
	info->public_url = public_url;
	info->actor = member_text(root, "actor", "", arena);
	info->at = member_text(root, "at", "", arena);
	info->trace_id = member_text(options, "traceId", "", arena);
	info->filter = text ? arena_copy(arena, text, strlen(text)) : "";
	info->sort = member_text(options, "sort", "-createdAt", arena);
	info->attachments = json_is_true(json_object_get(options, "includeAttachments"));
	info->bom = json_is_true(json_object_get(options, "bom"));
	info->locale = member_text(options, "locale", NULL, arena);
	info->time_zone = member_text(options, "timeZone", "UTC", arena);
	info->letter = strcmp(member_text(options, "paper", "A4", arena), "Letter") == 0;
	info->total = json_integer_value(json_object_get(root, "total"));
	info->columns = read_columns(json_object_get(root, "columns"), strcmp(member_text(options, "header", "labels", arena), "keys") == 0, arena,
								 &info->column_count);
	read_record(json_object_get(root, "record"), arena, info);
	free(text);
	json_decref(root);
	return info->column_count > 0 || strcmp(info->format, "json") == 0;
}

bool
file_read(const char *line, size_t length, Arena *arena, FileEntry *file)
{
	json_t	   *root = json_loadb(line, length, 0, NULL);

	*file = (FileEntry) {member_text(root, "id", NULL, arena), member_text(root, "filename", NULL, arena),
		member_text(root, "contentType", "", arena), member_text(root, "displayCode", NULL, arena)};
	json_decref(root);
	return file->id && file->filename && file->code;
}

const char *
info_watermark(const ExportInfo *info, Arena *arena)
{
	return arena_format(arena, "Exported by %s, %s%s%s", info->actor, info->at, *info->trace_id ? ", trace " : "", info->trace_id);
}
