/*
 * module.h
 *	  A module definition as the backend uses it: fields, workflow,
 *	  permissions and the compiled schema, cached per backend.
 *
 * A ModuleDef lives in a memory context of its own.  The cache holds one per
 * (tenant, module, version) until a definition of the tenant changes or the room
 * is wanted for others (base/cache.h); a pointer got from module_lookup is good
 * until the transaction ends.
 */
#ifndef QEHS_MODULE_H
#define QEHS_MODULE_H

#include "base/error.h"
#include "calendar/duration.h"
#include "caller/context.h"
#include "schema/schema.h"
#include "utils/jsonb.h"
#include "utils/jsonpath.h"

/* Slots of qehs.record: t1..t6 text, n1..n4 numeric, d1..d4 timestamptz. */
#define QEHS_TEXT_SLOTS 6
#define QEHS_NUMBER_SLOTS 4
#define QEHS_TIME_SLOTS 4
#define QEHS_SLOTS (QEHS_TEXT_SLOTS + QEHS_NUMBER_SLOTS + QEHS_TIME_SLOTS)
/* A text slot holds the first 255 bytes of a value. */
#define QEHS_TEXT_SLOT_BYTES 255

typedef enum FieldType
{
	FIELD_TEXT, FIELD_RICH_TEXT, FIELD_EMAIL, FIELD_PHONE, FIELD_URL, FIELD_IDENTIFIER,
	FIELD_NUMBER, FIELD_INTEGER, FIELD_QUANTITY, FIELD_CURRENCY, FIELD_PERCENTAGE,
	FIELD_DATE, FIELD_DATETIME, FIELD_TIME, FIELD_DURATION, FIELD_DATE_RANGE, FIELD_BOOLEAN,
	FIELD_SELECT, FIELD_MULTI_SELECT, FIELD_TAGS, FIELD_LOOKUP, FIELD_RECORD_REFERENCE, FIELD_RECORD_REFERENCES, FIELD_USER,
	FIELD_LOCATION, FIELD_GEOLOCATION, FIELD_FILE, FIELD_IMAGE, FIELD_SIGNATURE,
	FIELD_MATRIX_SCORE, FIELD_TABLE, FIELD_OBJECT, FIELD_COMPUTED,
	FIELD_TYPE_COUNT
} FieldType;

/* How values compare (record/value.h), which says which operators a filter has for them. */
typedef enum ValueKind
{
	VALUE_NONE,					/* objects, tables: only whether they are there */
	VALUE_TEXT,
	VALUE_ID,					/* a user or a record, in the form rec_… */
	VALUE_BOOLEAN,
	VALUE_OPTION,				/* one of the field's options, in their order */
	VALUE_NUMBER,				/* numeric */
	VALUE_TIME,					/* timestamptz */
	VALUE_DURATION,				/* numeric, in microseconds */
	VALUE_TIME_OF_DAY,			/* the same, since midnight */
	VALUE_LIST,					/* options, tags or ids: compared by what they have */
	VALUE_KIND_COUNT
} ValueKind;

/* The kind of slot that values of a kind are kept in. */
typedef enum SlotKind
{
	SLOT_NONE,					/* they have no order */
	SLOT_TEXT,
	SLOT_NUMBER,
	SLOT_TIME
} SlotKind;

typedef struct FieldTypeInfo
{
	const char *name;			/* as in a definition: "multi-select" */
	ValueKind	kind;			/* of a computed field: by what it yields (definition_value_type) */
} FieldTypeInfo;

/* What each field type is, by FieldType. */
extern const FieldTypeInfo module_field_types[FIELD_TYPE_COUNT];

/* The kind of slot of a kind of values. */
extern SlotKind module_slot_kind(ValueKind kind);

/* The member of a value that is an object by which it compares ("amount" of a currency); NULL for other types. */
extern const char *module_compared_member(FieldType type);

/*
 * The type of a member of values that are objects without fields of their own ("currency" of a currency is text);
 * FIELD_TYPE_COUNT when they have no such member.
 */
extern FieldType module_member_type(FieldType type, const char *name, int length);

/* The prefix of the ids that a field of this type holds ("rec_"); NULL for other types. */
extern const char *module_id_prefix(FieldType type);

struct ModuleField;

/* The fields of a payload, or of the rows of a table, or of an object. */
typedef struct ModuleFields
{
	int			count;
	struct ModuleField *items;	/* sorted as jsonb sorts keys: length, then bytes */
	int			computed_count;
	struct ModuleField **computed;	/* those with an expression, by their stage */
} ModuleFields;

/* A band of a matrix score: from above the band before to max. */
typedef struct ModuleBand
{
	const char *name;
	int32		max;
} ModuleBand;

/* What no two live records of a module have alike: the value of a unique field, or those of several fields together. */
typedef struct ModuleUnique
{
	const char *name;			/* the keys of its fields, with commas between */
	int			name_length;
	int			field_count;
	const struct ModuleField **fields;
} ModuleUnique;

/* The role that a record gives who created it. */
#define QEHS_ROLE_CREATOR "@createdBy"

/* Names, of roles in most cases, that a definition lists; count -1: it lists none, which the holder says the meaning of. */
typedef struct ModuleRoles
{
	int			count;
	const char **names;
} ModuleRoles;

/* A key that a field had before it was renamed, up to a version. */
typedef struct FormerKey
{
	const char *key;
	int32		until;			/* the last version whose payloads have the field under it */
} FormerKey;

typedef struct ModuleField
{
	const char *key;
	int			key_length;
	int32		since;			/* payloads of earlier versions have no such field, whatever stands under its key */
	int			former_count;	/* keys that payloads of earlier versions have it under, newest first */
	const FormerKey *former;
	const char *label;
	const JsonbContainer *definition;
	FieldType	type;
	FieldType	value_type;		/* the same, but of a computed field the type of what it yields */
	ValueKind	kind;			/* of value_type */
	bool		ordered;		/* its values have an order */
	int			option_count;
	const char **options;		/* of a choice, in their order */
	int			slot;			/* that lists may use: 0..QEHS_SLOTS-1 in the order t1..d4, or -1; writers go by slot_field */
	bool		required;
	bool		unique;			/* by itself: has a ModuleUnique of its own */
	bool		searchable;		/* q searches it; of one that is nested: as far as it searches that which it is in */
	int			reference_count;	/* of a reference: keys of the modules whose records it names; 0: any */
	const char **references;
	bool		acyclic;		/* of one to its own module: no chain leads back */
	bool		restricts;		/* of one: what it names is not deleted */
	bool		personal;		/* personal data, as GDPR article 4 has it: erased when no fields are named */
	JsonPath   *required_when;
	JsonPath   *visible_when;
	JsonPath   *computed;
	int			stage;			/* of a computed one: from 1, behind those that it reads */
	const struct ExpressionReads *reads;	/* of a computed one (module/expression.h) */
	Jsonb	   *default_value;	/* or NULL */
	const char *default_variable;	/* of the expressions, whose value is the default: "now"; or NULL */
	bool		has_comparators;	/* of a quantity */
	const char *time_zone;		/* of a datetime that is told without an offset; or NULL */
	bool		read_only;		/* written by the server alone */
	bool		write_once;		/* a value stays */
	ModuleFields nested;		/* of a table or object */
	ModuleRoles readers;
	ModuleRoles writers;
	int			media_type_count;	/* of a field that takes attachments; 0: any type */
	const char **media_types;	/* such as image/png, or image and a slash and a star */
	int64		max_size;		/* bytes; 0: any number */
	int32		matrix_size;	/* of a matrix-score: its factors run from 1 to this */
	int			band_count;
	const ModuleBand *bands;
	bool		fills;			/* the server writes here: default, computed, score, the form of an id, itself or nested */
	bool		attaches;		/* takes attachments, itself or nested */
	bool		checked;		/* has what a schema cannot say, itself or nested */
	bool		reads_state;	/* has an expression with $state, itself or nested */
	bool		refers;			/* names records, itself or nested */
} ModuleField;

#define QEHS_MAX_CHILDREN_GUARDS 10	/* of a transition */

/* A guard: records of a module that refer to this one. */
typedef struct ModuleChildren
{
	const char *module_key;
	const char *via;			/* their field, which names records */
	int32		min;			/* so many there must be */
	ModuleRoles states;			/* of which each must be in one; count -1: any */
} ModuleChildren;

#define QEHS_MAX_ATTACHMENT_GUARDS 10	/* of a transition */

/* A guard: files that the record has. */
typedef struct ModuleFiles
{
	int32		min;			/* so many there must be */
	const char *field;			/* in this field, or NULL: anywhere */
	int			type_count;
	const char **types;			/* of these media types; none: any */
} ModuleFiles;

#define QEHS_MAX_EFFECTS 20		/* of a transition */

typedef enum EffectKind
{
	EFFECT_CREATE_RECORD, EFFECT_UPDATE_PARENT, EFFECT_SET_FIELD, EFFECT_ASSIGN, EFFECT_EVENT
} EffectKind;

/* What follows from a transition (effect/). */
typedef struct ModuleEffect
{
	EffectKind	kind;
	const char *path;			/* "/effects/0/createRecord" */
	const char *module_key;		/* of a record that is made */
	const char *via;			/* the field that names the parent */
	const char *name;			/* of an event; the field that is assigned */
	const char *to;				/* to whom */
	const JsonbContainer *payload;	/* template of a payload, of a patch or of what goes with an event; or NULL */
} ModuleEffect;

/* A step of the approval of a transition. */
typedef struct ModuleStep
{
	int32		count;			/* of different people who must approve */
	ModuleRoles roles;			/* who may: roles of their own, or "@field" */
} ModuleStep;

/* A time of a record: when it has entered its state, or what a field has, and a duration from there. */
typedef struct ModuleMoment
{
	const char *field;			/* of type date or datetime; NULL: when the state was entered */
	bool		is_date;		/* the field is of type date */
	Duration	duration;
	int			sign;			/* 1: after, -1: before */
	bool		business;		/* in business days */
} ModuleMoment;

/* Whom an event tells that something is due, and when. */
typedef struct ModuleEscalation
{
	Duration	offset;			/* from when it is due, in the same days */
	int			sign;			/* 1: after, -1: before */
	const char *event;
	ModuleRoles to;				/* roles, "@createdBy", "@field" */
} ModuleEscalation;

/* When a record that is in a state is due to leave it. */
typedef struct ModuleDeadline
{
	const char *state;
	ModuleMoment due;			/* of a date: the end of that day */
	int			escalation_count;
	const ModuleEscalation *escalations;
} ModuleDeadline;

#define QEHS_MAX_RETENTION_RULES 4	/* of a module */

/* From when on records are kept. */
typedef enum RetentionStart
{
	RETENTION_CREATED,			/* createdAt */
	RETENTION_DELETED,			/* deletedAt */
	RETENTION_FIELD				/* what a field of type date or datetime has */
} RetentionStart;

/* How long records are kept, and what becomes of them then (retention/). */
typedef struct ModuleRetention
{
	Duration	after;
	RetentionStart start;
	const char *field;			/* of RETENTION_FIELD, else NULL */
	bool		purges;			/* else they are deleted, as by a person */
} ModuleRetention;

typedef struct ModuleTransition
{
	const char *name;
	int			from_count;		/* -1: from any state */
	const char **from;
	const char *to;
	const char *description;	/* or NULL */
	int			requires_count;
	const char **requires;
	int			role_count;		/* 0: any role with the transition action */
	const char **roles;
	const char *when_text;
	JsonPath   *when;			/* or NULL */
	bool		comment_required;
	ModuleRoles not_same_actor; /* "@createdBy", "@field": who fires it is none of these */
	int			children_count;
	const ModuleChildren *children;
	int			file_count;
	const ModuleFiles *files;
	int			step_count;		/* 0: needs no approval */
	const ModuleStep *steps;
	bool		parallel;		/* else a step begins when the one before is complete */
	const char *reject;			/* the transition by which a rejection returns the record, or NULL */
	ModuleRoles meanings;		/* count -1: needs no signature; else what it may mean, 0: anything */
	int			effect_count;
	const ModuleEffect *effects;
	const ModuleMoment *after;	/* when it is fired by itself, of a date at the beginning of that day; or NULL */
} ModuleTransition;

/* Who may change records in a state, besides having the action. */
typedef struct ModuleLock
{
	const char *state;
	ModuleRoles editors;		/* of fields that are not listed, and of the record as a whole; count -1: no lock */
	int			field_count;
	const char **keys;			/* of fields with a rule of their own, */
	ModuleRoles *field_editors; /* which goes in the place of editors */
} ModuleLock;

typedef enum ModuleAction
{
	ACTION_READ = 1 << 0,
	ACTION_CREATE = 1 << 1,
	ACTION_UPDATE = 1 << 2,
	ACTION_DELETE = 1 << 3,
	ACTION_TRANSITION = 1 << 4,
	ACTION_BULK_STATE = 1 << 5, /* to create records in any state, at any time */
	ACTION_EXPORT = 1 << 6,		/* to write records that may be read into a file */
	ACTION_COMMENT = 1 << 7,	/* to say something of a record, and to take back what one has said */
	ACTION_HOLD = 1 << 8,		/* to place and release legal holds on records, and to be told of them */
	ACTION_ALL = (1 << 9) - 1,	/* of those that definitions name */
	/* implied by read, each by a scope of its own */
	ACTION_AUDIT = 1 << 9,		/* to read the events of records */
	ACTION_COUNT = 1 << 10		/* to be told how many records there are */
} ModuleAction;

typedef struct ModuleRole
{
	const char *name;
	uint32		actions;
	uint32		own_actions;	/* on records that the caller has created */
	uint32		location_actions;	/* on records in a location of his (permission/location.h) */
} ModuleRole;

typedef struct ModuleDef
{
	MemoryContext context;
	int32		tenant_id;
	int32		module_id;
	int32		version;
	const char *key;
	const char *name;
	const char *prefix;			/* of display codes; frozen with the first version */
	bool		require_if_match;	/* a change must say which version it is of */
	int			field_count;
	ModuleField *fields;		/* sorted as jsonb sorts keys: length, then bytes */
	ModuleFields all;			/* the same fields */
	int			unique_count;
	ModuleUnique *uniques;		/* those of one field first */
	bool		has_references; /* to users or records, not only in rows and objects */
	bool		refers;			/* has a field that names records, in rows and objects too */
	bool		restricts;		/* has one that keeps what it names from being deleted */
	bool		has_searchable;
	bool		has_kept;		/* has fields that are read-only or written once */
	bool		has_attachments;	/* has a field that takes attachments, in rows and objects too */
	bool		search_unfilled;	/* lists do without the column search as yet */
	int32		moved;			/* the last version that renamed or dropped fields; 1 if there is none */
	bool		has_record_roles;	/* names roles that a record gives, in what rules over its records */
	bool		has_field_rules;	/* this version, or one before it, restricts who may read or write a field */
	bool		reads_state;	/* whether a payload holds may change with the state */
	Schema	   *schema;			/* compiled JSON Schema of the payload */
	int			state_count;
	const char **states;
	const char *initial;
	int			transition_count;
	ModuleTransition *transitions;
	int			deadline_count;
	ModuleDeadline *deadlines;
	bool		has_timers;		/* has deadlines, or transitions that are fired by themselves */
	bool		timed_by_fields;	/* and some go by what a field has */
	int			role_count;
	ModuleRole *roles;
	const ModuleField *location;	/* what says where a record is, for those actions; or NULL */
	int			lock_count;
	ModuleLock *locks;			/* of states that lock */
	int			retention_count;
	ModuleRetention *retentions;	/* in the order of the definition */
	Jsonb	   *definition;		/* as published */
	/* slot s is filled from field slot_field[s], or -1 */
	int16		slot_field[QEHS_SLOTS];
} ModuleDef;

/*
 * The current version of a module by key; NULL when the tenant has none.
 * Runs SPI by itself when the cache misses.
 */
extern const ModuleDef *module_lookup(int32 tenant_id, const char *key);

/* A given version by id (a record's own); version 0 means the current one. */
extern const ModuleDef *module_lookup_version(int32 tenant_id, int32 module_id, int32 version);

/*
 * Hold the module's slot map until the transaction ends: whoever is about to
 * write a record of it calls this before it locks the record's row.  Writers do
 * not wait for each other, only for a publisher that is changing the map.
 */
extern void module_hold_slots(int32 tenant_id, int32 module_id);

/* The key under which payloads of a version have the field; NULL when they have no such field. */
extern const char *module_field_key(const ModuleField *field, int32 version);

/* Returns the field of the current definition that payloads of a version have under the key, or NULL if the definition has it no more. */
extern const ModuleField *module_field_of(const ModuleDef *module, int32 version, const char *key, int length);

/*
 * A payload of a version with the keys of the current definition, and without what it
 * has no more: the payload itself where no version since has renamed or dropped fields.
 */
extern Jsonb *module_payload_current(const ModuleDef *module, Jsonb *payload, int32 version);

/*
 * SQL for a field of the payload of a row of qehs.record of any version: format has the key
 * as its one %s ("payload->>'%s'"), alias ("r." or "") stands before the column of the version.
 */
extern const char *module_field_sql(const ModuleField *field, const char *alias, const char *format);

/*
 * Read a moment as a definition has it: "P30D", "@field", "@field+P1D", "@field-P1D" (times.c).  Sets all but
 * is_date and business; false when it is none.
 */
extern bool module_moment_read(const char *text, ModuleMoment *moment);

/* Whether fields of the type name records, one or several. */
extern bool module_names_records(FieldType type);

/* Whether a field that names records may name one of the module. */
extern bool module_field_refers_to(const ModuleField *field, const char *module_key);

/* Whether fields of the type name attachments. */
extern bool module_takes_attachments(FieldType type);

/* A field, a field of a table or object, a transition by name; NULL when there is none. */
extern const ModuleField *module_field(const ModuleDef *module, const char *key, int length);
extern const ModuleField *module_fields_find(const ModuleFields *fields, const char *key, int length);
extern const ModuleTransition *module_transition(const ModuleDef *module, const char *name);
/* What is unique by a name such as "badge" or "site,number"; NULL when there is none. */
extern const ModuleUnique *module_unique(const ModuleDef *module, const char *name);
/* The deadline of a state, or NULL. */
extern const ModuleDeadline *module_deadline(const ModuleDef *module, const char *state);
extern bool module_has_state(const ModuleDef *module, const char *state);

/*
 * Check a definition document; every fault is added to faults with its JSON
 * Pointer.  Gives the compiled JSON Schema document of the payload, or NULL.
 */
extern Jsonb *module_compile_schema(Jsonb *definition, ViolationList *faults);

/* The word of an action ("read"), and back (0 when unknown); all of those words. */
extern const char *module_action_name(ModuleAction action);
extern uint32 module_action_parse(const char *name);
extern char *module_action_words(void);

#endif							/* QEHS_MODULE_H */
