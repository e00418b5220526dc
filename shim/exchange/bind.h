/*
 * bind.h
 *	  One value as a parameter of a statement.  Nothing is copied that need not
 *	  be: what is bound lives in the request's arena or body.
 */
#ifndef QEHS_BIND_H
#define QEHS_BIND_H

#include "base/json.h"
#include "exchange/request.h"

/* Text as it is. */
extern void bind_text(PgStatement *statement, int number, const char *value, size_t length);

/*
 * A JSON slice, with jsonb's version byte written in front of it, which is free:
 * before a value in a body stands a colon, white space or the spare byte of the
 * buffer.
 */
extern void bind_jsonb(PgStatement *statement, int number, const char *slice, size_t length);

/* Text by the parameter's SQL type; false when it does not have its form. */
extern bool bind_value(Request *request, PgStatement *statement, int number, const Parameter *parameter, const char *text);

/* A JSON array as a literal of the parameter's type, text[] or int4[]; an item of another type is a violation, and false. */
extern bool bind_array(Request *request, PgStatement *statement, int number, const Parameter *parameter, const JsonMember *member);

#endif							/* QEHS_BIND_H */
