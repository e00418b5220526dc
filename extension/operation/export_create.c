/*
 * export_create.c
 *	  qehs.export_create: a job that writes records into a file.
 *
 * What is asked for is checked here, all of it, and kept as the job's arguments;
 * the audit event of the same transaction says who asked for what.  The file is
 * made by a worker of the shim (extension/export, shim/export).
 */
#include "base/compat.h"

#include "attachment/signed_url.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "export/export.h"
#include "fmgr.h"
#include "job/job.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(qehs_export_create);

/* Formats that a member is for, by their places in formats. */
#define CSV (1 << 0)
#define XLSX (1 << 1)
#define PDF (1 << 2)
#define NDJSON (1 << 3)
#define JSON (1 << 4)
#define ALL (CSV | XLSX | PDF | NDJSON | JSON)

static const char *const formats[] = {"csv", "xlsx", "pdf", "ndjson", "json", NULL};
static const char *const headers[] = {"labels", "keys", NULL};
static const char *const dates[] = {"iso", "locale", NULL};
static const char *const papers[] = {"A4", "Letter", NULL};

typedef enum MemberType
{
	IS_TEXT, IS_FILTER, IS_NAMES, IS_BOOLEAN
} MemberType;

/* The members of the request in the order of the arguments; words: one of these only. */
static const struct
{
	const char *name;
	MemberType	type;
	int			formats;
	const char *const *words;
}			members[] = {
	{"moduleKey", IS_TEXT, ALL, NULL},
	{"format", IS_TEXT, ALL, formats},
	{"filter", IS_FILTER, ALL, NULL},
	{"sort", IS_TEXT, ALL, NULL},
	{"columns", IS_NAMES, ALL, NULL},
	{"includeDeleted", IS_BOOLEAN, ALL, NULL},
	{"q", IS_TEXT, ALL, NULL},
	{"status", IS_TEXT, ALL, NULL},
	{"from", IS_TEXT, ALL, NULL},
	{"to", IS_TEXT, ALL, NULL},
	{"recordId", IS_TEXT, PDF, NULL},
	{"header", IS_TEXT, CSV | XLSX | PDF, headers},
	{"bom", IS_BOOLEAN, CSV, NULL},
	{"dates", IS_TEXT, CSV | PDF, dates},
	{"locale", IS_TEXT, CSV | PDF, NULL},
	{"timeZone", IS_TEXT, CSV | XLSX | PDF, NULL},
	{"paper", IS_TEXT, PDF, papers},
	{"includeAttachments", IS_BOOLEAN, ALL, NULL},
	{"language", IS_TEXT, ALL, NULL},
};

static const char *
join(const char *const *words)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; words[i]; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", words[i]);
	return text.data;
}

static int
place_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

/* Append the value of an argument as JSON. */
static void
write_argument(StringInfo out, FunctionCallInfo fcinfo, int number)
{
	switch (members[number].type)
	{
		case IS_FILTER:
			json_jsonb(out, PG_GETARG_JSONB_P(number));
			break;
		case IS_NAMES:
			appendStringInfoString(out, TextDatumGetCString(DirectFunctionCall1(array_to_json, PG_GETARG_DATUM(number))));
			break;
		case IS_BOOLEAN:
			json_bool(out, PG_GETARG_BOOL(number));
			break;
		default:
			json_string(out, argument_text(fcinfo, number));
	}
}

/* Check one argument by itself; format is the bit of the format that is asked for, or 0. */
static void
check_argument(FunctionCallInfo fcinfo, int number, int format, ViolationList *faults)
{
	char	   *path = psprintf("/%s", members[number].name);
	char	   *text = members[number].type == IS_TEXT ? argument_text(fcinfo, number) : NULL;

	if (format && !(members[number].formats & format))
		violation_add(faults, path, "unsupported", "is not for files of this format");
	else if (text && members[number].words && place_of(members[number].words, text) < 0)
		violation_add(faults, path, "enum", "must be one of %s", join(members[number].words));
}

/* A language tag (BCP 47) of letters, digits and hyphens, short enough for anyone. */
static bool
is_tag(const char *text)
{
	size_t		length = strlen(text);

	return length >= 2 && length <= 35 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == length &&
		text[0] != '-' && text[length - 1] != '-';
}

static bool
has_member(const JsonbContainer *arguments, const char *name)
{
	JsonbValue	value;

	return json_member(arguments, name, strlen(name), &value);
}

/* All modules go into one file of JSON, and what is said of one module's records is not for them. */
static void
check_whole_tenant(const JsonbContainer *arguments, int format, ViolationList *faults)
{
	static const char *const of_module[] = {"filter", "sort", "q", "status", "columns"};

	if (format != JSON)
		violation_add(faults, "/moduleKey", "required", "is required: only a file of format json is of all modules");
	for (int i = 0; i < (int) lengthof(of_module); i++)
		if (has_member(arguments, of_module[i]))
			violation_add(faults, psprintf("/%s", of_module[i]), "unsupported", "goes with moduleKey");
}

/* What members mean together. */
static void
check_together(const JsonbContainer *arguments, ViolationList *faults)
{
	static const char *const walks[] = {"filter", "sort", "q", "status", "from", "to"};
	char	   *locale = json_member_text(arguments, "locale");
	char	   *zone = json_member_text(arguments, "timeZone");
	char	   *style = json_member_text(arguments, "dates");
	bool		by_locale = style && strcmp(style, "locale") == 0;
	pg_uuid_t	id;
	char	   *record_id = json_member_text(arguments, "recordId");

	if (locale && !is_tag(locale))
		violation_add(faults, "/locale", "format", "must be a language tag such as de-AT");
	if (locale && !by_locale)
		violation_add(faults, "/locale", "unsupported", "goes with \"dates\":\"locale\"");
	if (by_locale && locale == NULL)
		violation_add(faults, "/locale", "required", "is required with \"dates\":\"locale\"");
	if (zone && pg_tzset(zone) == NULL)
		violation_add(faults, "/timeZone", "enum", "must be the name of a time zone such as Europe/Vienna");
	if (record_id == NULL)
		return;
	if (!id_parse(record_id, strlen(record_id), QEHS_ID_RECORD, &id))
		violation_add(faults, "/recordId", "format", "must be the id of a record");
	for (int i = 0; i < (int) lengthof(walks); i++)
		if (has_member(arguments, walks[i]))
			violation_add(faults, psprintf("/%s", walks[i]), "unsupported", "is not for a report of one record");
}

/* The arguments that are looked at by themselves, of those in members. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_FORMAT
};

/* The request as the arguments of the job. */
static Jsonb *
read_arguments(FunctionCallInfo fcinfo, const RequestContext *context, ViolationList *faults)
{
	char	   *word = argument_text(fcinfo, ARGUMENT_FORMAT);
	int			place = word ? place_of(formats, word) : -1;
	int			format = place < 0 ? 0 : 1 << place;
	StringInfoData out;
	Jsonb	   *arguments;

	initStringInfo(&out);
	json_literal(&out, "{\"traceId\":");
	json_string(&out, context->trace_id);
	for (int i = 0; i < (int) lengthof(members); i++)
	{
		if (PG_ARGISNULL(i))
		{
			if (i == ARGUMENT_FORMAT)
				violation_add(faults, "/format", "required", "is required");
			continue;
		}
		check_argument(fcinfo, i, format, faults);
		appendStringInfoChar(&out, ',');
		json_name(&out, members[i].name);
		write_argument(&out, fcinfo, i);
	}
	appendStringInfoChar(&out, '}');
	arguments = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
	if (format && PG_ARGISNULL(ARGUMENT_MODULE_KEY))
		check_whole_tenant(&arguments->root, format, faults);
	check_together(&arguments->root, faults);
	return arguments;
}

/*
 * export_create(module_key, format, filter, sort, columns, include_deleted, q, status, created_from, created_to, record_id,
 * header, bom, dates, locale, time_zone, paper, include_attachments, accept_language, storage)
 */
Datum
qehs_export_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_EXPORTS_CREATE);
	ViolationList faults = {0};
	Jsonb	   *arguments = read_arguments(fcinfo, context, &faults);
	JobOrder	order = {.kind = "export",.arguments = arguments};
	ExportPlan *plan = palloc(sizeof(ExportPlan));
	StringInfoData out;
	pg_uuid_t	id;

	violation_raise(&faults);
	signed_url_require_store(PG_ARGISNULL(lengthof(members)) ? NULL : PG_GETARG_JSONB_P(lengthof(members)));
	json_begin(&out);
	SPI_connect();
	export_plan(context, &arguments->root, plan, &faults);
	violation_raise(&faults);
	if (plan->has_record)
	{
		Record		record;

		record_fetch(context, &plan->record_id, RECORD_READ, plan->deleted_too, &record);
		if (record.module_id != plan->module->module_id)
			record_not_found();
		record_require(context, record_module(context, &record), ACTION_READ, &record);
		record_require(context, record_module(context, &record), ACTION_EXPORT, &record);
	}
	job_enqueue(context->tenant_id, context, &order, &id);
	audit_export(context, plan->module, plan->has_record ? &plan->record_id : NULL, arguments);
	return job_answer(context, &out, &id);
}
