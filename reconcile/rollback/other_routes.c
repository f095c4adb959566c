/* The routes of other links, and of none, that a plan may remove. */
#include "reconcile/rollback/snapshot.h"

#include "reconcile/rollback/snapshot_internal.h"

#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "reconcile/plan/dhcp.h"
#include "reconcile/plan/operations.h"

#include <linux/rtnetlink.h>

struct reader {
	struct arena *arena;
	const struct live_ns *ns;
	const struct step *step; /* NULL: all routes are read */
	bool sourced;            /* only those from the addresses of the step's link */
	struct snapshot *to;
};

static bool one_replaces(const struct link_route *routes, size_t count,
			 const struct live_route *route)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i].replaces && link_route_is(&routes[i], route))
			return true;
	return false;
}

static bool is_replaced(const struct step *step, const struct live_ns *ns,
			const struct live_route *route)
{
	const struct link_spec *desired = step->desired;
	if (!desired || desired->ns != ns)
		return false;
	const struct link_route leased = {.table = desired->dhcp.table,
					  .to.ip.family = AF_INET,
					  .replaces = desired->dhcp.enabled &&
						      desired->dhcp.gateway &&
						      desired->dhcp.replaces};
	return one_replaces(desired->routes, desired->n_routes, route) ||
	       one_replaces(desired->policy.routes, desired->policy.n_routes, route) ||
	       one_replaces(&leased, 1, route);
}

/* Whether an address may be removed from the current link. */
static bool removes_address(const struct step *step, const struct live_ns *ns)
{
	return step->current && step->ns == ns &&
	       (step->action != ACTION_CHANGE || step_may_flush(step) || step_leases(step));
}

static bool is_sourced(const struct step *step, const struct live_route *route)
{
	if (!route->options.source.family || route->ifindex == step->current->ifindex)
		return false;
	each_addr_of (addr, step->ns, step->current->ifindex)
		if (ip_equal(&addr->prefix.ip, &route->options.source))
			return true;
	return false;
}

/* The link's own routes are in its snapshot, and those of the set's links in the plan. */
static bool is_removed(const struct reader *reader, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct step *step = reader->step;
	struct live_route route;
	if (decode_route(message, 0, &route) != DECODED ||
	    (step->current && route.ifindex == step->current->ifindex && reader->ns == step->ns))
		return false;
	if (reader->sourced)
		return is_sourced(step, &route);
	return (route.proto != OWNER_TAG_PROTOCOL && !header->rtm_tos &&
		is_replaced(step, reader->ns, &route)) ||
	       (removes_address(step, reader->ns) && is_sourced(step, &route));
}

static bool is_there(const struct snapshot *all, const struct raw_message *raw)
{
	for (size_t i = 0; i < all->n_routes; i++)
		if (raw_message_equal(&all->routes[i], raw))
			return true;
	return false;
}

static int route_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reader *reader = data;
	struct raw_message raw;
	(void)error;
	if (route_listed(message) && (!reader->step || is_removed(reader, message)) &&
	    route_request(reader->arena, message, 0, &raw) &&
	    !(reader->step && is_there(reader->to, &raw)))
		*array_push(reader->arena, reader->to->routes, reader->to->n_routes) = raw;
	return 0;
}

static int all_read(struct netlink *netlink, struct reader *reader, struct error *error)
{
	union message request;
	encode_all_route_dump(&request);
	return netlink_dump(netlink, &request.header, route_take, reader, error);
}

int namespace_routes_read(struct netlink *netlink, struct arena *arena, int ifindex,
			  struct snapshot *ret, struct error *error)
{
	struct reader reader = {.arena = arena, .to = ret};
	(void)ifindex;
	return all_read(netlink, &reader, error);
}

static bool some_replace(const struct link_route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i].replaces)
			return true;
	return false;
}

static bool replaces(const struct link_spec *desired)
{
	return some_replace(desired->routes, desired->n_routes) ||
	       some_replace(desired->policy.routes, desired->policy.n_routes) ||
	       (desired->dhcp.enabled && desired->dhcp.replaces);
}

int other_routes_take(struct live_ns *ns, const struct step *step, struct error *error)
{
	if (!removes_address(step, ns) && !(step->desired && replaces(step->desired)))
		return 0;
	if (!ns->other_routes)
		ns->other_routes = arena_alloc(ns->arena, sizeof(*ns->other_routes));
	struct reader reader = {.arena = ns->arena, .ns = ns, .step = step, .to = ns->other_routes};
	struct netlink *netlink = netlink_open(error);
	const int status = netlink ? all_read(netlink, &reader, error) : -error->errnum;
	netlink_close(netlink);
	return status;
}

/* The observation has all routes of a container, and only those of the main table of the host. */
static bool may_be_sourced(const struct step *step)
{
	const struct live_ns *ns = step->ns;
	for (size_t i = 0; i < ns->n_routes; i++)
		if (is_sourced(step, &ns->routes[i]))
			return true;
	return ns->host || ns->crowded;
}

const struct snapshot *sourced_routes_take(struct netlink *netlink, struct arena *arena,
					   const struct step *step)
{
	struct reader reader = {.arena = arena, .ns = step->ns, .step = step, .sourced = true};
	struct error ignored;
	if (!may_be_sourced(step))
		return NULL;
	reader.to = arena_alloc(arena, sizeof(*reader.to));
	return all_read(netlink, &reader, &ignored) == 0 && reader.to->n_routes ? reader.to : NULL;
}
