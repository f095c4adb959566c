/* Waits for the addresses that the kernel makes of router advertisements (`accept_ra`). */
#ifndef RECONCILE_APPLY_ADVERTISED_H
#define RECONCILE_APPLY_ADVERTISED_H

#include "reconcile/apply/outcome.h"
#include "reconcile/plan/plan.h"

/* As long as for a DHCP server (CLIENT_LEASE_TRIES). The kernel asks for an advertisement one to
 * two seconds after a link is up (addrconf_dad_completed), and checks a new address for a second.
 */
#define ADVERTISED_MS 6000

/* Whether the run made links that take addresses from router advertisements. */
bool advertised_expected(const struct plan *plan, const struct outcome *outcomes);
/* Waits until all of them have such an address that is not tentative, and puts it into the outcome
 * of their steps; at most ADVERTISED_MS: an outcome without one gets a note. Uses the namespaces of
 * the plan. */
void advertised_await(const struct plan *plan, struct outcome *outcomes);

#endif
