#include "cmd/attach/cni_check.h"

#include "cmd/attach/cni_result.h"
#include "reconcile/plan/step.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

struct check {
	const struct cni_request *request;
	const struct netns_link *found;
	struct arena *arena;
	struct cni_previous previous;
	struct error *error;
};

int cni_differs(const struct cni_request *request, const char *what, struct error *error)
{
	error_set(error, ENODEV, "%s %s", request->interface.ifname, what);
	error_hint(error, "restart the container");
	return error_code(error, CODE_CNI_CHECK);
}

static int check_interface(const struct check *check)
{
	const struct cni_previous *previous = &check->previous;
	const struct live_link *link = &check->found->link;
	struct mac mac;
	char text[MAC_TEXT_SIZE];
	if (strcmp(previous->sandbox, check->request->netns) != 0)
		return cni_differs(check->request,
				   arena_printf(check->arena,
						"is in %s, and in prevResult it is in %s",
						check->request->netns, previous->sandbox),
				   check->error);
	if (previous->mac && (!mac_parse(previous->mac, &mac) || !mac_equal(&mac, &link->mac)))
		return cni_differs(
			check->request,
			arena_printf(check->arena,
				     "has the MAC address %s instead of %s of prevResult",
				     mac_format(&link->mac, text), previous->mac),
			check->error);
	return link->flags & IFF_UP ? 0 : cni_differs(check->request, "is down", check->error);
}

static int lacks(const struct check *check, const char *what, const char *which)
{
	return cni_differs(check->request,
			   arena_printf(check->arena, "lacks the %s %s of prevResult", what, which),
			   check->error);
}

static bool has_addr(const struct netns_link *found, const struct prefix *addr)
{
	for (size_t i = 0; i < found->n_addrs; i++)
		if (prefix_equal(&found->addrs[i], addr))
			return true;
	return false;
}

/* Whether the addresses of the subnet, such as a gateway, are reached through the link. */
static bool has_subnet_route(const struct netns_link *found, const struct prefix *addr)
{
	const struct prefix subnet = prefix_subnet(addr);
	for (size_t i = 0; i < found->n_routes; i++)
		if (!found->routes[i].via.family && prefix_equal(&found->routes[i].to, &subnet))
			return true;
	return addr->len == ip_bits(&addr->ip);
}

static int check_addresses(const struct check *check)
{
	char text[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < check->previous.n_addrs; i++) {
		const struct prefix *addr = &check->previous.addrs[i];
		if (!has_addr(check->found, addr))
			return lacks(check, "address", prefix_format(addr, text));
		if (!has_subnet_route(check->found, addr))
			return lacks(check, "route to the subnet of", prefix_format(addr, text));
	}
	return 0;
}

static bool contains(const struct prefix *addrs, size_t count, const struct ip *ip)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&addrs[i], ip))
			return true;
	return false;
}

/* A route of a result has no interface: that of another plugin leads to the subnet of another
 * interface. One without a next hop may be of any interface with addresses. */
static bool may_be_of_other(const struct cni_previous *previous, const struct link_route *route)
{
	if (!route->via.family)
		return previous->n_others > 0;
	return contains(previous->others, previous->n_others, &route->via) &&
	       !contains(previous->addrs, previous->n_addrs, &route->via);
}

static bool number_fits(uint32_t expected, uint32_t number)
{
	return !expected || expected == number;
}

static bool route_fits(const struct link_route *expected, const struct live_route *route)
{
	return prefix_equal(&expected->to, &route->to) && ip_equal(&expected->via, &route->via) &&
	       number_fits(expected->table, route->table) &&
	       number_fits(expected->options.metric, route->options.metric) &&
	       number_fits(expected->options.mtu, route->options.mtu) &&
	       number_fits(expected->options.advmss, route->options.advmss);
}

static bool has_route(const struct netns_link *found, const struct link_route *expected)
{
	for (size_t i = 0; i < found->n_routes; i++)
		if (route_fits(expected, &found->routes[i]))
			return true;
	return false;
}

/* A renewal may change the routes of a lease. */
static int check_routes(const struct check *check)
{
	char text[ROUTE_TEXT_SIZE];
	for (size_t i = 0; i < check->previous.n_routes; i++) {
		const struct link_route *route = &check->previous.routes[i];
		const bool leased = check->found->lease.family && route->to.ip.family == AF_INET;
		if (!leased && !may_be_of_other(&check->previous, route) &&
		    !has_route(check->found, route))
			return lacks(check, "route", link_route_format(route, text));
	}
	return 0;
}

int cni_check(const struct cni_request *request, const struct netns_link *found,
	      struct arena *arena, struct error *error)
{
	struct check check = {.request = request, .found = found, .arena = arena, .error = error};
	if (!cni_previous_parse(request, arena, &check.previous))
		return cni_differs(request, "is not in prevResult", error);
	int status = check_interface(&check);
	if (status == 0)
		status = check_addresses(&check);
	return status < 0 ? status : check_routes(&check);
}
