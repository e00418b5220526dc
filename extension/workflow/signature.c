/*
 * signature.c
 *	  Checking the secret of who signs, and what is kept of a signature.
 *
 * Attempts of one person go one after the other (an advisory lock until the
 * transaction ends), so the count of failures is right however many try at once.
 */
#include "base/compat.h"

#include "audit/failure.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "base/sha256.h"
#include "caller/credential.h"
#include "caller/throttle.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "workflow/signature.h"

static KeptPlan select_secret = {
	"SELECT s.hash, s.failures, s.failed_at, u.display_name FROM qehs.user_account AS u LEFT JOIN qehs.signature_credential AS s"
	" ON s.tenant_id = $1 AND s.user_id = u.id WHERE u.tenant_id = $1 AND u.id = $2 AND u.active",
	2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_secret. */
enum
{
	COLUMN_HASH = 1, COLUMN_FAILURES, COLUMN_FAILED_AT, COLUMN_DISPLAY_NAME
};
static KeptPlan clear_failures = {
	"UPDATE qehs.signature_credential SET failures = 0, failed_at = NULL WHERE tenant_id = $1 AND user_id = $2", 2, {INT4OID, UUIDOID}, NULL
};

void
signature_digest(Jsonb *payload, uint8 digest[QEHS_SHA256_LENGTH])
{
	char	   *text = JsonbToCString(NULL, &payload->root, VARSIZE(payload));

	sha256_bytes(text, strlen(text), digest);
	pfree(text);
}

static void
check_meaning(const JsonbValue *meaning, const ModuleRoles *meanings, ViolationList *faults)
{
	char	   *text = meaning->type == jbvString ? json_text_copy(meaning) : NULL;

	if (text == NULL || *text == '\0' || strlen(text) > 200)
	{
		violation_add(faults, "/signature/meaning", "required", "must be a text of 1 to 200 bytes");
		return;
	}
	for (int i = 0; i < meanings->count; i++)
		if (strcmp(meanings->names[i], text) == 0)
			return;
	if (meanings->count > 0)
		violation_add(faults, "/signature/meaning", "enum", "is none of the meanings that the transition has");
}

void
signature_check_form(Jsonb *sent, const ModuleRoles *meanings, ViolationList *faults)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *credential;

	if (!JB_ROOT_IS_OBJECT(sent))
	{
		violation_add(faults, "/signature", "type", "must be an object with \"meaning\" and \"credential\"");
		return;
	}
	iterator = JsonbIteratorInit(&sent->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? json_text_copy(&value) : NULL;

		if (name && strcmp(name, "meaning") != 0 && strcmp(name, "credential") != 0)
			violation_add(faults, json_pointer_to("/signature", name), "unknown_member", "is not a known member");
	}
	if (!json_member(&sent->root, "meaning", 7, &value))
		value.type = jbvNull;
	check_meaning(&value, meanings, faults);
	credential = json_member_text(&sent->root, "credential");
	if (credential == NULL || *credential == '\0')
		violation_add(faults, "/signature/credential", "required", "must be the caller's secret for signatures");
}

static void
lock_user(const RequestContext *context)
{
	LOCKTAG		tag;
	uint32		hash;

	memcpy(&hash, context->actor_id.data + UUID_LEN - sizeof(hash), sizeof(hash));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) context->tenant_id, hash, LOCK_SIGNATURE);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Too many were wrong, and not long ago. */
static void
check_pause(int32 failures, TimestampTz failed_at)
{
	TimestampTz end = failed_at + QEHS_SIGNATURE_PAUSE_MINUTES * SECS_PER_MINUTE * USECS_PER_SEC;
	int64		left = end - clock_now();

	if (failures >= QEHS_SIGNATURE_TRIES && left > 0)
		problem_raise_detail(PROBLEM_RATE_LIMITED, throttle_headers_json(psprintf("Retry-After: " INT64_FORMAT "\n", left / USECS_PER_SEC + 1)), NULL,
							 "too many wrong credentials of signatures: try again later");
}

/* A caller's secret as it is stored. */
typedef struct Secret
{
	char	   *name;			/* of the person */
	char	   *hash;			/* NULL: there is none */
	int32		failures;
	TimestampTz failed_at;
} Secret;

/* The secret of the caller, with all other attempts kept out; raises QH403 for who is no active person. */
static Secret
read_secret(const RequestContext *context)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&context->actor_id)};
	Secret		secret = {0};
	Datum		value;
	bool		isnull;

	if (context->actor_type != ACTOR_USER)
		problem_raise_at(PROBLEM_FORBIDDEN, "/signature", "forbidden", "is for a person: the API key acts as none");
	lock_user(context);
	/* not read-only: what was counted while the lock was waited for is to be seen */
	if (plan_execute(&select_secret, values, NULL, false, 1) == 0)
		problem_raise_at(PROBLEM_FORBIDDEN, "/signature", "forbidden", "is for a person who is active");
	secret.name = plan_text(0, COLUMN_DISPLAY_NAME);
	value = plan_value(0, COLUMN_HASH, &isnull);
	if (isnull)
		return secret;
	secret.hash = TextDatumGetCString(value);
	secret.failures = DatumGetInt32(plan_value(0, COLUMN_FAILURES, &isnull));
	secret.failed_at = DatumGetTimestampTz(plan_value(0, COLUMN_FAILED_AT, &isnull));
	return secret;
}

/* Compare what was sent with a secret that there is; what is wrong is noted, of a record or, when that is NULL, of none. */
static void
require_fit(const RequestContext *context, const Secret *secret, const char *sent, const char *path, const Record *record)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&context->actor_id)};

	if (secret->failures > 0)
		check_pause(secret->failures, secret->failed_at);
	if (!credential_fits(sent, secret->hash))
	{
		failure_note(context, record ? &record->id : NULL);
		problem_raise_at(PROBLEM_FORBIDDEN, path, "credential", "is not the caller's secret for signatures");
	}
	if (secret->failures > 0)
		plan_execute(&clear_failures, values, NULL, false, 0);
}

void
signature_require_current(const RequestContext *context, const char *current)
{
	Secret		secret = read_secret(context);

	if (secret.hash == NULL)
		return;
	if (current == NULL)
		problem_raise_at(PROBLEM_FORBIDDEN, "/current", "required", "is required: the caller has a secret for signatures already");
	require_fit(context, &secret, current, "/current", NULL);
}

Jsonb *
signature_make(const RequestContext *context, const Record *record, Jsonb *payload, int32 version, Jsonb *sent)
{
	Secret		secret = read_secret(context);
	StringInfoData text;
	uint8		digest[QEHS_SHA256_LENGTH];

	if (secret.hash == NULL)
		problem_raise_at(PROBLEM_FORBIDDEN, "/signature", "forbidden", "needs a secret of the caller, who has set none");
	require_fit(context, &secret, json_member_text(&sent->root, "credential"), "/signature/credential", record);
	signature_digest(payload, digest);
	initStringInfo(&text);
	json_literal(&text, "{\"meaning\":");
	json_string(&text, json_member_text(&sent->root, "meaning"));
	json_literal(&text, ",\"signedBy\":{\"id\":");
	json_id(&text, &context->actor_id, QEHS_ID_USER);
	json_literal(&text, ",\"displayName\":");
	json_string(&text, secret.name);
	json_literal(&text, "},\"at\":");
	json_time(&text, clock_transaction());
	appendStringInfo(&text, ",\"version\":%d,\"payloadHash\":\"%s\"}", version, sha256_hex(digest));
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}
