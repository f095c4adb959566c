/* What `status` tells, gathered from what is live: as a value, for text and JSON alike. */
#ifndef CMD_STATUS_MODEL_H
#define CMD_STATUS_MODEL_H

#include "reconcile/plan/plan.h"

/* A network, from the file if it names it, else from what is live of it. */
struct survey_network {
	const char *set, *name;
	const char *driver, *mode, *parent; /* parent NULL: none found */
	const struct subnet *subnets;
	size_t n_subnets;
	bool dhcp; /* the file says so */
};

/* A live link of mvapply's: an attachment, or the host's own way into a network. */
struct survey_link {
	const struct live_ns *ns;
	const struct live_link *link;
	const char *parent;             /* NULL: gone */
	const struct live_addr **addrs; /* but the link-local ones */
	size_t n_addrs;
	const struct live_addr *lease; /* which of them is by DHCP; NULL: none */
	struct ip gateways[2];         /* of its default routes: IPv4, IPv6 */
	const struct step *step;       /* what apply would do with it, or NULL: as declared */
};

/* A VLAN or dummy link of mvapply's. */
struct survey_parent {
	const struct live_link *link;
	const char *base; /* of a VLAN */
};

struct survey {
	struct arena *arena;
	struct survey_network *networks;
	size_t n_networks;
	struct survey_link *links;
	size_t n_links;
	struct survey_parent *parents;
	size_t n_parents;
};

/* desired without sets: whatever is live. The caller frees with survey_free; points into all three
 * arguments. */
struct survey survey_make(const struct desired *desired, const struct live *live,
			  const struct plan *plan);
void survey_free(struct survey *survey);

#endif
