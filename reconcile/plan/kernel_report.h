/* Warnings about keys of the files that the running kernel ignores.
 *
 * Takes: the networks, and what the kernel lacks (`lacks` of struct live). Gives: a warning for
 * each network whose `bcqueuelen` or `bclim` has no effect: the kernel accepts the attribute of a
 * newer one in silence (macvlan_policy). */
#ifndef RECONCILE_PLAN_KERNEL_REPORT_H
#define RECONCILE_PLAN_KERNEL_REPORT_H

#include "reconcile/plan/parents.h"

void kernel_report(const struct plan_input *input, const struct parents *parents);

#endif
