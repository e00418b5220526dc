/*
 * endpoints.h
 *	  The rows of qehs.endpoint as a backend needs them for requests.
 */
#ifndef QEHS_ENDPOINTS_H
#define QEHS_ENDPOINTS_H

#include "caller/throttle.h"
#include "fmgr.h"

typedef struct EndpointCall EndpointCall;

typedef struct EndpointRow
{
	char		operation[NAMEDATALEN];
	int			status;
	bool		authenticated;
	bool		bulk;
	bool		signed_url;		/* the URL is the right to call, which the function checks */
	bool		scim;
	int			time_limit;		/* milliseconds */
	RateClass	class;
	EndpointCall *call;			/* NULL until it is called first */
} EndpointRow;

/* The row of an operation; NULL when there is none or the operation is NULL. */
extern EndpointRow *endpoint_find(const char *operation);

/*
 * Call the endpoint's function with values in the order of its parameters and of
 * these types; what it takes besides has its default.  Returns json or text.  Raises
 * ERROR for a type that is not the argument's.
 */
extern Datum endpoint_call(EndpointRow *endpoint, int count, const NullableDatum *values, const Oid *types, bool *isnull);

#endif							/* QEHS_ENDPOINTS_H */
