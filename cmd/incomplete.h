/* Results for a host that could not be read completely. Unread parts are unknown, so no such result
 * is a success. */
#ifndef CMD_INCOMPLETE_H
#define CMD_INCOMPLETE_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <jansson.h>

/* The exit code of a result: `code`, or EXIT_FAILED instead of a success if the host was read
 * incompletely. In that case also sets *fault, unless it is set already. */
int incomplete_exit(const struct live *live, int code, struct error *fault);

/* The fault of an unreadable container, in which objects of its set may exist. */
void incomplete_container(const struct container_lookup *lookup, struct error *fault);

/* Adds "complete", and "unseen" with a sentence for each unreadable part. NULL: there is none. */
void incomplete_json(json_t *document, const struct live *live);

#endif
