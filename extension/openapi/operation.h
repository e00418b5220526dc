/*
 * operation.h
 *	  The parts of an operation in the document.
 */
#ifndef QEHS_OPENAPI_OPERATION_H
#define QEHS_OPENAPI_OPERATION_H

#include "openapi/document.h"

/* Append the member "parameters", and "requestBody" where the endpoint has one (parameters.c). */
extern void parameters_write(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint);
extern void request_body_write(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint);

/* Append the member "responses", and note in the document which shared ones it refers to (responses.c). */
extern void responses_write(StringInfo out, ApiDocument *document, const ApiEndpoint *endpoint);

/* Append the member "responses" of components: all that were noted. */
extern void responses_write_shared(StringInfo out, const ApiDocument *document);

#endif							/* QEHS_OPENAPI_OPERATION_H */
