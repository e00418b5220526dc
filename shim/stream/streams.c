/*
 * streams.c
 *	  The list of one event loop's streams.  A stream whose request has gone is
 *	  freed by the next tick, as its own functions may still be on the stack.
 */
#include "stream/streams.h"

#include "stream/file_sink.h"
#include "stream/line_sink.h"
#include "stream/parts.h"

static Stream *
add(Streams *streams, StreamItem *item, bool is_file)
{
	item->is_file = is_file;
	item->next = streams->first;
	streams->first = item;
	(*(is_file ? &streams->file_count : &streams->count))++;
	return &item->stream;
}

Stream *
streams_make(Exchange *exchange, Request *request)
{
	Streams    *streams = exchange->streams;

	if (request->async || request->endpoint->body == BODY_FILE)
		return streams->file_count == FILES_MOST ? NULL : add(streams, file_sink_open(exchange, request), true);
	return streams->count == STREAMS_MOST ? NULL : add(streams, line_sink_open(exchange, request), false);
}

Stream *
streams_follow(Exchange *exchange, Request *request)
{
	Streams    *streams = exchange->streams;

	return streams->count == STREAMS_MOST ? NULL : add(streams, parts_open(exchange, request), false);
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
