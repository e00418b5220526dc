/*
 * attachments.h
 *	  Files of exported records, put into a ZIP behind the file of their rows.
 */
#ifndef QEHS_ATTACHMENTS_H
#define QEHS_ATTACHMENTS_H

#include "export/bundle.h"
#include "storage/storage.h"

typedef struct Attachments Attachments;

/* Who knows where files are. */
typedef struct AttachmentSource
{
	void	   *owner;
	const char *tenant;			/* slug */
	/* A URL of S3 to fetch the object of an id; NULL for the embedded store. */
	const char *(*url) (void *owner, const char *id);
	/* Is the work to go on? */
	bool		(*goes_on) (void *owner);
} AttachmentSource;

/* Begin a list, in files of TMPDIR; never NULL. */
extern Attachments *attachments_open(void);
/* Take lines, as qehs.export_files gives them.  False when they cannot be kept. */
extern bool attachments_take(Attachments *attachments, const char *lines, size_t length);
/* Read the list from its beginning; then its next entry, into the arena, false at the end. */
extern void attachments_rewind(Attachments *attachments);
extern bool attachments_next(Attachments *attachments, Arena *arena, FileEntry *entry);
/* A descriptor of an entry's file, to be closed; -1 with the outcome and the reason. */
extern int	attachments_file(const AttachmentSource *source, const FileEntry *entry, int64_t *size, StorageOutcome *outcome,
							 StorageFault *fault);
/*
 * Put each file into the bundle as attachments/<display code>/<id>-<filename>, and behind them attachments.ndjson: the
 * lines with a member "file", the name of its entry, or null where the store has no such object.  False with the reason
 * in output.
 */
extern bool attachments_put(Attachments *attachments, const AttachmentSource *source, Bundle *bundle, Output *output);
extern void attachments_free(Attachments *attachments);

#endif							/* QEHS_ATTACHMENTS_H */
