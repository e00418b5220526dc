/*
 * decode.h
 *	  The Content-Encoding of a request body that streams in: gzip (RFC 1952) and
 *	  zstd (RFC 8878).
 */
#ifndef QEHS_DECODE_H
#define QEHS_DECODE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Decoder Decoder;

/* Is the field's value, or none, an encoding that decoder_create knows? */
extern bool decoder_knows(const char *encoding);
/* NULL for none and identity: there is nothing to decode. */
extern Decoder *decoder_create(const char *encoding);
/*
 * Decode some input, which moves on, into output; produced is how much came.
 * While produced equals room there may be more without further input.  False when
 * the input is malformed.
 */
extern bool decoder_run(Decoder *decoder, const char **input, size_t *length, char *output, size_t room, size_t *produced);
/* Has all input so far ended where a member or frame ends? */
extern bool decoder_complete(const Decoder *decoder);
extern void decoder_free(Decoder *decoder);

#endif							/* QEHS_DECODE_H */
