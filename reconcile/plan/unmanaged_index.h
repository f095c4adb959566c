/* The links on the run's parents that the run does not manage, with their addresses and MACs.
 *
 * Takes: the live state, and which links are managed. Gives: the other links, the kinds of links
 * that a parent excludes, and the holder of an address or MAC. Links in the host's own namespace
 * are facts. Links in other namespaces are claims, which anybody who controls a namespace can make
 * (ownership.h): a claimed address or MAC is not chosen for a new link, but nothing live is changed
 * because of it. */
#ifndef RECONCILE_PLAN_UNMANAGED_INDEX_H
#define RECONCILE_PLAN_UNMANAGED_INDEX_H

#include "kernel/link_kind.h"
#include "reconcile/plan/address_set.h"
#include "reconcile/plan/assigned_address.h"

/* A remaining live macvlan or ipvlan on a parent that the run does not manage; or a managed one
 * with addresses that its attachment does not keep. */
struct unmanaged {
	const struct parent *parent;
	const struct live_ns *ns;
	const struct live_link *link;
	/* The attachment whose link has other addresses; or NULL. */
	const struct planned_attachment *planned;
	/* The same for addresses with mvapply's protocol, which are removed from the link, for a
	 * planned attachment. */
	const struct unmanaged *managed;
	/* The managed link is deleted, but may have to stay or be restored: only its replacement
	 * may use its name, MAC and addresses; or NULL. */
	const struct managed_link *leaving;
};

/* Of a parent: the first link with each driver's receive handler, and the first passthru link. */
struct parent_users {
	const struct unmanaged *of_handler[N_DRIVERS], *passthru;
};

struct parent_ports {
	bool occupied; /* links with a receive handler are live on it, managed or not */
	bool shared;   /* one of them belongs to none of the desired sets */
	struct parent_users facts, claims;
};

struct unmanaged_index {
	const struct unmanaged *links;
	size_t count;
	const struct parent_ports *ports;    /* by parent.number */
	const struct address_set *addresses; /* by facts: struct unmanaged */
	const struct address_set *claims;    /* by claims: struct unmanaged */
	const struct address_set *macs;      /* by both: struct unmanaged */
	const struct address_set *passing;   /* MACs of live managed links: struct managed_link */
};

/* The results of the phases so far. */
struct matched {
	const struct plan_input *input;
	const struct ownership *ownership;
	const struct managed_index *managed;
	const struct parents *parents;
	const struct attachments *attachments;
};

struct unmanaged_index unmanaged_find(const struct matched *matched);

/* Whether the run leaves the link alone: it belongs to none of the desired sets; or it is a
 * guest's, or one that another run deletes. */
bool link_unmanaged(const struct matched *matched, const struct live_link *link);
/* Whether it is the link of a container that is not running, in a namespace that another container
 * shared; `link` may be NULL. */
bool link_kept(const struct matched *matched, const struct live_link *link);
/* Whether the plan deletes the managed link, as no attachment uses it; NULL is allowed. */
bool link_leaves(const struct matched *matched, const struct live_link *link);
bool is_passthru(const struct live_link *link);
/* "z0 in evil", "eth0 in web (web/lan of set "a")", or the parent's name. */
const char *unmanaged_label(const struct plan_input *input, const struct unmanaged *unmanaged);

/* Records that the link has its MAC on its parent. */
void mac_hold(struct address_set *macs, const struct unmanaged *unmanaged);
/* Another link with the MAC on the attachment's parent, or NULL. `held`: more MACs, of managed
 * links that stay unchanged; or NULL. */
const struct unmanaged *mac_holder(const struct unmanaged_index *unmanaged,
				   const struct address_set *kept_macs,
				   const struct planned_attachment *planned, const struct mac *mac);
/* The managed link that currently has the MAC on the attachment's parent, or NULL. */
const struct managed_link *mac_passing(const struct unmanaged_index *unmanaged,
				       const struct planned_attachment *planned,
				       const struct mac *mac);
/* The address of each family that an attachment keeps; or family 0. */
typedef const struct assigned_address *kept_addresses(const void *data,
						      const struct planned_attachment *planned);
/* The claims of attachments' links for addresses that they do not keep, and of links that are
 * deleted: struct unmanaged. A container can give its link any address. */
const struct address_set *attachment_claims(const struct matched *matched, kept_addresses *kept,
					    const void *data);
/* Whether mvapply manages an address of the link. */
bool addr_is_managed(const struct live *live, const struct live_link *link,
		     const struct live_addr *addr);

#endif
