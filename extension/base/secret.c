/*
 * secret.c
 *	  Secrets of qehs.secret, cached until the table is announced as changed.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "base/secret.h"
#include "base/watch.h"

#define MAX_SECRETS 4

static uint8 secrets[MAX_SECRETS][QEHS_SECRET_BYTES];
static int	count = 0;
static uint64 loaded_generation = 0;

static KeptPlan select_secrets = {
	"SELECT value FROM qehs.secret WHERE purpose = 'cursor' ORDER BY created_at DESC", 0, {0}, NULL
};

int
secret_count(void)
{
	uint64		generation = watch_generation(WATCH_SECRET, 0);
	uint64		rows;
	bool		isnull;

	if (count > 0 && loaded_generation == generation)
		return count;
	count = 0;
	SPI_connect();
	rows = plan_execute_latest(&select_secrets, NULL, NULL, MAX_SECRETS);
	for (uint64 i = 0; i < rows; i++)
	{
		bytea	   *value = DatumGetByteaPP(plan_value(i, 1, &isnull));

		if (VARSIZE_ANY_EXHDR(value) == QEHS_SECRET_BYTES)
			memcpy(secrets[count++], VARDATA_ANY(value), QEHS_SECRET_BYTES);
	}
	SPI_finish();
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no secret to sign with"),
				 errhint("qehs.tenant_create makes one with the first tenant.")));
	loaded_generation = generation;
	return count;
}

const uint8 *
secret_value(int number)
{
	return secrets[number];
}
