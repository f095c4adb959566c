/* The parent of each network's attachments.
 *
 * Takes: the desired networks and the host's live links. Gives: a parent for each network, live or
 * to be created, with its specification, and whether links can be created on it. Networks with the
 * same link and VLAN share one parent, as they are one broadcast domain. */
#ifndef RECONCILE_PLAN_PARENTS_H
#define RECONCILE_PLAN_PARENTS_H

#include "reconcile/plan/managed_index.h"
#include "reconcile/plan/parent_link.h"

/* A link of the host, not created by mvapply, that networks with `manage_parent` need up and with
 * an MTU of at least theirs, or did before: kernel/parent_mark.h. */
struct requested_link {
	const struct live_link *link;
	bool needed; /* false: by no network any more */
	/* After the run: */
	bool up;
	uint32_t mtu;
	const char **altnames; /* all, with the marks */
	size_t n_altnames;
	struct check_result check_result; /* whether it is possible; if not, nothing changes */
};

/* A link of the host, a VLAN of one, or a dummy. */
struct parent {
	size_t number;         /* in parents.all; of its broadcast domain, for the address sets */
	const char *name;      /* the link's name once it exists */
	const char *base_name; /* the file's name; NULL for a dummy */
	const struct live_link *base; /* the VLAN's lower link, or the parent itself; may be NULL */
	const struct live_link *link; /* NULL: does not exist yet */
	uint16_t vlan;
	enum vlan_protocol vlan_protocol;
	uint32_t mtu;           /* bytes; 0: unknown */
	struct link_spec *make; /* a managed VLAN or dummy, live or not; NULL: unmanaged */
	struct check_result check_result;
	/* Of `base` and `link`, or NULL. */
	const struct requested_link *base_request, *link_request;
	const struct network *first; /* of its networks, in the order of the input */
};

/* A network of the input, and its parent. */
struct resolved_network {
	size_t number; /* in parents.networks */
	const struct set *set;
	const struct network *network;
	const struct parent *parent;
	struct check_result check_result;
};

struct parents {
	const struct parent *all;
	size_t count;
	const struct resolved_network *networks; /* in the order of sets and networks */
	size_t n_networks;
	const struct requested_link *requested;
	size_t n_requested;
};

struct parents parents_resolve(const struct plan_input *input, const struct managed_index *managed);

const struct resolved_network *resolved_network_of(const struct plan_input *input,
						   const struct parents *parents,
						   const struct set *set,
						   const struct network *network);
/* The parent to which the link is attached, or NULL. */
const struct parent *parent_of_link(const struct parents *parents, const struct live_link *link);
/* Whether the link is a parent of the run. */
bool parent_used(const struct parents *parents, const struct live_link *link);

/* parent_checks.c */
struct check_result parent_check_up(const struct plan_input *input, const struct parent *parent);
/* Checks the networks whose result is still ACTION_CREATE: what no request changes, or, with
 * `state`, the state of their parents. */
void parents_check(const struct plan_input *input, struct resolved_network *networks, size_t count,
		   bool state);

/* requested_links.c: those of the networks, and those with marks. */
struct requested_link *requested_links_find(const struct plan_input *input,
					    const struct resolved_network *networks,
					    size_t n_networks, size_t *ret_count);

/* vlan.c: the sets that use a VLAN link */
/* The users of a live link that are not part of this run. */
void vlan_other_sets_add(const struct plan_input *input, struct owner_tag *tag,
			 const struct live_link *link);
void vlan_sets_sort(struct owner_tag *tag);
/* Sets the owner tags of the run's VLAN links, and refuses a name that another link has. */
void vlans_tag(const struct plan_input *input, struct parent *parents, size_t count,
	       const struct resolved_network *networks, size_t n_networks);

#endif
