/* The notices of a reconcile pass, as data. A notice that the previous pass had is not logged
 * again; sentences are not compared. Pure. */
#ifndef CMD_WATCH_NOTICES_H
#define CMD_WATCH_NOTICES_H

#include "reconcile/plan/step.h"

#include <stdbool.h>

struct notices;

struct notices *notices_new(void);
void notices_free(struct notices *notices);

/* Each adds a notice to `now`, and returns whether it is to be logged: neither `now` nor `before`
 * (NULL: none) contains it. */
bool notice_unreadable(struct notices *now, const struct notices *before,
		       const struct unreadable *unreadable);
bool notice_warning(struct notices *now, const struct notices *before,
		    const struct warning *warning);
/* By action, code and object. */
bool notice_step(struct notices *now, const struct notices *before, const struct step *step);
bool notice_guard(struct notices *now, const struct notices *before, const struct guard *guard);

#endif
