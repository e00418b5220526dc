/*
 * link.h
 *	  Which records a record refers to, and holding still those that refer to one.
 *
 * qehs.record_link has a row for each record that another one names in a field of
 * type record-reference or record-references, in rows and objects too.  Which field it is stands in the
 * payload only, so a renamed field changes no row.
 *
 * A guard over children must see each of them, also one that another transaction is
 * about to make, change or delete.  So whoever changes a record that refers to others holds their
 * places, shared, before it stores, and a guard, or who deletes what must not be referred
 * to, holds its record's place alone before it looks.  Of each module there are
 * QEHS_LINK_PLACES places, and a record has one by its id: a load takes no more locks than
 * that.
 */
#ifndef QEHS_LINK_H
#define QEHS_LINK_H

#include "record/record.h"

#define QEHS_LINK_PLACES 64

/* Ids of records, each once, in their order. */
typedef struct LinkSet
{
	int			count;
	int			room;
	pg_uuid_t  *items;
} LinkSet;

/* Add an id behind the others. */
extern void link_add(LinkSet *set, const pg_uuid_t *id);

/* Add what the value of a field refers to, itself or in rows and objects, in their order. */
extern void link_add_value(LinkSet *set, const ModuleField *field, const JsonbValue *value);

/* Add what a payload of the module's version refers to; link_sort is to be called before the set is looked at. */
extern void link_add_payload(LinkSet *set, const ModuleDef *module, const Jsonb *payload);
extern void link_sort(LinkSet *set);

/* Whether a sorted set has the id. */
extern bool link_has(const LinkSet *set, const pg_uuid_t *id);

/* Hold the places of records that a record of the module refers to, shared, in their order, until the transaction ends. */
extern void link_hold_targets(int32 tenant_id, int32 module_id, const LinkSet *targets);

/* Hold the place of a record alone, against all changes of records of the module that refer to it, until the transaction ends. */
extern void link_hold_children(int32 tenant_id, int32 module_id, const pg_uuid_t *target);

/* The fields of a payload that name the target, themselves or in rows and objects; at most as many as the module has.  Gives their number. */
extern int	link_fields(const ModuleDef *module, const Jsonb *payload, const pg_uuid_t *target, const ModuleField **fields);

/* ---- linked.c: the records that a record names, and those that name it, as a caller may be told ---- */

/* Where a link stands among those of a record: its cursor's bytes. */
typedef struct LinkPosition
{
	pg_uuid_t	other;
	bool		is_in;			/* the other names the record */
} LinkPosition;

/* A link that the caller may be told of: he may read the other record, and of the fields that name it these. */
typedef struct LinkTold
{
	int			place;			/* of the record among those that were asked of */
	LinkPosition position;
	const ModuleDef *module;	/* of the other record, as it was written */
	const Record *other;
	const char *fields;			/* their keys, a JSON array */
} LinkTold;

/* Takes a link, whose parts live until it returns. */
typedef void (*LinkTake) (void *owner, const LinkTold *link);

/*
 * Give the owner up to limit links of each of records, which have their payloads, behind a position (the array after,
 * or NULL: from the first on): record by record unless some are not told, those of each in the order of their positions.
 * One statement, unless some are not told.  Inside SPI.
 */
extern void link_walk(const RequestContext *context, const Record *records, const LinkPosition *after, int count, int32 limit, LinkTake take,
					  void *owner);

/* The cursor of a position among the links of a record, and the position of one (NULL: before the first); raises QH400 invalid_cursor. */
extern LinkPosition link_open_cursor(int32 tenant_id, const pg_uuid_t *record_id, const char *cursor);
extern char *link_seal_cursor(int32 tenant_id, const pg_uuid_t *record_id, const LinkPosition *position);

#endif							/* QEHS_LINK_H */
