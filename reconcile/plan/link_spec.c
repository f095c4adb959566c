/* What the link of each slot shall be. */
#include "reconcile/plan/internal.h"

#include <string.h>

/* MACVLAN_DEFAULT_BC_QUEUE_LEN in drivers/net/macvlan.c. */
#define BCQUEUELEN_DEFAULT 1000

/* RFC 4861 router advertisements would add addresses and routes that the file does not name. */
static const struct link_sysctl quiet = {.key = "net.ipv6.conf.IFNAME.accept_ra", .value = "0"};

static void want_addrs(struct planner *planner, const struct slot *slot, struct link_spec *want)
{
	for (size_t i = 0; i < sizeof(slot->ip) / sizeof(slot->ip[0]); i++) {
		const struct ip *ip = &slot->ip[i];
		if (!ip->family)
			continue;
		const struct subnet *subnet = network_subnet_of(slot->network, ip);
		unsigned len = slot->container && subnet ? subnet->prefix.len : ip_bits(ip);
		if (slot_leases(slot, i))
			len = slot->lease->prefix.len;
		*array_push(planner->arena, want->addrs, want->n_addrs) =
			(struct prefix){.ip = *ip, .len = (uint8_t)len};
	}
}

/* IPv4 by DHCP: the lease as it is, for as long as it still holds. */
static void want_lease(struct planner *planner, const struct slot *slot, struct link_spec *want)
{
	want->dhcp.wanted = slot_leases(slot, 0);
	if (!want->dhcp.wanted || !slot->lease)
		return;
	struct addr_terms *terms = arena_alloc(planner->arena, want->n_addrs * sizeof(*terms));
	for (size_t i = 0; i < want->n_addrs; i++)
		terms[i].protocol = MARK_PROTOCOL;
	/* IPv4 is the first. */
	terms[0].valid = slot->lease->valid;
	terms[0].preferred = slot->lease->preferred;
	want->addr_terms = terms;
	want->dhcp.lease = slot->lease->prefix;
	want->dhcp.router = live_lease_router(slot->ns, slot->have);
}

static struct ip gateway_of(const struct slot *slot, size_t family)
{
	if (slot_leases(slot, family))
		return slot->want->dhcp.router;
	const struct subnet *subnet = slot->ip[family].family
					      ? network_subnet_of(slot->network, &slot->ip[family])
					      : NULL;
	return subnet && !slot->network->internal ? subnet->gateway : (struct ip){0};
}

static void route_add(struct planner *planner, struct link_spec *want, struct prefix to,
		      struct ip via, struct ip source)
{
	*array_push(planner->arena, want->routes, want->n_routes) =
		(struct link_route){.to = to, .via = via, .source = source};
}

/* The way to the router of the lease, which need not be in its subnet; by which it is known later,
 * too. */
static void want_router(struct planner *planner, struct link_spec *want)
{
	if (want->dhcp.router.family)
		route_add(planner, want, (struct prefix){.ip = want->dhcp.router, .len = 32},
			  (struct ip){0}, (struct ip){0});
}

static void want_routes(struct planner *planner, const struct slot *slot, struct link_spec *want)
{
	for (size_t i = 0; i < slot->attachment->n_routes; i++)
		route_add(planner, want, slot->attachment->routes[i].to,
			  slot->attachment->routes[i].via, (struct ip){0});
}

/* Whether it may lead out of the LAN. What a lease leads to is known only when it is there. */
static bool claims_default(const struct slot *slot, size_t family)
{
	return slot_leases(slot, family) ? !slot->network->internal
					 : gateway_of(slot, family).family != 0;
}

/* Who has the best claim to the namespace's default route, or NULL. */
static const struct slot *default_owner(const struct tenants *tenants, size_t family)
{
	const struct slot *best = NULL;
	for (size_t i = 0; i < tenants->count; i++) {
		const struct slot *slot = tenants->slots[i];
		if (claims_default(slot, family) &&
		    (!best || slot->attachment->gw_priority > best->attachment->gw_priority))
			best = slot;
	}
	return best;
}

static void want_defaults(struct planner *planner, const struct tenants *tenants)
{
	for (size_t family = 0; family < sizeof(tenants->slots[0]->ip) / sizeof(struct ip);
	     family++) {
		const struct slot *owner = default_owner(tenants, family);
		if (!owner)
			continue;
		const struct ip via = gateway_of(owner, family);
		owner->want->dhcp.gateway |= slot_leases(owner, family);
		if (!via.family)
			continue;
		route_add(planner, owner->want, (struct prefix){.ip.family = via.family}, via,
			  (struct ip){0});
	}
}

static void want_sysctls(struct planner *planner, const struct slot *slot, struct link_spec *want)
{
	bool said = false;
	for (size_t i = 0; slot->attachment && i < slot->attachment->n_sysctls; i++) {
		const struct sysctl *sysctl = &slot->attachment->sysctls[i];
		said |= strcmp(sysctl->key, quiet.key) == 0;
		*array_push(planner->arena, want->sysctls, want->n_sysctls) = (struct link_sysctl){
			.key = sysctl->key, .value = sysctl->value, .asked = true};
	}
	if (!said)
		*array_push(planner->arena, want->sysctls, want->n_sysctls) = quiet;
}

/* The way from the host to one container, unless another network of the host's leads to the same
 * address already: one destination has one route. */
static void want_host_route(struct planner *planner, const struct slot *host,
			    const struct slot *slot, size_t family)
{
	const struct ip *ip = &slot->ip[family];
	char text[IP_TEXT_SIZE];
	if (!ip->family || !host->ip[family].family)
		return;
	const char *before = taken_by(planner->reached, 0, ip);
	if (before) {
		warning_add(planner,
			    "the host cannot reach %s on network %s: its way to %s leads through "
			    "network %s",
			    slot->container->name, slot->network->name, ip_format(ip, text),
			    before);
		return;
	}
	taken_add(planner->reached, 0, ip, host->network->name);
	route_add(planner, host->want, (struct prefix){.ip = *ip, .len = (uint8_t)ip_bits(ip)},
		  (struct ip){0}, host->ip[family]);
}

static void want_host_routes(struct planner *planner, const struct slot *host)
{
	for (size_t i = 0; i < planner->n_attachments; i++) {
		const struct slot *slot = &planner->slots[i];
		if (slot->net != host->net || slot->verdict.action != ACTION_CREATE)
			continue;
		for (size_t family = 0; family < sizeof(slot->ip) / sizeof(slot->ip[0]); family++)
			want_host_route(planner, host, slot, family);
	}
}

static struct link_spec *want_link(struct planner *planner, const struct slot *slot)
{
	static const enum link_kind kinds[] = {
		[DRIVER_MACVLAN] = KIND_MACVLAN, [DRIVER_IPVLAN] = KIND_IPVLAN};
	const struct network *network = slot->network;
	struct link_spec *want = arena_alloc(planner->arena, sizeof(*want));
	*want = (struct link_spec){
		.mark = {.role = slot->container ? ROLE_ATTACH : ROLE_HOST,
			 .set = slot->set->name,
			 .network = network->name,
			 .container = slot->container ? slot->container->name : NULL},
		.ns = slot->ns,
		.name = slot->name,
		.kind = kinds[network->driver],
		.mode = network->mode,
		.mac = slot->mac,
		.mtu = network->mtu ? network->mtu : slot->parent->mtu,
		.has_bcqueuelen = network->has_bcqueuelen,
		.bcqueuelen = network->has_bcqueuelen ? network->bcqueuelen : BCQUEUELEN_DEFAULT,
		.probe = (network->probe || planner->options->probe) && network->parent &&
			 network->mode != MODE_L3 && network->mode != MODE_L3S,
		.parent_name = slot->parent->name,
		.parent = slot->parent->link ? slot->parent->link->ifindex : 0,
		.siblings = slot->parent->occupied || planner->live->n_unseen,
	};
	/* A mark has one text. */
	want->alias = slot->owned ? slot->have->alias : mark_format(planner->arena, &want->mark);
	return want;
}

void wants_make(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_slots; i++) {
		struct slot *slot = &planner->slots[i];
		slot->want = want_link(planner, slot);
		want_addrs(planner, slot, slot->want);
		want_lease(planner, slot, slot->want);
		want_router(planner, slot->want);
		want_sysctls(planner, slot, slot->want);
	}
	for (size_t i = 0; i < planner->n_tenants; i++)
		want_defaults(planner, &planner->tenants[i]);
	for (size_t i = 0; i < planner->n_attachments; i++)
		want_routes(planner, &planner->slots[i], planner->slots[i].want);
}

/* The routes of a host's own link that has to stay as it is. */
static void held_routes_note(struct planner *planner, const struct live_ns *host,
			     const struct live_link *link, const char *network)
{
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct live_route *route = &host->routes[i];
		if (route->ifindex == link->ifindex && route->proto == MARK_PROTOCOL)
			taken_add(planner->reached, 0, &route->to.ip, network);
	}
}

/* Those of links whose slot cannot be made right, and of links that stay for want of their
 * replacement. */
static void held_routes_find(struct planner *planner)
{
	for (size_t i = planner->n_attachments; i < planner->n_slots; i++) {
		const struct slot *slot = &planner->slots[i];
		if (slot->verdict.action != ACTION_CREATE && slot->have)
			held_routes_note(planner, slot->ns, slot->have, slot->network->name);
	}
	for (size_t i = 0; i < planner->n_owned; i++) {
		const struct owned *owned = &planner->owned[i];
		if (owned->link->mark.role == ROLE_HOST && owned->replacement &&
		    owned->replacement->verdict.action != ACTION_CREATE)
			held_routes_note(planner, owned->ns, owned->link,
					 owned->link->mark.network);
	}
}

void wants_host_routes(struct planner *planner)
{
	planner->reached = taken_new(planner->scratch, 0);
	held_routes_find(planner);
	for (size_t i = planner->n_attachments; i < planner->n_slots; i++)
		if (planner->slots[i].verdict.action == ACTION_CREATE)
			want_host_routes(planner, &planner->slots[i]);
}
