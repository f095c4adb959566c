/* Declarations shared by the files of reconcile/apply/. Users include apply.h. */
#ifndef RECONCILE_APPLY_INTERNAL_H
#define RECONCILE_APPLY_INTERNAL_H

#include "kernel/netlink.h"
#include "kernel/packet_close.h"
#include "kernel/rtnl_encode.h"
#include "reconcile/apply/outcome.h"
#include "reconcile/plan/dhcp.h"
#include "reconcile/plan/stages.h"

#include <pthread.h>
#include <stdatomic.h>

struct dhcp_broker;

/* A parent that this run created. */
struct made {
	size_t step; /* the step that creates it */
	int ifindex;
	const char *name; /* its final name */
	bool temporary;   /* its current name is a temporary one */
	bool unused;      /* no link was created on it: it is deleted again */
};

struct apply_context {
	const struct plan *plan;
	struct selection selection; /* steps that are neither done yet nor left out */
	struct stages stages;       /* all steps of this run */
	const struct live *live;
	struct outcome *outcomes; /* an element for each step of the plan */
	struct live_ns *host;
	struct leases leases;   /* an element for each step of the plan */
	bool keep_leases;       /* apply_options.keep_leases */
	bool keep_name_servers; /* apply_options.keep_name_servers */
	bool silent;            /* apply_options.silent */
	bool handed_over;       /* apply_options.handed_over */
	bool fresh;             /* apply_options.fresh, and nothing precedes the deletions */
	struct dhcp_broker *broker;
	atomic_size_t *done;      /* or NULL */
	pthread_mutex_t changing; /* group_send */
	/* Guards the members up to `moved`, and the socket of the host's namespace, where threads
	 * create links. */
	pthread_mutex_t mutex;
	int next_ifindex; /* next candidate, see ifindex_choose */
	int announcer;    /* result of announce_open in the host's namespace; -1: not opened yet */
	struct packet_sockets used_sockets; /* of announcements in other namespaces */
	struct index *moved;                /* neighbors_note; NULL: none */
	atomic_bool create_then_move; /* the kernel cannot create a link in another namespace */
	size_t n_creates, n_changes;  /* of links */
	struct arena *arena;
	const struct snapshot *
		*others; /* by step: routes that the kernel may flush with a change; or NULL */
	const struct snapshot **sourced; /* by step: routes of other links from its addresses; NULL:
					    none */
	bool *deleted;                   /* by step: its live link was deleted by this run */
	bool *back;                      /* by step: and was restored */
	struct made *made;
	size_t n_made;
};

/* The operation and its link, for error messages. */
struct operation_context {
	enum operation_type type;
	const char *link;
	const struct live_ns *ns;
	enum link_kind kind;
	const char *parent;                 /* name, or NULL */
	char detail[POLICY_RULE_TEXT_SIZE]; /* an address, a route, a value; or "" */
};

size_t step_number(const struct apply_context *context, const struct step *step);
/* Whether the step is selected and not done yet. */
bool step_selected(const struct apply_context *context, const struct step *step);
/* The same, of a step that creates a link. */
bool step_creates(const struct apply_context *context, const struct step *step);

/* Counts finished steps. */
void steps_count(const struct apply_context *context, size_t count);

/* Records a failure, unless the step has an earlier one. */
void outcome_fail(struct outcome *outcome, const struct error *error);
/* "cannot DO DETAIL of LINK in namespace NS: ERRNO: TEXT", with a hint. */
void outcome_refused(struct outcome *outcome, const struct operation_context *operation_at,
		     const struct reply *reply);
/* The same for a failure before a message was sent. */
void outcome_broke(struct outcome *outcome, const struct operation_context *operation_at,
		   const struct error *error);

struct operation_context operation_of(enum operation_type type, const struct live_ns *ns,
				      const struct link_spec *spec);
/* The same, with the detail of the operation. */
struct operation_context operation_context_of(const struct operation *operation,
					      const struct live_ns *ns,
					      const struct link_spec *spec);
void operation_prefix(struct operation_context *operation_at, const struct prefix *prefix);
void operation_route(struct operation_context *operation_at, const struct link_route *route);

/* The socket in the namespace; opens it if necessary. */
struct netlink *ns_socket(const struct apply_context *context, struct live_ns *ns,
			  struct error *error);
/* Adds the request, or its failure if it could not be encoded. */
void queue(struct batch *batch, bool encoded, const union message *message, bool together);
/* The same for an operation that is one message, on an existing link. */
void queue_operation(struct batch *batch, const struct operation *operation,
		     const struct link_spec *spec, int ifindex);

/* Whether the operation sets an attribute or a flag of a link that is there. */
bool operation_sets(const struct operation *operation);
/* Several of those as one message. */
void queue_settings(struct batch *batch, const struct operation *operations, size_t count,
		    const struct link_spec *spec, int ifindex, bool together);

/* An ifindex that is free in the host's namespace and in the link's own: the link's requested one,
 * if that is free. */
int ifindex_choose(struct apply_context *context, const struct link_spec *spec);
/* The thread is in the link's namespace. */
int sysctl_put(const struct link_sysctl *sysctl, const char *name, struct error *error);

/* link_create.c: the ifindex of the link with that name. */
int link_index_find(struct netlink *netlink, const char *name, int *ret, struct error *error);

/* delete.c: STAGE_DELETE, STAGE_PARENT_DELETE, STAGE_PARENT_DELETE_LATE. A parent is kept if a link
 * on it was not deleted. */
void deletes_do(struct apply_context *context, enum stage stage);
/* Deletes all links on parents that are deleted, in one message. Failures are left to
 * deletes_do. */
void parents_with_children_do(struct apply_context *context);
/* Whether this run deleted the link. */
bool link_deleted(const struct apply_context *context, const struct live_link *link);

/* parent_users.c: observes again which links are on the parents to delete, early or late, and keeps
 * parents with a link that this run does not delete. Without the second observation if the first
 * one is fresh, and the host's links have no more links on them than are known. */
void parents_in_use_keep(struct apply_context *context, enum stage stage);

/* parents.c */
void parents_create(struct apply_context *context);
/* STAGE_PARENT_REQUESTED, STAGE_PARENT_RELEASED: other programs' links. One is not released if a
 * link on it was not deleted. */
void requested_do(struct apply_context *context, enum stage stage);
/* Defers steps that depend on steps which are not done. */
void steps_defer(struct apply_context *context);
/* The ifindex of the parent with that name that this run created; 0: none. */
int made_parent(const struct apply_context *context, const char *name);
/* The probes are done: finds the parents that were created only for probing, and that are deleted
 * again. */
void unused_find(struct apply_context *context);
void unused_parents_delete(struct apply_context *context);
void parents_rename(struct apply_context *context);

/* restore_replaced.c: restores links that were deleted for a replacement that then could not be
 * created. */
void replaced_note(struct apply_context *context);
void replaced_put_back(struct apply_context *context);

/* sourced_routes.c: keeps routes of other links, from addresses of the links that a run changes or
 * replaces, which the kernel flushes with an address. */
void sourced_note(struct apply_context *context);
void sourced_put_back(struct apply_context *context);

/* reconcile/probe/probe_apply.c: probes the addresses of the steps; a step with a conflict fails.
 */
void probes_send(struct apply_context *context);

/* Replaces the note. */
__attribute__((format(printf, 2, 3))) void outcome_note(struct outcome *outcome, const char *format,
							...);
/* Defers the step, for the reason in the note, unless it has failed. */
__attribute__((format(printf, 2, 3))) void outcome_defer(struct outcome *outcome,
							 const char *format, ...);

/* name_servers.c: the files of `resolv_conf`. */
void name_servers_write(struct apply_context *context, size_t number, const struct lease *lease);
void name_servers_remove(const struct apply_context *context);

/* dhcp_lease.c: requests and renews the leases of the steps whose links exist, and releases those
 * that end. */
void leases_do(struct apply_context *context);
void releases_do(struct apply_context *context);
/* Requests the lease again that releases_do released, for the link of a step that is restored as
 * specified. Returns NULL if the link has a lease, or never had one; otherwise the reason, in the
 * context's arena. */
const char *lease_regain(struct apply_context *context, const struct step *step,
			 struct link_spec *spec);

/* additions.c: creates links and adds to changed ones. */
void additions_do(struct apply_context *context);
/* create.c: creates the links of steps[from..end), all of one namespace. */
void creates_do(struct apply_context *context, const struct stage_item *items, size_t count);
/* Creates one link, with that ifindex if possible. Returns its ifindex, or 0: the outcome has
 * failed. */
int create_one(struct apply_context *context, const struct link_spec *spec, int ifindex,
	       struct outcome *outcome);
/* announce.c: whether the link answers ARP and neighbour discovery for its addresses. */
bool link_announces(const struct link_spec *spec);
/* Addresses of a link that the LAN has to hear of. */
struct announcement {
	const struct link_spec *spec;
	int ifindex;
	const struct prefix *addrs; /* some of spec->addrs */
	size_t n_addrs;
};
/* Of all its addresses. */
struct announcement announcement_of(const struct link_spec *spec, int ifindex);
/* Queues announcements of the IPv4 addresses that the kernel announces itself: ARP requests with
 * the address as sender and target (RFC 5227 2.3). Their results are ignored. */
void queue_announcements(struct batch *batch, const struct announcement *announcement);
/* Announces the other addresses by a packet socket, which is added to `used`. The thread is in the
 * link's namespace. */
void announce_rest(struct packet_sockets *used, const struct announcement *announcement);
/* Both, through the link itself: links on the same parent receive it, too. The thread and the
 * socket are in its namespace. */
void announce_in_netns(struct packet_sockets *used, struct netlink *netlink,
		       const struct announcement *announcement);
/* Whether that number of links is announced through their parents: on the wire that is the same. A
 * link that announces itself reaches all others on the parent, and a thousand links would cause a
 * million deliveries. Not while a namespace is unreadable, as its neighbour entries cannot be
 * deleted (neighbors.c). */
bool announces_via_parent(const struct apply_context *context, size_t count);
/* Announces the link through its parent, an ifindex of the host: links on the parent do not receive
 * it. */
void announce_via_parent(struct apply_context *context, int parent,
			 const struct announcement *announcement);
/* neighbors.c: records that the addresses, announced via the parent, may be in neighbour entries of
 * links on that parent, with another MAC. */
void neighbors_note(struct apply_context *context, const struct announcement *announcement);
/* Deletes those entries. */
void neighbors_forget(struct apply_context *context);

/* promote_secondaries.c: removes IPv4 addresses of the link with promote_secondaries set: if the
 * first of a subnet is removed, the kernel promotes the next one, instead of removing the whole
 * subnet (__inet_del_ifa). If /proc/sys is read-only, the others are removed, too. */
int batch_send_promote_secondaries(const struct apply_context *context, struct netlink *netlink,
				   const struct live_ns *ns, const char *link, struct batch *batch,
				   struct error *error);

/* change.c */
void removals_do(struct apply_context *context, const struct stage_item *item);
void changes_do(struct apply_context *context, const struct stage_item *item);
/* Renames a parent, which this run created under `name`, to its final name. */
void made_rename(struct apply_context *context, const struct stage_item *item, int ifindex,
		 const char *name);

#endif
