/* A set as it was found in the kernel: the model's values, and what has to be said with them. Not
 * for users of the export: that is export.h. */
#ifndef CONVERT_OBSERVED_SET_H
#define CONVERT_OBSERVED_SET_H

#include "reconcile/observe/netns_owner.h"
#include "reconcile/state/state.h"
#include "schema/model.h"

struct notes {
	const char **items;
	size_t count;
};

struct observed_network {
	struct network model;
	const struct live_link *parent; /* NULL: not found */
	struct notes notes;
};

struct observed_attachment {
	struct attachment model;
	size_t network; /* in observed_set.networks; model.network is not set */
	const struct live_ns *ns;
	const struct live_link *link;
	struct notes notes;
};

struct observed_container {
	struct container model; /* without its attachments */
	struct observed_attachment *attachments;
	size_t n_attachments;
	struct notes notes;
};

struct observed_set {
	struct arena *arena;
	const struct live *live;
	const struct origin *origins; /* of live->spaces */
	const char *name;
	bool adopting; /* links without a mark are among them */
	struct observed_network *networks;
	size_t n_networks;
	struct observed_container *containers;
	size_t n_containers;
};

__attribute__((format(printf, 3, 4))) void note_add(struct arena *arena, struct notes *notes,
						    const char *format, ...);

/* Takes in a container's link, the host's own way into a network, or a parent that nothing hangs on
 * (a VLAN, or a network's dummy), under the names given. */
void observed_attachment(struct observed_set *set, const char *network, const char *container,
			 const struct live_ns *ns, const struct live_link *link);
void observed_host(struct observed_set *set, const char *network, const struct live_link *link);
void observed_parent(struct observed_set *set, const char *network, const struct live_link *link);
/* The routes of the link: after all links of the set, whose addresses make the subnets. */
void observed_routes(struct observed_set *set, struct observed_attachment *attachment);
/* The sysctls of the link, if they were read, that differ from what the same declaration would give
 * a new link in its namespace. */
void observed_sysctls(struct observed_set *set, struct observed_attachment *attachment);
/* Whether a network hangs on this link of the host. */
bool observed_on(const struct observed_set *set, const struct live_link *parent);

/* When all is taken in: puts it in order, and settles what depends on several links. */
void observed_finish(struct observed_set *set);

#endif
