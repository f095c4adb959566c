/* A progress line on the terminal for work that takes longer than a second. It is erased at the
 * end. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "cmd/options.h"

#include <stdatomic.h>

struct progress;

/* From here to progress_end a thread may write to stderr; nobody else does. NULL: there is nothing
 * to show, as stderr is no terminal, or with -q; all below take that. */
struct progress *progress_begin(const struct options *options);
/* "WHAT", or "WHAT: 3 of 50" where `total` is not 0. `what` is not copied. */
void progress_phase(struct progress *progress, const char *what, size_t total);
/* What counts up to the total, from any thread; NULL where there is nothing to show. */
atomic_size_t *progress_counter(struct progress *progress);
/* Takes the line away, and frees. */
void progress_end(struct progress *progress);

#endif
