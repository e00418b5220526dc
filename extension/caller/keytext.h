/*
 * keytext.h
 *	  The text of an API key: what it says of itself before any look-up.
 */
#ifndef QEHS_KEYTEXT_H
#define QEHS_KEYTEXT_H

/* What a key is for; the text begins accordingly. */
typedef enum KeyKind
{
	KEY_LIVE,					/* qehs_live_sk_ */
	KEY_TEST,					/* qehs_test_sk_: the same rights, told apart by people and scanners */
	KEY_SERVICE,				/* sa_: never acts as a user */
	KEY_SCIM,					/* scim_: the SCIM endpoints only */
	KEY_KIND_COUNT
} KeyKind;

#define QEHS_KEY_TENANT 7		/* base32 digits of the tenant's number */
#define QEHS_KEY_RANDOM 52		/* base32 digits of 256 random bits */
#define QEHS_KEY_CHECK 7		/* base32 digits of the CRC-32C of what stands before */
#define QEHS_KEY_MAX_LENGTH (13 + QEHS_KEY_TENANT + QEHS_KEY_RANDOM + QEHS_KEY_CHECK)

typedef struct KeyText
{
	KeyKind		kind;
	int32		tenant_id;
	int			prefix_length;	/* of what finds the row: scheme, tenant and 8 random digits */
} KeyText;

/* Make a new key's text into buffer (QEHS_KEY_MAX_LENGTH + 1). */
extern KeyText keytext_make(KeyKind kind, int32 tenant_id, char *buffer);

/* Read a text; false when it has not the form of a key or its checksum is wrong. */
extern bool keytext_read(const char *text, int length, KeyText *key);

/* "live", "test", "service", "scim", and back (KEY_KIND_COUNT when it is none). */
extern const char *keytext_kind_name(KeyKind kind);
extern KeyKind keytext_kind_parse(const char *name);

/* The kind of a key by how its text, or its prefix, begins. */
extern KeyKind keytext_kind_of(const char *text, int length);

#endif							/* QEHS_KEYTEXT_H */
