/*
 * streams.c
 *	  The list of one event loop's streams.  A stream whose request has gone is
 *	  freed by the next tick, as its own functions may still be on the stack.
 */
#include "stream/streams.h"

#include "stream/line_sink.h"

Stream *
streams_make(Exchange *exchange, Request *request)
{
	Streams    *streams = exchange->streams;
	StreamItem *item;

	if (streams->count == STREAMS_MOST)
		return NULL;
	item = line_sink_open(exchange, request);
	item->next = streams->first;
	streams->first = item;
	streams->count++;
	return &item->stream;
}

int
streams_tick(Streams *streams)
{
	StreamItem **link = &streams->first;
	int			next = -1;

	while (*link)
	{
		StreamItem *item = *link;
		int			due;

		if (item->closed)
		{
			*link = item->next;
			streams->count--;
			item->free(item);
			continue;
		}
		due = item->tick(item);
		next = next < 0 || (due >= 0 && due < next) ? due : next;
		link = &item->next;
	}
	return next;
}

void
streams_end(Streams *streams)
{
	for (StreamItem *item = streams->first; item; item = item->next)
		item->end(item);
}
