/*
 * format.h
 *	  The values of "format" (2020-12 validation 7.3).
 */
#ifndef QEHS_SCHEMA_FORMAT_H
#define QEHS_SCHEMA_FORMAT_H

#include "base/compat.h"

typedef bool (*FormatCheck) (const char *text, int length);

/* The check of a format, or NULL for an unknown one, which all text has; and the steps that it costs beside the length. */
extern FormatCheck format_find(const char *name, uint32 *steps);

/* What a text of the format is, for "must be …": "a date such as 2024-03-14 (RFC 3339)"; in the current memory context or longer. */
extern const char *format_wanted(const char *name);

/* What a text lacks, or has too much, to be of the format: ", which has no offset"; "" when nothing is to be seen. */
extern const char *format_lacks(const char *name, const char *text, int length);

/* RFC 3339 section 5.6 and appendix A. */
extern bool format_date(const char *text, int length);
extern bool format_time(const char *text, int length);
extern bool format_date_time(const char *text, int length);
extern bool format_duration(const char *text, int length);

/* RFC 5321 section 4.1.2, RFC 6531, RFC 1123 section 2.1, RFC 5890 section 2.3.2.3, RFC 2673 section 3.2, RFC 4291 section 2.2. */
extern bool format_email(const char *text, int length);
extern bool format_idn_email(const char *text, int length);
extern bool format_hostname(const char *text, int length);
extern bool format_idn_hostname(const char *text, int length);
extern bool format_ipv4(const char *text, int length);
extern bool format_ipv6(const char *text, int length);

/* RFC 3986, RFC 3987, RFC 6570, RFC 4122 section 4, RFC 6901 section 5, draft-bhutton-relative-json-pointer-00. */
extern bool format_uri(const char *text, int length);
extern bool format_uri_reference(const char *text, int length);
extern bool format_iri(const char *text, int length);
extern bool format_iri_reference(const char *text, int length);
extern bool format_uri_template(const char *text, int length);
extern bool format_uuid(const char *text, int length);
extern bool format_json_pointer(const char *text, int length);
extern bool format_relative_json_pointer(const char *text, int length);

#endif							/* QEHS_SCHEMA_FORMAT_H */
