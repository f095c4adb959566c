/* The value that `status` reports, as text and as JSON. */
#ifndef CMD_STATUS_MODEL_H
#define CMD_STATUS_MODEL_H

#include "reconcile/plan/plan.h"

/* A network, from the file if it declares it, otherwise from its live links. */
struct status_model_network {
	const char *set, *name;
	const char *driver, *mode, *parent; /* parent NULL: none found */
	const struct subnet *subnets;
	size_t n_subnets;
	bool dhcp, accept_ra; /* it is declared in a file */
};

/* A managed live link: an attachment, or the host's own link of a network. */
struct status_model_link {
	const struct live_ns *ns;
	const struct live_link *link;
	const char *container;          /* NULL: the host's own link */
	const char *guest;              /* what attached it, "cni"; NULL: a file declares it */
	const char *parent;             /* NULL: gone */
	const struct live_addr **addrs; /* without link-local ones */
	size_t n_addrs;
	const struct live_addr *lease; /* the one that is leased; NULL: none */
	struct ip gateways[2];         /* its default routes: IPv4, IPv6 */
	const char
		*place; /* the name of the namespace, if it may not be the container's; else NULL */
	const struct step *step; /* the planned action, or NULL: as declared */
};

/* A managed VLAN or dummy link. */
struct status_model_parent {
	const struct live_link *link;
	const char *base; /* of a VLAN */
};

struct status_model {
	struct arena *arena;
	struct status_model_network *networks;
	size_t n_networks;
	struct status_model_link *links;
	size_t n_links;
	struct status_model_parent *parents;
	size_t n_parents;
};

/* desired without sets: all live links. The caller frees with status_model_free; points into all
 * three arguments. */
struct status_model status_model_make(const struct desired *desired, const struct live *live,
				      const struct plan *plan);
void status_model_free(struct status_model *model);

#endif
