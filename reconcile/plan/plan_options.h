/* The options of planning. */
#ifndef RECONCILE_PLAN_PLAN_OPTIONS_H
#define RECONCILE_PLAN_PLAN_OPTIONS_H

#include "reconcile/plan/refused_macs.h"
#include "schema/model.h"

/* In namespaces that the live state lacks, or declared for containers that the desired state lacks.
 */
struct other_addresses {
	struct ip *items;
	size_t count;
};

struct plan_options {
	bool adopt;     /* take over untagged objects that conflict */
	bool unguarded; /* `delete`: no limit */
	/* `delete -f`: what its files declare; at least one object of each set has to be live.
	 * NULL: no limit. With `unguarded`. */
	const struct desired *declared;
	bool probe;    /* probe new addresses of all networks */
	bool partial;  /* the run applies some attachments alone: others keep what they have */
	bool thorough; /* warn about chosen addresses that are live, too */
	/* MACs that must not be chosen; NULL: none was refused. */
	const struct refused_macs *refused;
	const struct other_addresses *others; /* in use on each parent; NULL: none */
	struct {
		unsigned limit;
		bool percent;  /* share of the set's live attachments */
		unsigned from; /* the limit does not apply to sets with fewer live attachments */
	} max_delete;
};

/* The defaults: --max-delete=50%, from ten attachments on. */
extern const struct plan_options plan_options_default;

#endif
