/*
 * file.h
 *	  An answer that is an object of the object store.
 */
#ifndef QEHS_FILE_H
#define QEHS_FILE_H

#include "exchange/request.h"

/*
 * The reply's body names an object, {"tenant","id"}: the object is the body from now on, or the part of it that a
 * Range header asks for (RFC 9110 section 14); a problem when it is not there.
 */
extern void file_reply(Request *request);

#endif							/* QEHS_FILE_H */
