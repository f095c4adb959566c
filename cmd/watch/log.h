/* The service's log: text lines on a terminal, with priorities under journald, or JSON. */
#ifndef CMD_WATCH_LOG_H
#define CMD_WATCH_LOG_H

#include "cmd/options.h"
#include "lib/error.h"
#include "lib/journal.h"

#include <jansson.h>

#define LOG_MESSAGE_SIZE 1024 /* limit of one entry, with its end; longer ones are cut */

struct log {
	bool json, journal, quiet;
	bool deferred; /* lines are kept until log_release */
	struct log_queue *queue;
};

struct log log_new(const struct options *options);
void log_free(struct log *log);

/* While other processes wait for the service, nothing is written. */
void log_defer(struct log *log);
void log_release(struct log *log);

/* Writes queued lines as far as the reader accepts them, and reports the number of lost ones once
 * there is room. Returns -1 if nothing is queued, or the descriptor to wait for. A reader may
 * continue later, as a stopped terminal does, or never. */
int log_flush(const struct log *log);

__attribute__((format(printf, 3, 4))) void log_write(const struct log *log, enum log_level level,
						     const char *format, ...);
/* The same; JSON lines have additional fields: {"time", "level", "message", ...fields}. Takes
 * ownership of `fields` (an object). */
void log_write_fields(const struct log *log, enum log_level level, const char *message,
		      json_t *fields);

/* An error with its code, and the reaction to it ("trying again", or NULL). */
void log_error(const struct log *log, enum log_level level, const char *then,
	       const struct error *error);

#endif
