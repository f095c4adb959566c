/* Conflicts of attachments with other holders of a name, MAC, address, route or parent.
 *
 * Takes: what was assigned to each attachment. Gives: whether it can be made, and the routes and
 * MAC that remain when it yields. A conflict in the host's namespace refuses the whole run. A
 * conflict in another namespace blocks that attachment alone, because a container can cause it. An
 * attachment that cannot be made also blocks those that wait for what its live link holds. */
#ifndef RECONCILE_PLAN_CONFLICT_H
#define RECONCILE_PLAN_CONFLICT_H

#include "reconcile/plan/naming.h"
#include "reconcile/plan/routes.h"

/* The results of the earlier phases. */
struct assigned {
	const struct plan_input *input;
	const struct matched *matched;
	const struct attachments *attachments;
	const struct unmanaged_index *unmanaged;
	const struct addresses *addresses;
	const struct names *names;
	const struct routes *routes;
};

/* The final routes and MAC of an attachment. */
struct checked_attachment {
	struct check_result check_result;
	struct link_route *routes; /* those of assigned_routes, or copies if some are different */
	unsigned n_routes;
	struct mac mac;
	bool gateway;
	bool policy[N_FAMILIES]; /* its default route is beside another program's
				    (reconcile/state/policy_routing.h) */
};

struct conflicts {
	const struct checked_attachment *checked; /* by planned_attachment.number */
};

/* Adds warnings about routes that are left out, and about links that exist twice. */
struct conflicts conflicts_find(const struct assigned *assigned);

/* Whether the attachment can be created, or is as specified. */
bool attachment_is_made(const struct conflicts *conflicts,
			const struct planned_attachment *planned);

/* Whether the attachment's address is probed on the LAN before it is assigned. */
bool probe_is_needed(const struct plan_input *input, const struct planned_attachment *planned);

/* claims_report.c: adds one warning for each namespace with ignored claims. */
void claims_report(const struct assigned *assigned, const struct conflicts *conflicts);

/* ranges_report.c: adds a warning about each network in which addresses are chosen that the DHCP
 * server of its LAN may assign, too. */
void ranges_report(const struct assigned *assigned, const struct conflicts *conflicts);

/* subnets_report.c: adds warnings about containers that have overlapping subnets on two parents,
 * and about gateways that are an address of the parent itself. */
void subnets_report(const struct assigned *assigned);
/* leases_report.c: adds a warning about each lease whose subnet or routes are a part of another
 * network's subnet. */
void leases_report(const struct assigned *assigned);
/* policy_report.c: adds a warning about each attachment with `policy_routing` whose addresses of
 * router advertisements it does not cover. */
void policy_report(const struct assigned *assigned);

/* For the checks in conflict.c, conflict_names.c, conflict_routes.c and duplicates.c. */
struct conflict_finder {
	const struct assigned *assigned;
	struct checked_attachment *checked; /* by planned_attachment.number */
};

struct check_result conflict_denied(const struct live_ns *where, enum code code, const char *reason,
				    const char *hint);
/* Blocked, because the link, which stays unchanged, has `what`. */
struct check_result conflict_with_holder(const struct plan_input *input, const struct live_ns *ns,
					 const struct live_link *link, const char *what);
/* The link's name once the attachment is made. */
const char *conflict_name_of(const struct conflict_finder *finder,
			     const struct planned_attachment *planned);
/* Whether it is the link of its engine's own network on the same parent, which --adopt can take
 * over. */
bool conflict_is_engine_link(const struct planned_attachment *planned, const struct live_ns *ns,
			     const struct live_link *link);
#define HINT_ENGINE_LINK                                                                           \
	"this is the link of the engine's own network: run the container with --network none, or " \
	"take the link over with --adopt, which keeps its address and connections"

/* conflict_names.c: whether another link of the namespace has one of the attachment's names. */
struct check_result check_name(const struct conflict_finder *finder,
			       const struct planned_attachment *planned);
/* Whether another set attaches the container to the same LAN. */
struct check_result check_twice(const struct conflict_finder *finder,
				const struct planned_attachment *planned);
/* Whether the namespace already has one of the attachment's routes. */
struct check_result check_routes(const struct conflict_finder *finder,
				 const struct planned_attachment *planned);
/* Whether the attachment of another container in the namespace has a route to the same
 * destination. */
struct check_result check_typed_routes(const struct conflict_finder *finder,
				       const struct planned_attachment *planned);
struct check_result check_routes_of_group(const struct conflict_finder *finder,
					  const struct planned_attachment *planned);
/* Whether the live link has a route of the attachment. */
bool conflict_has_route(const struct conflict_finder *finder,
			const struct planned_attachment *planned, const struct live_link *link);

#endif
