/* The attachments of the desired state, matched with live links.
 *
 * Takes: the desired state, the managed links and the parents. Gives: the containers' attachments
 * in the order of the input, then the host's own; the live link of each; groups of attachments that
 * share a namespace; and for each managed link the attachment that uses it or replaces it. A live
 * link belongs to at most one attachment. */
#ifndef RECONCILE_PLAN_ATTACHMENTS_H
#define RECONCILE_PLAN_ATTACHMENTS_H

#include "reconcile/plan/parents.h"

/* One link of a container's or of the host's. */
struct planned_attachment {
	size_t number; /* in attachments.planned */
	const struct set *set;
	const struct network *network;
	const struct container *container;     /* NULL: the host's own */
	const struct attachment *attachment;   /* NULL: the host's own */
	const struct container_lookup *lookup; /* NULL: the host's own */
	struct live_ns *ns;                    /* NULL: not there yet */
	const struct netns_group *netns_group; /* NULL: the host's own */
	const struct resolved_network *resolved;
	const struct parent *parent;
	const struct managed_link *managed; /* NULL: not live, or adopted */
	const struct live_link *current;    /* the live link in `ns`, ours or adopted; NULL: none */
	const struct managed_link *kept; /* of a container that is not there: the first, anywhere */
	struct check_result check_result; /* of its network, container and parent */
};

/* Those of one namespace, in the order of the input: they share its names and default route. */
struct netns_group {
	const struct planned_attachment *const *planned_all;
	size_t count;
};

struct netns_groups {
	const struct netns_group *all; /* sorted by namespace */
	size_t count;
};

/* What becomes of a managed link. */
struct managed_use {
	bool wanted; /* an attachment has it: it is no stale link */
	bool kept;   /* its container cannot be found now: it stays as it is */
	/* Of a stale link: those that may take its place, and the one that does; or NULL. */
	const struct netns_group *candidates;
	const struct planned_attachment *replacement;
};

struct attachments {
	const struct planned_attachment *planned;
	size_t count;
	size_t n_containers; /* so many are containers'; the rest are the host's own */
	struct netns_groups groups;
	const struct managed_use *uses; /* by managed_link.number */
	/* Open addressing: links that attachments adopt; NULL: there are none. */
	const struct live_link *const *adopted;
	size_t adopted_size;
};

struct attachments attachments_match(const struct plan_input *input,
				     const struct ownership *ownership,
				     const struct managed_index *managed,
				     const struct parents *parents);

/* Whether an attachment takes over the link, which has no owner tag. */
bool link_adopted(const struct attachments *attachments, const struct live_link *link);
/* Whether an attachment's link of the desired sets is one that no planned attachment wants. */
bool managed_stale(const struct plan_input *input, const struct managed_link *managed,
		   const struct managed_use *use);
/* Whether the planned attachment's address of the family (0: IPv4, 1: IPv6) is the DHCP server's to
 * choose. */
bool planned_leases(const struct planned_attachment *planned, size_t family);
/* "web/lan", "the host's own link on lan" */
const char *planned_label(const struct plan_input *input, const struct planned_attachment *planned);

/* netns_group.c */
/* Sets planned_attachment.netns_group of the first `count`. */
struct netns_groups netns_groups_find(const struct plan_input *input,
				      struct planned_attachment *planned, size_t count);
/* The attachments in the namespace, or NULL. */
const struct netns_group *netns_group_in(const struct netns_groups *groups,
					 const struct live_ns *ns);
/* Those of the container, and of others that share its namespace, or NULL. */
const struct netns_group *netns_group_of(const struct netns_groups *groups,
					 const struct container_lookup *lookup);

/* replacements.c: sets `candidates` and `replacement` of the stale links in attachments.uses. */
void replacements_find(const struct plan_input *input, const struct ownership *ownership,
		       const struct managed_index *managed, const struct attachments *attachments,
		       struct managed_use *uses);

#endif
