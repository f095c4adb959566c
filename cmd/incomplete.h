/* Results for a host that could not be read completely. Unread parts are unknown, so no such result
 * is a success. */
#ifndef CMD_INCOMPLETE_H
#define CMD_INCOMPLETE_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <jansson.h>

/* The exit code of an answer that would have `code`: EXIT_FAILED where a success is not known to be
 * one. Sets *fault, which says so, unless the host was read completely or there is a fault. */
int incomplete_exit(const struct live *live, int code, struct error *fault);

/* The fault of a container that could not be read, although something of its set's may be there. */
void incomplete_container(const struct container_lookup *lookup, struct error *fault);

/* Adds "complete", and "unseen" with a sentence for each thing that could not be read. NULL:
 * nothing could. */
void incomplete_json(json_t *document, const struct live *live);

#endif
