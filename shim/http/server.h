/*
 * server.h
 *	  HTTP/1.1 through libmicrohttpd, driven by the event loop.
 */
#ifndef QEHS_SERVER_H
#define QEHS_SERVER_H

#include "exchange/exchange.h"

/* Serve the listening socket, for_metrics: with /metrics, /healthz and /readyz alone; NULL on failure.  The exchange must outlive the server. */
extern Server *server_create(Exchange *exchange, int listen_socket, bool for_metrics);
/* The descriptor that is readable when server_run has work besides what has been resumed and what is due. */
extern int	server_epoll(const Server *server);
/* Is it readable? */
extern void server_run(Server *server, bool ready);
/* Milliseconds until server_run must be called again, or -1. */
extern int	server_timeout(Server *server);
/* Accept no more connections. */
extern void server_quiesce(Server *server);
/* Requests whose answer is not sent yet. */
extern int	server_active(const Server *server);
extern void server_free(Server *server);

#endif							/* QEHS_SERVER_H */
