/* Warnings about keys of the files that the running kernel ignores.
 *
 * Takes: the networks and the live links. Gives: a warning for each network whose `bcqueuelen` or
 * `bclim` has no effect: the kernel accepts the attribute of a newer one in silence
 * (macvlan_policy). Before 5.11 it reports no bcqueuelen: it is known from any live macvlan, and a
 * first apply on such a host cannot say so. For bclim (6.4) the kernel itself is probed
 * (feature_bclim). */
#ifndef RECONCILE_PLAN_KERNEL_REPORT_H
#define RECONCILE_PLAN_KERNEL_REPORT_H

#include "reconcile/plan/parents.h"

void kernel_report(const struct plan_input *input, const struct parents *parents);

#endif
