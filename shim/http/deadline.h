/*
 * deadline.h
 *	  How long a connection may take for each stage of a request, so that slow
 *	  or silent clients cannot hold all places.  Who reads an answer must take
 *	  DEADLINE_LEAST_RATE bytes a second of it, over half a minute.
 */
#ifndef QEHS_DEADLINE_H
#define QEHS_DEADLINE_H

#include <stdint.h>

#define DEADLINE_LEAST_RATE 500

typedef enum Stage
{
	STAGE_NEW,					/* accepted, no request line yet */
	STAGE_HEAD,					/* request line read, headers not yet */
	STAGE_BODY,
	STAGE_CUT,					/* the client has closed its side and the body is not whole */
	STAGE_ANSWER,				/* its answer goes out as fast as the client reads */
	STAGE_IDLE,					/* kept alive after an answer */
	STAGE_COUNT,
	STAGE_NONE = STAGE_COUNT	/* no deadline: it is the server's turn */
} Stage;

typedef struct Watch
{
	struct Watch *previous;
	struct Watch *next;
	Stage		stage;
	uint64_t	since;
	uint64_t	acknowledged;	/* bytes that the client had taken then */
	int			socket;
} Watch;

/* One list a stage, oldest first, since all in a stage have the same time. */
typedef struct Deadlines
{
	Watch	   *first[STAGE_COUNT];
	Watch	   *last[STAGE_COUNT];
	int			count;			/* connections */
	int			limit;
} Deadlines;

/* Take a new connection in; near the limit the one that has waited for longest goes. */
extern void deadline_open(Deadlines *deadlines, Watch *watch, int socket);
extern void deadline_move(Deadlines *deadlines, Watch *watch, Stage stage);
extern void deadline_close(Deadlines *deadlines, Watch *watch);

/* Shut down the sockets that are late; gives milliseconds until the next one is, or -1. */
extern int	deadline_expire(Deadlines *deadlines);

#endif							/* QEHS_DEADLINE_H */
