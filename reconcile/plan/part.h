/* The part of both states that concerns one namespace: a plan of it takes the same time with any
 * number of other attachments. Pure. */
#ifndef RECONCILE_PLAN_PART_H
#define RECONCILE_PLAN_PART_H

#include "reconcile/plan/plan.h"

/* Points into both states, which must outlive it, as must the arena. */
struct part {
	const struct desired *desired; /* all networks, and the containers in the namespace */
	const struct live *live;       /* the host's namespace and this one */
};

/* False: no container of the files is in the namespace, or its containers are not one after the
 * other in one set. */
bool part_find(const struct desired *desired, const struct live *live, const struct live_ns *ns,
	       struct arena *arena, struct part *ret);

/* After the plan of everything: records in each namespace which attachments it has, and whether
 * another namespace has one of their MACs and addresses (live_ns.attached). */
void part_remember(const struct plan *plan, const struct live *live);

/* Whether the plan of a part does what the plan of everything would do in the namespace, if
 * everything else is as a plan left it that had no step for the namespace, and that was remembered.
 * So it changes links in place, and assigns only what the files set: all other addresses, MACs and
 * names depend on what other links have. It creates a link again if that has the addresses that the
 * files set, and the MAC that the link had, and no other link had one of these. */
bool part_stands(const struct plan *plan, const struct live_ns *ns);

#endif
