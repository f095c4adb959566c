/* What the link of each planned attachment shall be. */
#include "reconcile/plan/internal.h"
#include "schema/driver.h"

#include <string.h>

/* MACVLAN_DEFAULT_BC_QUEUE_LEN in drivers/net/macvlan.c. */
#define BCQUEUELEN_DEFAULT 1000

/* RFC 4861 router advertisements would add addresses and routes that the file does not name. */
static const struct link_sysctl quiet = {.key = "net.ipv6.conf.IFNAME.accept_ra", .value = "0"};

static void desired_addrs(struct planner *planner, const struct planned_attachment *planned,
			  struct link_spec *desired)
{
	for (size_t i = 0; i < sizeof(planned->ip) / sizeof(planned->ip[0]); i++) {
		const struct ip *ip = &planned->ip[i];
		if (!ip->family)
			continue;
		const struct subnet *subnet = network_subnet_of(planned->network, ip);
		unsigned len = planned->container && subnet ? subnet->prefix.len : ip_bits(ip);
		if (planned_leases(planned, i))
			len = planned->lease->prefix.len;
		*array_push(planner->arena, desired->addrs, desired->n_addrs) =
			(struct prefix){.ip = *ip, .len = (uint8_t)len};
	}
}

/* IPv4 by DHCP: the lease as it is, for as long as it still holds. */
static void desired_lease(struct planner *planner, const struct planned_attachment *planned,
			  struct link_spec *desired)
{
	desired->dhcp.wanted = planned_leases(planned, 0);
	if (!desired->dhcp.wanted || !planned->lease)
		return;
	struct addr_terms *terms = arena_alloc(planner->arena, desired->n_addrs * sizeof(*terms));
	for (size_t i = 0; i < desired->n_addrs; i++)
		terms[i].protocol = MARK_PROTOCOL;
	/* IPv4 is the first. */
	terms[0].valid = planned->lease->valid;
	terms[0].preferred = planned->lease->preferred;
	desired->addr_terms = terms;
	desired->dhcp.lease = planned->lease->prefix;
	desired->dhcp.router = live_lease_router(planned->ns, planned->current);
}

static struct ip gateway_of(const struct planned_attachment *planned, size_t family)
{
	if (planned_leases(planned, family))
		return planned->desired->dhcp.router;
	const struct subnet *subnet =
		planned->ip[family].family
			? network_subnet_of(planned->network, &planned->ip[family])
			: NULL;
	return subnet && !planned->network->internal ? subnet->gateway : (struct ip){0};
}

static void route_add(struct planner *planner, struct link_spec *desired, struct prefix to,
		      struct ip via, struct ip source)
{
	*array_push(planner->arena, desired->routes, desired->n_routes) =
		(struct link_route){.to = to, .via = via, .source = source};
}

/* The way to the router of the lease, which need not be in its subnet; by which it is known later,
 * too. */
static void desired_router(struct planner *planner, struct link_spec *desired)
{
	if (desired->dhcp.router.family)
		route_add(planner, desired, (struct prefix){.ip = desired->dhcp.router, .len = 32},
			  (struct ip){0}, (struct ip){0});
}

static void desired_routes(struct planner *planner, const struct planned_attachment *planned,
			   struct link_spec *desired)
{
	for (size_t i = 0; i < planned->attachment->n_routes; i++)
		route_add(planner, desired, planned->attachment->routes[i].to,
			  planned->attachment->routes[i].via, (struct ip){0});
}

/* Whether it may lead out of the LAN. What a lease leads to is known only when it is there. */
static bool claims_default(const struct planned_attachment *planned, size_t family)
{
	return planned_leases(planned, family) ? !planned->network->internal
					       : gateway_of(planned, family).family != 0;
}

/* Who has the best claim to the namespace's default route, or NULL. */
static const struct planned_attachment *default_owner(const struct netns_group *netns_group,
						      size_t family)
{
	const struct planned_attachment *best = NULL;
	for (size_t i = 0; i < netns_group->count; i++) {
		const struct planned_attachment *planned = netns_group->planned_all[i];
		if (claims_default(planned, family) &&
		    (!best || planned->attachment->gw_priority > best->attachment->gw_priority))
			best = planned;
	}
	return best;
}

static void desired_defaults(struct planner *planner, const struct netns_group *netns_group)
{
	for (size_t family = 0;
	     family < sizeof(netns_group->planned_all[0]->ip) / sizeof(struct ip); family++) {
		const struct planned_attachment *owner = default_owner(netns_group, family);
		if (!owner)
			continue;
		const struct ip via = gateway_of(owner, family);
		owner->desired->dhcp.gateway |= planned_leases(owner, family);
		if (!via.family)
			continue;
		route_add(planner, owner->desired, (struct prefix){.ip.family = via.family}, via,
			  (struct ip){0});
	}
}

static void desired_sysctls(struct planner *planner, const struct planned_attachment *planned,
			    struct link_spec *desired)
{
	bool said = false;
	for (size_t i = 0; planned->attachment && i < planned->attachment->n_sysctls; i++) {
		const struct sysctl *sysctl = &planned->attachment->sysctls[i];
		said |= strcmp(sysctl->key, quiet.key) == 0;
		*array_push(planner->arena, desired->sysctls, desired->n_sysctls) =
			(struct link_sysctl){
				.key = sysctl->key, .value = sysctl->value, .asked = true};
	}
	if (!said)
		*array_push(planner->arena, desired->sysctls, desired->n_sysctls) = quiet;
}

/* The way from the host to one container, unless another network of the host's leads to the same
 * address already: one destination has one route. */
static void desired_host_route(struct planner *planner, const struct planned_attachment *host,
			       const struct planned_attachment *planned, size_t family)
{
	const struct ip *ip = &planned->ip[family];
	char text[IP_TEXT_SIZE];
	if (!ip->family || !host->ip[family].family)
		return;
	const char *before = address_set_holder(planner->reached, 0, ip);
	if (before) {
		warning_add(planner,
			    "the host cannot reach %s on network %s: its way to %s leads through "
			    "network %s",
			    planned->container->name, planned->network->name, ip_format(ip, text),
			    before);
		return;
	}
	address_set_add(planner->reached, 0, ip, host->network->name);
	route_add(planner, host->desired, (struct prefix){.ip = *ip, .len = (uint8_t)ip_bits(ip)},
		  (struct ip){0}, host->ip[family]);
}

static void desired_host_routes(struct planner *planner, const struct planned_attachment *host)
{
	for (size_t i = 0; i < planner->n_attachments; i++) {
		const struct planned_attachment *planned = &planner->planned_all[i];
		if (planned->net != host->net || planned->check_result.action != ACTION_CREATE)
			continue;
		for (size_t family = 0; family < sizeof(planned->ip) / sizeof(planned->ip[0]);
		     family++)
			desired_host_route(planner, host, planned, family);
	}
}

static struct link_spec *desired_link(struct planner *planner,
				      const struct planned_attachment *planned)
{
	static const enum link_kind kinds[] = {
		[DRIVER_MACVLAN] = KIND_MACVLAN, [DRIVER_IPVLAN] = KIND_IPVLAN};
	const struct network *network = planned->network;
	struct link_spec *desired = arena_alloc(planner->arena, sizeof(*desired));
	*desired = (struct link_spec){
		.mark = {.role = planned->container ? ROLE_ATTACH : ROLE_HOST,
			 .set = planned->set->name,
			 .network = network->name,
			 .container = planned->container ? planned->container->name : NULL},
		.ns = planned->ns,
		.name = planned->name,
		.kind = kinds[network->driver],
		.mode = network->mode,
		.mac = planned->mac,
		.mtu = network->mtu ? network->mtu : planned->parent->mtu,
		.has_bcqueuelen = network->has_bcqueuelen,
		.bcqueuelen = network->has_bcqueuelen ? network->bcqueuelen : BCQUEUELEN_DEFAULT,
		.probe = (network->probe || planner->options->probe) && network->parent &&
			 !link_mode_routes(network->mode),
		.parent_name = planned->parent->name,
		.parent = planned->parent->link ? planned->parent->link->ifindex : 0,
		.shares_parent = planned->parent->occupied || planner->live->n_unreadable,
	};
	/* A mark has one text. */
	desired->alias = planned->managed ? planned->current->alias
					  : owner_tag_format(planner->arena, &desired->mark);
	return desired;
}

void link_specs_make(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		planned->desired = desired_link(planner, planned);
		desired_addrs(planner, planned, planned->desired);
		desired_lease(planner, planned, planned->desired);
		desired_router(planner, planned->desired);
		desired_sysctls(planner, planned, planned->desired);
	}
	for (size_t i = 0; i < planner->n_netns_groups; i++)
		desired_defaults(planner, &planner->netns_group[i]);
	for (size_t i = 0; i < planner->n_attachments; i++)
		desired_routes(planner, &planner->planned_all[i], planner->planned_all[i].desired);
}

/* The routes of a host's own link that has to stay as it is. */
static void held_routes_note(struct planner *planner, const struct live_ns *host,
			     const struct live_link *link, const char *network)
{
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct live_route *route = &host->routes[i];
		if (route->ifindex == link->ifindex && route->proto == MARK_PROTOCOL)
			address_set_add(planner->reached, 0, &route->to.ip, network);
	}
}

/* Those of links whose planned attachment cannot be made right, and of links that stay for want of
 * their replacement. */
static void held_routes_find(struct planner *planner)
{
	for (size_t i = planner->n_attachments; i < planner->n_planned; i++) {
		const struct planned_attachment *planned = &planner->planned_all[i];
		if (planned->check_result.action != ACTION_CREATE && planned->current)
			held_routes_note(planner, planned->ns, planned->current,
					 planned->network->name);
	}
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (managed->link->mark.role == ROLE_HOST && managed->replacement &&
		    managed->replacement->check_result.action != ACTION_CREATE)
			held_routes_note(planner, managed->ns, managed->link,
					 managed->link->mark.network);
	}
}

void host_routes_specify(struct planner *planner)
{
	planner->reached = address_set_new(planner->scratch, 0);
	held_routes_find(planner);
	for (size_t i = planner->n_attachments; i < planner->n_planned; i++)
		if (planner->planned_all[i].check_result.action == ACTION_CREATE)
			desired_host_routes(planner, &planner->planned_all[i]);
}
