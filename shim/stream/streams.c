/*
 * streams.c
 *	  The list of one event loop's streams.  A stream whose request has gone is
 *	  freed by the next tick, as its own functions may still be on the stack.
 */
#include "stream/streams.h"

#include "stream/file_sink.h"
#include "stream/line_sink.h"

Stream *
streams_make(Exchange *exchange, Request *request)
{
	Streams    *streams = exchange->streams;
	bool		is_file = request->endpoint->body == BODY_FILE;
	int		   *count = is_file ? &streams->file_count : &streams->count;
	StreamItem *item;

	if (*count == (is_file ? FILES_MOST : STREAMS_MOST))
		return NULL;
	item = is_file ? file_sink_open(exchange, request) : line_sink_open(exchange, request);
	item->is_file = is_file;
	item->next = streams->first;
	streams->first = item;
	(*count)++;
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

		if (item->closed && (item->is_free == NULL || item->is_free(item)))
		{
			*link = item->next;
			(*(item->is_file ? &streams->file_count : &streams->count))--;
			item->free(item);
			continue;
		}
		due = item->closed ? -1 : item->tick(item);
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
