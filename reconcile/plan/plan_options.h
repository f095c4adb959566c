/* The options of planning. */
#ifndef RECONCILE_PLAN_PLAN_OPTIONS_H
#define RECONCILE_PLAN_PLAN_OPTIONS_H

#include "reconcile/plan/refused_macs.h"

struct plan_options {
	bool adopt;     /* take over unmarked objects that conflict */
	bool unguarded; /* `delete`: as many as it takes */
	bool probe;     /* new addresses of all networks */
	/* A MAC that is chosen is none of these; NULL: none was refused. */
	const struct refused_macs *refused;
	struct {
		unsigned limit;
		bool percent;  /* of the set's live attachments */
		unsigned from; /* sets with fewer live attachments are not guarded */
	} max_delete;
};

/* The defaults: --max-delete=50%, from ten attachments on. */
extern const struct plan_options plan_options_default;

#endif
