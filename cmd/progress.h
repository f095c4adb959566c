/* A progress line on the terminal for work that takes longer than a second. It is erased at the
 * end. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "cmd/options.h"

#include <stdatomic.h>

struct progress;

/* Until progress_end a thread may write to stderr; no other code may. NULL: nothing is shown, as
 * stderr is not a terminal, or with -q; all functions below accept NULL. */
struct progress *progress_begin(const struct options *options);
/* "WHAT", or "WHAT: 3 of 50" where `total` is not 0. `what` is not copied. */
void progress_phase(struct progress *progress, const char *what, size_t total);
/* The counter towards the total, for any thread; NULL if nothing is shown. */
atomic_size_t *progress_counter(struct progress *progress);
/* Erases the line, and frees. */
void progress_end(struct progress *progress);

#endif
