/*
 * portal.h
 *	  The developer portal: pages and their files, held by the binary.
 */
#ifndef QEHS_PORTAL_H
#define QEHS_PORTAL_H

#include "exchange/request.h"

/* Make the reply when the path is the portal's; false when it is not. */
extern bool portal_reply(Request *request);

#endif							/* QEHS_PORTAL_H */
