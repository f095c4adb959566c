/* Sets that are live, and that no files name any more, are told of. */
#ifndef CMD_LEFT_SET_H
#define CMD_LEFT_SET_H

#include "reconcile/plan/plan.h"

/* What to tell of the plan's left set; NULL: there is none, or a service keeps it. In the plan's
 * arena. */
const char *left_set_text(const struct plan *plan);
/* Adds that to the plan's warnings. */
void left_set_warn(struct plan *plan);
/* What to do about what is live of a set. In the arena. */
const char *left_set_remedy(struct arena *arena, const char *set);

#endif
