/* What the parts of the planner share. Not for users of the plan: that is plan.h.
 *
 * plan_make works in this order: index the live links with an owner tag (ownership, managed_index),
 * find each network's parent (parent), match attachments with live links (attachment), choose
 * addresses, names and MACs (ipam, naming), specify each link (link_spec), find conflicts
 * (conflict), compare with the live links (diff), order the steps (order).
 */
#ifndef RECONCILE_PLAN_INTERNAL_H
#define RECONCILE_PLAN_INTERNAL_H

#include "reconcile/plan/address_set.h"
#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/step.h"

/* Whether something can be done; if not, what the step says instead. */
struct check_result {
	enum action action; /* ACTION_CREATE: it can */
	enum code code;
	const char *reason, *hint;
};

/* Where a marked link is, compared with what its mark says. Only a link in the host's own
 * namespace, or in that of the container that it names, is believed; any other is a claim of
 * whoever has the namespace, and good for deletion alone: nothing is inherited from it. */
enum placement {
	PLACEMENT_OWN,     /* where it belongs */
	PLACEMENT_UNKNOWN, /* the files do not name the container, or it cannot be found now */
	PLACEMENT_STRAY,   /* in a namespace that is not that container's */
};

/* A container of the desired state. */
struct declared {
	const char *set;
	const struct container_lookup *target;
};

/* A live link with a mark, in the host's namespace or with its parent there; or in the namespace of
 * its container, with a parent that was moved away. */
struct managed_link {
	struct live_ns *ns;
	const struct live_link *link;
	uint64_t hash; /* of its mark */
	uint32_t next; /* of the same hash: index + 1 */
	enum placement placement;
	bool wanted; /* the desired state has it: it is no stale link */
	bool kept;   /* its container cannot be found now: it stays as it is */
	bool leaves; /* it is deleted, for good or to be made anew */
	/* Of one that no planned attachment wants: those that may take its place, and the one that
	 * does; or NULL. */
	const struct netns_group *candidates;
	struct planned_attachment *replacement;
};

/* A live macvlan or ipvlan on a parent that is not to be one of the run's, and will stay. */
struct unmanaged {
	const struct parent *parent;
	const struct live_ns *ns;
	const struct live_link *link;
	const struct planned_attachment
		*planned; /* whose link it is, of which other addresses are meant; or NULL */
	/* The same, of addresses with our protocol, which are taken from the link; with a planned
	 * attachment. */
	const struct unmanaged *ours;
	/* The link is of ours, and leaves: what it has is left alone by all but those that may take
	 * its place, as it may have to stay, or to be put back; or NULL. */
	const struct managed_link *leaving;
};

/* Of a parent: the first that excludes links of a kind, by whether it is the host's own. */
struct parent_users {
	const struct unmanaged *macvlan, *ipvlan, *passthru;
};

/* What attachments hang on: a link of the host, a VLAN of one, or a dummy. One broadcast domain. */
struct parent {
	const char *name;      /* the link's, once it is there */
	const char *base_name; /* as the file has it; NULL for a dummy */
	const struct live_link
		*base; /* the link that the VLAN is on, or the parent itself; may be NULL */
	const struct live_link *link; /* NULL: not there yet */
	uint16_t vlan;
	enum vlan_protocol vlan_protocol;
	size_t domain; /* its index in planner.parents: its number for the address sets */
	bool occupied; /* macvlans or ipvlans are live on it, anybody's */
	struct parent_users facts,
		claims;         /* of foreign links in the host's namespace, and elsewhere */
	uint32_t mtu;           /* bytes; 0: unknown */
	struct link_spec *make; /* a VLAN or dummy of ours, live or not; NULL: not ours */
	struct check_result check_result;
};

/* A network of the input, and where it is. */
struct net {
	const struct set *set;
	const struct network *network;
	struct parent *parent;
	size_t domain; /* its parent's, for the address sets */
	struct check_result check_result;
	/* For each subnet: no address below is free, and below the other none that is claimed
	 * alone; family 0: not looked yet. */
	struct ip *cursors, *claimed_cursors;
};

/* One link of a container's or of the host's that the desired state asks for. */
struct planned_attachment {
	const struct set *set;
	const struct network *network;
	const struct container *container;     /* NULL: the host's own */
	const struct attachment *attachment;   /* NULL: the host's own */
	const struct container_lookup *target; /* NULL: the host's own */
	struct live_ns *ns;                    /* NULL: not there yet */
	const struct netns_group *netns_group; /* NULL: the host's own */
	struct net *net;
	struct parent *parent;
	struct managed_link *managed;    /* NULL: not live, or adopted */
	const struct live_link *current; /* the live link in `ns`, ours or adopted; NULL: none */
	const struct managed_link *kept; /* of a container that is not there: the first, anywhere */
	struct ip ip[2];                 /* IPv4, IPv6 */
	const struct live_addr *lease;   /* where IPv4 is by DHCP; NULL: there is none yet */
	const char *name;
	struct mac mac;
	struct check_result check_result;
	struct link_spec *desired;
	bool replaces; /* an attachment that leaves */
};

/* Of one namespace, in the order of the input: what gets its default route, and its names. */
struct netns_group {
	struct planned_attachment **planned_all;
	size_t count;
};

struct planner {
	struct arena *arena;   /* of what the plan points to */
	struct arena *scratch; /* of what ends with the planning */
	const struct desired *desired;
	const struct live *live;
	const struct plan_options *options;
	struct plan *plan;
	struct managed_link *managed; /* in the order of namespaces and links */
	size_t n_managed;
	/* Open addressing, by mark and by link: index into `managed` + 1. */
	uint32_t *managed_marks, *managed_links;
	size_t managed_table_size;
	struct declared *declared; /* sorted by set and container */
	size_t n_declared;
	struct live_ns **homes; /* the namespaces of containers that are there, sorted */
	size_t n_homes;
	struct parent **parents;
	size_t n_parents;
	struct net *nets; /* in the order of sets and networks */
	size_t n_nets;
	struct planned_attachment
		*planned_all; /* attachments in the order of the input, then the host's own */
	size_t n_planned, n_attachments;
	/* Open addressing: links that attachments adopt; NULL: there are none. */
	const struct live_link **adopted;
	size_t adopted_size;
	struct netns_group *netns_group; /* of all attachments */
	size_t n_netns_groups;
	struct unmanaged *unmanaged;
	size_t n_unmanaged;
	struct address_set *in_use; /* by the desired state: struct planned_attachment */
	struct address_set *unmanaged_addresses; /* by what is live in the host's namespace and not
						    ours: its name */
	struct address_set *keepers; /* by live attachments: whose it is, struct keeper of ipam.c */
	struct address_set *claims;  /* by links outside the host's namespace: struct unmanaged */
	struct address_set *macs;    /* by what is live and not ours: struct unmanaged */
	struct address_set
		*passing; /* MACs that live links of ours have now: struct managed_link */
	struct address_set *reached; /* from the host: through which network, by name */
};

/* ownership.c */
void placements_index(struct planner *planner);
/* Whether a container of the desired state is in the namespace. */
bool is_home(const struct planner *planner, const struct live_ns *ns);
enum placement placement_of(const struct planner *planner, const struct live_ns *ns,
			    const struct owner_tag *mark);
/* Whether the host knows the namespace of an attachment by the name of the container that the mark
 * names, or as one of an engine's or of a container's of before. */
bool was_home(const struct managed_link *managed);
/* Whether an attachment is where its mark says, as far as the host can tell: in the namespace of a
 * container that is or was declared, in one that the host knows by the container's name, or in one
 * of an engine's, which has no such name. */
bool is_evident(const struct managed_link *managed);
/* The container of the desired state that the mark names, or NULL. */
const struct container_lookup *declared_find(const struct planner *planner,
					     const struct owner_tag *mark);
/* Where a link is that is not in the namespace which its mark speaks of; NULL: it is. *ret_stray:
 * the files name that container, or nobody can say whose the link is. */
const char *deletion_reason(struct planner *planner, const struct managed_link *managed,
			    bool *ret_stray);

/* managed_index.c */
void managed_index(struct planner *planner);
/* The first with the mark in that namespace, or NULL. */
struct managed_link *managed_find(const struct planner *planner, const struct owner_tag *mark,
				  const struct live_ns *ns);
/* Keeps all with the mark, wherever they are; gives the first, or NULL. */
struct managed_link *managed_keep(const struct planner *planner, const struct owner_tag *mark);
/* Whether the link has an address in a subnet of the network. */
bool managed_in_subnet(const struct managed_link *managed, const struct network *network);
struct managed_link *managed_of_link(const struct planner *planner, const struct live_link *link);
/* For qsort, of pointers: by mark. */
int managed_compare(const void *a, const void *b);
const struct set *desired_set(const struct planner *planner, const char *name);

/* parent.c */
void nets_resolve(struct planner *planner);
struct net *net_of(const struct planner *planner, const struct set *set,
		   const struct network *network);
struct check_result parent_check_up(struct planner *planner, const struct parent *parent);
void nets_report(struct planner *planner);
void parents_plan(struct planner *planner); /* after everything that leaves is known */

/* vlan.c */
const struct live_link *vlan_live(const struct live_ns *host, const struct live_link *base,
				  uint16_t vlan, enum vlan_protocol protocol);
void vlans_mark(struct planner *planner);
/* The VLAN links and dummies of ours that no network uses any more: deleted, or kept while a link
 * hangs on them that stays. */
void parents_prune(struct planner *planner);
typedef bool link_leaves(const void *data, const struct live_link *link);
/* A link that hangs on `parent`, of the host's, and stays, as "NAME in NAMESPACE", or NULL. */
const char *parent_user(const struct planner *planner, const struct live_link *parent,
			link_leaves *goes, const void *data);

/* attachment.c */
void attachments_match(struct planner *planner);
/* Whether an attachment takes over the link, which has no mark. */
bool link_adopted(const struct planner *planner, const struct live_link *link);
/* Whether the planned attachment's address of the family (0: IPv4, 1: IPv6) is the DHCP server's to
 * choose. */
bool planned_leases(const struct planned_attachment *planned, size_t family);

/* netns_group.c */
void netns_groups_find(struct planner *planner);
/* The attachments in the namespace, or NULL. */
const struct netns_group *netns_group_in(const struct planner *planner, const struct live_ns *ns);
/* Those of the container, and of others that share its namespace, or NULL. */
const struct netns_group *netns_group_of(const struct planner *planner,
					 const struct container_lookup *target);
/* Whether another container's attachment wants a route to the same destination. */
struct check_result netns_groups_check_routes(struct planner *planner,
					      const struct planned_attachment *planned);

/* duplicates.c */
struct check_result check_twice(struct planner *planner, const struct planned_attachment *planned);

/* left_set.c */
void left_set_find(struct planner *planner);

/* replacements.c: before addresses are chosen, and after the links are specified */
void replacements_candidates(struct planner *planner);
void replacements_find(struct planner *planner);
void replacements_number(struct plan *plan);

/* conflict.c: what is live on the parents */
void unmanaged_index(struct planner *planner);
/* The parent that the link is on, or NULL. */
struct parent *parent_of_link(const struct planner *planner, const struct live_link *link);
/* Whether the link is nobody's of the desired sets. */
bool link_unmanaged(const struct planner *planner, const struct live_link *link);
void conflicts_find(struct planner *planner);
/* A conflict on the host refuses the whole run. One in another namespace, where a container can
 * have made it, blocks this attachment alone. */
struct check_result conflict_denied(const struct live_ns *where, enum code code, const char *reason,
				    const char *hint);
/* Blocked, as the link, which stays as it is, has `what`. */
struct check_result conflict_held(const struct planner *planner, const struct live_ns *ns,
				  const struct live_link *link, const char *what);
/* Whether it is the link of a container that is not there, in a namespace that it shared with
 * another one. */
bool conflict_is_kept(const struct planner *planner, const struct live_link *link);

/* conflict_routes.c */
struct check_result conflict_check_routes(struct planner *planner,
					  const struct planned_attachment *planned);
/* Whether the link of `other` has a route that `planned` wants. */
bool conflict_holds_route(const struct planned_attachment *planned,
			  const struct planned_attachment *other);

/* addresses_in_use.c: addresses and MACs of links that mvapply has not made, or not there */
void claims_index(struct planner *planner);
/* Those that attachments have besides what they keep: a container can give its link any. */
void claims_of_attachments(struct planner *planner);
/* Who claims the planned attachment's address of that family, or the MAC, on its parent; NULL:
 * nobody else. */
const struct unmanaged *address_claimant(const struct planner *planner,
					 const struct planned_attachment *planned,
					 const struct ip *ip);
const struct unmanaged *mac_holder(const struct planner *planner,
				   const struct planned_attachment *planned, const struct mac *mac);
/* The link of ours that has the MAC on the planned attachment's parent now, or NULL. */
const struct managed_link *mac_passing(const struct planner *planner,
				       const struct planned_attachment *planned,
				       const struct mac *mac);
/* From now on the link has its MAC on its parent. */
void mac_hold(struct planner *planner, const struct unmanaged *unmanaged);
const char *unmanaged_label(struct planner *planner, const struct unmanaged *unmanaged);
/* Warnings about claims that are left aside: one for each namespace. */
void claims_report(struct planner *planner);

/* ipam.c */
/* Whether an address of the link is mvapply's. */
bool addr_is_ours(const struct planner *planner, const struct live_link *link,
		  const struct live_addr *addr);
void addresses_choose(struct planner *planner);
/* "web/lan", "the host's own link on lan" */
const char *planned_label(struct planner *planner, const struct planned_attachment *planned);

/* naming.c */
void names_choose(struct planner *planner);
void macs_choose(struct planner *planner);
/* Whether the planned attachment's live link has a MAC that comes of the address. */
bool mac_is_of_address(const struct planner *planner, const struct planned_attachment *planned,
		       const struct ip *ip);
/* Whether the planned attachment's live link has the MAC, and is up: no other on the parent that
 * has it can come up (macvlan_addr_busy). */
bool mac_is_live(const struct planned_attachment *planned, const struct mac *mac);
/* Chooses again for those whose chosen MAC one of these has, which stay as they are. */
void macs_yield(struct planner *planner, const struct planned_attachment *const *holders,
		size_t count);
/* "PREFIX-NAME", with "SET." before the name for any but the default set, if that fits an interface
 * name; else PREFIX and a hash of set and name. */
const char *derived_name(struct arena *arena, const char *prefix, const char *set,
			 const char *name);

/* link_spec.c */
void link_specs_make(struct planner *planner);
void host_routes_specify(struct planner *planner); /* after it is known which attachments can be */

/* diff.c: the changes from step->current to step->desired, which may be none. True if all of them
 * can be made in place. */
bool compare(const struct planner *planner, struct step *step);
struct change *change_add(const struct planner *planner, struct step *step, enum field field,
			  const char *from, const char *to);

/* guard.c: refuses a plan that would delete too many attachments of a set */
void guard(struct planner *planner);

/* plan.c */
/* Whether a link is of the desired sets, and no planned attachment wants it. */
bool managed_stale(const struct planner *planner, const struct managed_link *managed);
struct step *step_add(struct planner *planner, enum action action, const struct owner_tag *mark);
/* A step that makes `desired` from `current`, or none if they are the same already. */
void step_diff(struct planner *planner, struct step step);
__attribute__((format(printf, 2, 3))) void warning_add(struct planner *planner, const char *format,
						       ...);

/* order.c */
void steps_order(struct planner *planner);

/* swap_cycles.c: orders steps that change links in place, and sets their `detour`. */
void swap_cycles_break(struct planner *planner, struct step *steps, size_t count);

#endif
