/* The attachments of the desired state, matched with live links.
 *
 * Takes: the desired state, the managed links and the parents. Gives: the containers' attachments
 * in the order of the input, then the host's own; the live link of each; groups of attachments that
 * share a namespace; and for each managed link the attachment that uses it or replaces it. A live
 * link belongs to at most one attachment. */
#ifndef RECONCILE_PLAN_ATTACHMENTS_H
#define RECONCILE_PLAN_ATTACHMENTS_H

#include "reconcile/plan/parents.h"

/* An address that an attachment needs. */
struct address_request {
	/* Where it is allocated: in this prefix; with length 0, in any subnet of the family. */
	struct prefix within;
	bool fixed; /* it is the address of `within`, which the file sets */
	bool lease; /* the DHCP server allocates it */
};

/* A link of a container, or the host's own link. */
struct planned_attachment {
	unsigned number; /* in attachments.planned */
	unsigned n_requests;
	const struct set *set;
	const struct network *network;
	const struct container *container;     /* NULL: the host's own */
	const struct attachment *attachment;   /* NULL: the host's own */
	const struct container_lookup *lookup; /* NULL: the host's own */
	struct live_ns *ns;                    /* NULL: the container has no namespace yet */
	const struct netns_group *netns_group; /* NULL: the host's own */
	const struct resolved_network *resolved;
	const struct parent *parent;
	const struct address_request
		*requests;                  /* the first one of a family is the primary address */
	const struct managed_link *managed; /* NULL: not live, or adopted */
	const struct live_link *current; /* the live link in `ns`, managed or adopted; NULL: none */
	const struct managed_link *kept; /* of a container without a namespace: the first link with
					    its tag, in any namespace */
	struct check_result check_result; /* hash of its network, container and parent */
};

/* The attachments of one namespace, in the order of the input: they share link names and the
 * default route. */
struct netns_group {
	const struct planned_attachment *const *planned_all;
	size_t count;
};

struct netns_groups {
	const struct netns_group *all; /* sorted by namespace */
	size_t count;
};

/* The use of a managed link. */
struct managed_use {
	bool used; /* an attachment uses it: it is not stale */
	bool kept; /* its container cannot be found now: it is left unchanged */
	/* Of a stale link: the possible replacements, and the selected one; or NULL. */
	const struct netns_group *candidates;
	const struct planned_attachment *replacement;
};

struct attachments {
	const struct planned_attachment *planned;
	size_t count;
	size_t n_containers; /* the number of containers' attachments; the rest are the host's own
			      */
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

/* The role and the owner tag of its link. */
enum role planned_role(const struct planned_attachment *planned);
struct owner_tag planned_tag(const struct planned_attachment *planned);
/* Whether an attachment adopts the link, which has no owner tag. */
bool link_adopted(const struct attachments *attachments, const struct live_link *link);
/* Whether the link belongs to an attachment of the desired sets, and no planned attachment uses
 * it. */
bool managed_stale(const struct plan_input *input, const struct managed_link *managed,
		   const struct managed_use *use);
/* Whether it has addresses by router advertisements (`accept_ra`). */
bool planned_accepts_ra(const struct planned_attachment *planned);
/* Whether the DHCP server chooses the planned attachment's IPv4 address. */
bool planned_leases(const struct planned_attachment *planned);
/* "web/lan", "the host's own link on lan" */
const char *planned_label(const struct plan_input *input, const struct planned_attachment *planned);

/* netns_group.c */
/* Sets planned_attachment.netns_group of the first `count`. */
struct netns_groups netns_groups_find(const struct plan_input *input,
				      struct planned_attachment *planned, size_t count);
/* The attachments in the namespace, or NULL. */
const struct netns_group *netns_group_in(const struct netns_groups *groups,
					 const struct live_ns *ns);
/* The attachments of the container and of others that share its namespace, or NULL. */
const struct netns_group *netns_group_of(const struct netns_groups *groups,
					 const struct container_lookup *lookup);

/* replacements.c: sets `candidates` and `replacement` of the stale links in attachments.uses. */
void replacements_find(const struct plan_input *input, const struct ownership *ownership,
		       const struct managed_index *managed, const struct attachments *attachments,
		       struct managed_use *uses);

#endif
