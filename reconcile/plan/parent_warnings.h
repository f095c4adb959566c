/* Warnings of parents that exist and pass no traffic. */
#ifndef RECONCILE_PLAN_PARENT_WARNINGS_H
#define RECONCILE_PLAN_PARENT_WARNINGS_H

#include "reconcile/plan/parents.h"

void parents_warn(const struct plan_input *input, const struct parents *parents);

#endif
