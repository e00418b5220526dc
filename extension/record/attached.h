/*
 * attached.h
 *	  Attachments that a payload names: in fields of type file and image, and as the
 *	  member image of a signature, in rows and objects too.
 */
#ifndef QEHS_ATTACHED_H
#define QEHS_ATTACHED_H

#include "record/check.h"

/* An attachment that a payload names, and the field, as photo or rows.photo. */
typedef struct AttachedId
{
	pg_uuid_t	id;
	const char *field;
} AttachedId;

/* Those of a payload, in the current memory context; at most what a payload can hold. */
extern AttachedId *attached_list(const ModuleDef *module, const Jsonb *payload, int *count);

/* Whether a payload names the attachment. */
extern bool attached_names(const ModuleDef *module, const Jsonb *payload, const pg_uuid_t *id);

/* The field that takes attachments by its name, photo or rows.photo; NULL when there is none. */
extern const ModuleField *attached_field(const ModuleDef *module, const char *name);

/* Is a media type, which may have parameters, the pattern, or of its kind (image and a slash and a star)? */
extern bool attached_type_fits(const char *type, const char *pattern);

/* Add faults of a file whose media type or size (-1: not known) the field does not take. */
extern void attached_check_media(const ModuleField *field, const char *content_type, int64 size, const char *type_path, const char *size_path,
								 ViolationList *faults);

/*
 * Add faults of what a field that takes attachments has, at path below /payload: each must be one of the record, or one
 * that the caller has announced for no record, and be for this field.  Those that before (JsonbContainer: what stood in the place)
 * has in the field are not looked up.  Runs SPI by itself.
 */
extern void attached_check(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, List *before, const char *path);

#endif							/* QEHS_ATTACHED_H */
