/*
 * decode.c
 *	  zlib and libzstd, both in their streaming forms.
 *
 * Several gzip members or zstd frames in a row are one body.  A zstd frame may
 * ask for a window of at most 8 MiB, as RFC 9659 has it for HTTP.
 */
#include "base/decode.h"

#include <stdlib.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#define ZSTD_WINDOW_LOG 23

struct Decoder
{
	z_stream	gzip;
	ZSTD_DStream *zstd;			/* NULL: it is gzip */
	bool		complete;
};

static bool
is_gzip(const char *encoding)
{
	return strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0;
}

static bool
is_identity(const char *encoding)
{
	return encoding == NULL || strcasecmp(encoding, "identity") == 0;
}

bool
decoder_knows(const char *encoding)
{
	return is_identity(encoding) || is_gzip(encoding) || strcasecmp(encoding, "zstd") == 0;
}

Decoder *
decoder_create(const char *encoding)
{
	Decoder    *decoder;

	if (is_identity(encoding))
		return NULL;
	decoder = calloc(1, sizeof(Decoder));
	if (decoder == NULL)
		abort();
	decoder->complete = true;
	if (is_gzip(encoding))
	{
		if (inflateInit2(&decoder->gzip, 15 + 16) != Z_OK)
			abort();
	}
	else if ((decoder->zstd = ZSTD_createDStream()) == NULL ||
			 ZSTD_isError(ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		abort();
	return decoder;
}

static bool
run_gzip(Decoder *decoder, const char **input, size_t *length, char *output, size_t room, size_t *produced)
{
	z_stream   *gzip = &decoder->gzip;
	int			code = Z_OK;

	gzip->next_in = (Bytef *) *input;
	gzip->avail_in = (uInt) *length;
	gzip->next_out = (Bytef *) output;
	gzip->avail_out = (uInt) room;
	while (code == Z_OK && gzip->avail_out > 0 && (gzip->avail_in > 0 || !decoder->complete))
	{
		uInt		before = gzip->avail_in;
		uInt		room_before = gzip->avail_out;

		decoder->complete = false;
		code = inflate(gzip, Z_NO_FLUSH);
		if (code == Z_STREAM_END)
		{
			decoder->complete = true;
			code = inflateReset(gzip);
		}
		else if (gzip->avail_in == before && gzip->avail_out == room_before)
			break;
	}
	*input += *length - gzip->avail_in;
	*length = gzip->avail_in;
	*produced = room - gzip->avail_out;
	return code == Z_OK || code == Z_BUF_ERROR;
}

static bool
run_zstd(Decoder *decoder, const char **input, size_t *length, void *output, size_t room, size_t *produced)
{
	ZSTD_inBuffer in = {*input, *length, 0};
	ZSTD_outBuffer out = {output, room, 0};

	while (out.pos < out.size)
	{
		size_t		in_before = in.pos;
		size_t		out_before = out.pos;
		size_t		code;

		if (in.pos == in.size && decoder->complete)
			break;
		code = ZSTD_decompressStream(decoder->zstd, &out, &in);
		if (ZSTD_isError(code))
			return false;
		decoder->complete = code == 0;
		if (in.pos == in_before && out.pos == out_before)
			break;
	}
	*input += in.pos;
	*length -= in.pos;
	*produced = out.pos;
	return true;
}

bool
decoder_run(Decoder *decoder, const char **input, size_t *length, char *output, size_t room, size_t *produced)
{
	return decoder->zstd ? run_zstd(decoder, input, length, output, room, produced) :
		run_gzip(decoder, input, length, output, room, produced);
}

bool
decoder_complete(const Decoder *decoder)
{
	return decoder->complete;
}

void
decoder_free(Decoder *decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->zstd)
		ZSTD_freeDStream(decoder->zstd);
	else
		inflateEnd(&decoder->gzip);
	free(decoder);
}
