/* Routes in a container's namespace that conflict with those of an attachment. */
#include "reconcile/plan/internal.h"

#include <sys/socket.h>

static struct link_route *route_wanted(const struct planned_attachment *planned,
				       const struct live_route *live)
{
	if (planned->current && live->ifindex == planned->current->ifindex)
		return NULL;
	for (size_t i = 0; i < planned->desired->n_routes; i++)
		if (prefix_equal(&planned->desired->routes[i].to, &live->to))
			return &planned->desired->routes[i];
	return NULL;
}

/* Two routes to one destination do not fit where their metrics are equal: IPv4's 0, IPv6's 1024. */
static bool metric_ours(const struct live_route *route)
{
	return route->metric == (route->to.ip.family == AF_INET ? 0 : 1024);
}

/* The set of another run's that a route of ours is for, or NULL. */
static const char *set_of_route(const struct planner *planner, const struct live_ns *ns,
				const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(ns, route->ifindex);
	return route->proto == MARK_PROTOCOL && link && link->mark.role != ROLE_NONE &&
			       link_unmanaged(planner, link)
		       ? link->mark.set
		       : NULL;
}

static struct check_result route_denied(struct planner *planner,
					const struct planned_attachment *planned,
					const struct live_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	const char *what = route->to.len ? arena_printf(planner->arena, "a route to %s",
							prefix_format(&route->to, to))
					 : "a default route";
	const char *set = set_of_route(planner, planned->ns, route);
	const char *reason =
		arena_printf(planner->arena, "%s has %s%s%s already%s%s%s", planned->ns->name, what,
			     route->via.family ? " via " : "", ip_format(&route->via, via),
			     set ? ", of the set \"" : "", set ? set : "", set ? "\"" : "");
	return conflict_denied(planned->ns, CODE_ROUTE_FOREIGN, reason,
			       set ? "leave one of the two out"
				   : "remove it, or leave this one out; --adopt replaces it");
}

static bool engine_has(const struct planned_attachment *planned, const struct live_route *route)
{
	const struct live_link *link = live_link_by_index(planned->ns, route->ifindex);
	return (planned->container->source_kind == SOURCE_DOCKER ||
		planned->container->source_kind == SOURCE_PODMAN) &&
	       route->proto != MARK_PROTOCOL && (!link || link->mark.role == ROLE_NONE) &&
	       (!planned->current || link != planned->current);
}

/* The link of a container that is not there which a route of ours is for, or NULL. */
static const struct live_link *kept_of_route(const struct planner *planner,
					     const struct live_ns *ns,
					     const struct live_route *route)
{
	const struct live_link *link =
		route->proto == MARK_PROTOCOL ? live_link_by_index(ns, route->ifindex) : NULL;
	return conflict_is_kept(planner, link) ? link : NULL;
}

/* Whose default route the namespace has already: its engine's, whatever the metric, since two make
 * one of them useless, another set's, or that of a container which shared the namespace and is not
 * there. NULL: nobody's whom ours has to yield to. */
static const char *default_before(struct planner *planner, const struct planned_attachment *planned,
				  uint8_t family, const struct live_route **ret_route)
{
	for (size_t i = 0; planned->container && i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (route->to.len || route->to.ip.family != family)
			continue;
		const char *set = set_of_route(planner, planned->ns, route);
		const struct live_link *kept = kept_of_route(planner, planned->ns, route);
		if (!set && !kept && !engine_has(planned, route))
			continue;
		*ret_route = route;
		if (kept)
			return kept->mark.container;
		return set ? arena_printf(planner->arena, "the set \"%s\"", set) : "its engine";
	}
	return NULL;
}

static void default_warn(struct planner *planner, const struct planned_attachment *planned,
			 const char *whose, const struct live_route *theirs,
			 const struct link_route *ours)
{
	char their_via[IP_TEXT_SIZE], our_via[IP_TEXT_SIZE];
	warning_add(planner,
		    "%s keeps the default route of %s%s%s; that of network %s (via %s) is left out",
		    planned->container->name, whose, theirs->via.family ? ", via " : "",
		    ip_format(&theirs->via, their_via), planned->network->name,
		    ip_format(&ours->via, our_via));
}

/* Leaves out what others have been before us with. */
static void defaults_yield(struct planner *planner, const struct planned_attachment *planned)
{
	struct link_spec *desired = planned->desired;
	size_t kept = 0;
	for (size_t i = 0; i < desired->n_routes; i++) {
		const struct link_route *ours = &desired->routes[i];
		const struct live_route *theirs = NULL;
		const char *whose = ours->to.len ? NULL
						 : default_before(planner, planned,
								  ours->to.ip.family, &theirs);
		if (whose)
			default_warn(planner, planned, whose, theirs, ours);
		else
			desired->routes[kept++] = *ours;
	}
	desired->n_routes = kept;
	const struct live_route *theirs;
	if (desired->dhcp.gateway && default_before(planner, planned, AF_INET, &theirs))
		desired->dhcp.gateway = false;
}

struct check_result conflict_check_routes(struct planner *planner,
					  const struct planned_attachment *planned)
{
	defaults_yield(planner, planned);
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		const char *set = set_of_route(planner, planned->ns, route);
		const struct live_link *kept = kept_of_route(planner, planned->ns, route);
		if ((route->proto == MARK_PROTOCOL && !set && !kept) || !metric_ours(route))
			continue;
		struct link_route *wanted = route_wanted(planned, route);
		if (wanted && kept)
			return conflict_held(planner, planned->ns, kept, "route");
		if (wanted && (set || !planner->options->adopt))
			return route_denied(planner, planned, route);
		if (wanted)
			wanted->replaces = true;
	}
	return (struct check_result){.action = ACTION_CREATE};
}

bool conflict_holds_route(const struct planned_attachment *planned,
			  const struct planned_attachment *other)
{
	for (size_t i = 0; i < planned->ns->n_routes; i++) {
		const struct live_route *route = &planned->ns->routes[i];
		if (route->ifindex == other->current->ifindex && metric_ours(route) &&
		    route_wanted(planned, route))
			return true;
	}
	return false;
}
