/* Warns about live sets that no files declare any more. */
#ifndef CMD_LEFT_SET_H
#define CMD_LEFT_SET_H

#include "reconcile/plan/plan.h"

/* The warning about the plan's left set. False: there is none, or a service keeps it. */
bool left_set_warning(const struct plan *plan, struct warning *ret);

#endif
