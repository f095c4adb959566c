/* Warnings about keys of the files that the running kernel ignores.
 *
 * Takes: the networks and the live links. Gives: a warning for each network whose `bcqueuelen` has
 * no effect: before 5.11 the kernel accepts the attribute of a newer one in silence
 * (macvlan_policy), and reports no value. It is known from any live macvlan: a first apply on such
 * a host cannot say so. */
#ifndef RECONCILE_PLAN_KERNEL_REPORT_H
#define RECONCILE_PLAN_KERNEL_REPORT_H

#include "reconcile/plan/parents.h"

void kernel_report(const struct plan_input *input, const struct parents *parents);

#endif
