/*
 * effect.h
 *	  Firing a transition, with what follows from it in the same transaction.
 *
 * Effects are part of the definition, which an administrator has published: they
 * are done with the rights of the system, whoever fires the transition, and the
 * events that they make name the caller.  Only states that lock bind them too
 * (permissions.states, where the system is the role "system").  An effect that fails
 * fails the transition.  None fires a transition itself, so they end.
 */
#ifndef QEHS_EFFECT_H
#define QEHS_EFFECT_H

#include "change/change.h"
#include "record/guard.h"
#include "workflow/workflow.h"

/* ---- effects.c ---- */

/*
 * Move a locked record along a transition whose guards hold, inside SPI: after, the record with
 * the payload that it is to have, gets the new state and what setField and assign put into it and is
 * stored with the change's event; then the other effects are done, in their order.  Raises QH409 conflict
 * with the path of an effect that fails ("/effects/0/createRecord/payload/title"), and what record_apply_one raises.
 */
extern void effect_fire(const Firing *firing, Record *after, Change *change);

/* ---- outbox.c: qehs.outbox, inside SPI ---- */

/* Begin the body of an event about a record: {"recordId","displayCode","moduleKey","version", to which the caller appends members. */
extern void outbox_begin(StringInfo body, const ModuleDef *module, const Record *record);

/* Close the body and store the event. */
extern void outbox_add(const RequestContext *context, const char *topic, const Record *record, StringInfo body);

/* ---- template.c ---- */

/* What a template reads: the record's payload, and variables. */
typedef struct Template
{
	Jsonb	   *payload;
	Guard		guard;			/* with the variables of effects */
} Template;

/* The template of a transition's effects; record is as it is when they are done, from the state that it has left. */
extern Template template_make(const Firing *firing, const Record *record);

/*
 * A value of a definition with each text that starts with $ replaced by what it gives as an SQL/JSON path; $$ stands for
 * a $.  A member or element whose path gives nothing is left out.
 */
extern Jsonb *template_fill(Template *template, const JsonbContainer *source);

/* The same for one text; NULL when it gives no text. */
extern char *template_text(Template *template, const char *text);

#endif							/* QEHS_EFFECT_H */
