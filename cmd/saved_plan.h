/* Saved plans: `diff --out PLAN` and `apply PLAN`. */
#ifndef CMD_SAVED_PLAN_H
#define CMD_SAVED_PLAN_H

#include "cmd/options.h"

/* Prints the same as `diff`, and saves the plan to options->out, unless it is refused. Returns the
 * exit code of `diff`, or EXIT_FAILED if it could not be written. */
int plan_save(const struct options *options);

/* Applies the plan in options->words[0], if it is still valid. Returns the exit code. */
int plan_apply(const struct options *options);

#endif
