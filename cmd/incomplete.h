/* Results for a host that could not be read completely. Unread parts are unknown, so no such result
 * is a success. */
#ifndef CMD_INCOMPLETE_H
#define CMD_INCOMPLETE_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <jansson.h>

/* The exit code of a result that would have `code`: EXIT_FAILED instead of a success if the host
 * was read incompletely. Then sets *fault, unless it is set already. */
int incomplete_exit(const struct live *live, int code, struct error *fault);

/* The fault of a container that could not be read, although objects of its set may be in it. */
void incomplete_container(const struct container_lookup *lookup, struct error *fault);

/* Adds "complete", and "unseen" with a sentence for each thing that could not be read. NULL:
 * nothing could. */
void incomplete_json(json_t *document, const struct live *live);

#endif
