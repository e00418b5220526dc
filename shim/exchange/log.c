/*
 * log.c
 *	  Each thread gathers its lines and writes them once per turn of its loop;
 *	  files are opened for appending, so lines of threads and processes do not mix.
 *	  Secrets are taken out of each line, wherever a client has put them.
 */
#include "exchange/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/redact.h"

#define LINES_BYTES 65536

static int	log_fd = STDERR_FILENO;
static __thread char lines[LINES_BYTES];
static __thread size_t used;

static LogLevel least_level = LEVEL_INFO;

void
log_level(LogLevel least)
{
	least_level = least;
}

static bool
is_left_out(const char *level)
{
	return (*level == 'i' && least_level < LEVEL_INFO) || (*level == 'w' && least_level < LEVEL_WARN);
}

bool
log_open(const char *where)
{
	int			opened;

	if (strcmp(where, "off") == 0)
		log_fd = -1;
	else if (strcmp(where, "stderr") != 0)
	{
		opened = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (opened < 0)
			return false;
		/* the same number again, as other threads may be writing to it */
		if (log_fd > STDERR_FILENO)
		{
			dup2(opened, log_fd);
			close(opened);
		}
		else
			log_fd = opened;
	}
	return true;
}

void
log_flush(void)
{
	size_t		written = 0;

	while (log_fd >= 0 && written < used)
	{
		ssize_t		count = write(log_fd, lines + written, used - written);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		written += (size_t) count;
	}
	used = 0;
}

static void
append_line(Buffer *line)
{
	line->length = redact_text(line->data, line->length);
	if (line->length > LINES_BYTES)
		return;
	if (used + line->length > LINES_BYTES)
		log_flush();
	memcpy(lines + used, line->data, line->length);
	used += line->length;
}

static void
begin_line(Buffer *line, const char *level)
{
	struct timespec now;
	struct tm	parts;
	char		text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	buffer_format(line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\"", text, now.tv_nsec / 1000000, level);
}

static void
add_text(Buffer *line, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buffer_format(line, ",\"%s\":", name);
	buffer_json(line, value, strlen(value));
}

void
log_request(const Request *request, uint64_t duration)
{
	Arena		arena = {0};
	Buffer		line = {.arena = &arena};

	const char *level = request->reply.status >= 500 ? "error" : request->reply.status >= 400 ? "warn" : "info";

	if (log_fd < 0 || is_left_out(level))
		return;
	begin_line(&line, level);
	add_text(&line, "traceId", request->trace_id);
	add_text(&line, "spanId", request->span_id);
	add_text(&line, "parentSpanId", *request->parent_id ? request->parent_id : NULL);
	add_text(&line, "client", request->client);
	add_text(&line, "method", *request->method ? request->method : NULL);
	add_text(&line, "route", request->endpoint ? request->endpoint->path : NULL);
	add_text(&line, "path", request->path);
	add_text(&line, "operation", request->endpoint ? request->endpoint->operation : NULL);
	add_text(&line, "tenant", request->tenant);
	add_text(&line, "keyId", request->key_id);
	buffer_format(&line, ",\"status\":%d,\"bytes\":%zu,\"ms\":%.3f,\"databaseMs\":%.3f", request->reply.status,
				  request->reply.length, (double) duration / 1e6, (double) request->database_time / 1e6);
	if (request->stream)
		buffer_format(&line, ",\"bodyBytes\":%zu,\"lines\":%lld,\"failedLines\":%lld", request->body_length,
					  (long long) request->lines, (long long) request->failed_lines);
	add_text(&line, "error", request->error);
	buffer_text(&line, "}\n");
	append_line(&line);
	arena_free(&arena);
}

void
log_event(const char *level, const char *format,...)
{
	Arena		arena = {0};
	Buffer		line = {.arena = &arena};
	char		text[1024];
	va_list		arguments;

	if (is_left_out(level))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	begin_line(&line, level);
	add_text(&line, "message", text);
	buffer_text(&line, "}\n");
	append_line(&line);
	log_flush();
	arena_free(&arena);
}
