/* Saved plans: `diff --out PLAN` and `apply PLAN`. */
#ifndef CMD_SAVED_PLAN_H
#define CMD_SAVED_PLAN_H

#include "cmd/options.h"

/* Shows what `diff` shows, and saves it to options->out, unless it is refused. Returns the exit
 * code of `diff`, or EXIT_FAILED where it could not be written. */
int plan_save(const struct options *options);

/* Does the plan in options->words[0], if it still holds. Returns the exit code. */
int plan_apply(const struct options *options);

#endif
