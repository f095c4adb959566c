/* Warns about live sets that no files declare any more. */
#ifndef CMD_UNDECLARED_SET_H
#define CMD_UNDECLARED_SET_H

#include "reconcile/plan/plan.h"

/* The warning about the plan's left set. False: there is none, or a service keeps it. */
bool undeclared_set_warning(const struct plan *plan, struct warning *ret);

#endif
