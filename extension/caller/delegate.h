/*
 * delegate.h
 *	  Contexts of work that no request carries: the system's own, and what a
 *	  caller asked for and another session does for it later.
 *
 * Each lasts until context_end_work or the end of the transaction, and stands in
 * front of the request's and the session's context meanwhile.
 */
#ifndef QEHS_DELEGATE_H
#define QEHS_DELEGATE_H

#include "caller/context.h"
#include "utils/jsonb.h"

/* Act as the system in a tenant: actor type system, all rights.  Raises QH404 when there is no such tenant. */
extern RequestContext *context_system(int32 tenant_id);

/* Give a context the rights of the system; its tenant is filled already. */
extern void context_fill_system(RequestContext *context);

/*
 * What is to be kept of the caller so that its work can be done later with its
 * rights: {"user"?,"key"?,"token"?,"scopes","roles","modules"?}; NULL for the system.
 */
extern Jsonb *delegate_note(const RequestContext *context);

/*
 * Act as the caller of a note.  Its rights are those noted as far as the key or
 * user still has them; raises QH403 when the key is revoked or has expired, or the
 * user is not active any more.
 */
extern RequestContext *delegate_enter(int32 tenant_id, Jsonb *note);

#endif							/* QEHS_DELEGATE_H */
