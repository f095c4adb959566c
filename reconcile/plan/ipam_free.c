#include "reconcile/plan/ipam_free.h"

#include "reconcile/plan/address_claimant.h"
#include "schema/driver.h"

/* Whether the address is kept for a router of the LAN that the file does not declare. Routers have
 * the first address of their subnet, or the last one of an IPv4 subnet with more than two. With an
 * ip_range, the file says which addresses are free. */
static bool is_routers(const struct planned_attachment *planned, const struct subnet *subnet,
		       const struct ip *ip)
{
	const struct prefix *prefix = &subnet->prefix;
	if (subnet->gateway.family || subnet_has_range(subnet) || !planned->network->parent ||
	    link_mode_routes(planned->network->mode) || prefix->len + 2U > ip_bits(ip))
		return false;
	const struct ip before = ip_previous(*ip), after = ip_next(*ip);
	return !prefix_usable(prefix, &before) ||
	       (ip->family == AF_INET && prefix->len < 30 && !prefix_usable(prefix, &after));
}

static bool is_made(const void *data, const struct planned_attachment *planned)
{
	return assigned_to(data, planned)->check_result.action == ACTION_CREATE;
}

/* N_TIERS: the address cannot be chosen. */
static enum tier tier_of(const struct ipam *ipam, const struct planned_attachment *planned,
			 const struct ip *ip)
{
	const struct unmanaged *claim = address_claimant(ipam->matched, ipam->unmanaged,
							 ipam->attachment_claims, planned, ip);
	if (!claim)
		return TIER_FREE;
	if (link_prevents(ipam->matched, planned, claim->link))
		return N_TIERS;
	return claim_ends(ipam->matched, claim, is_made, ipam) ? TIER_RELEASED : TIER_CLAIMED;
}

static bool choosable(const struct ipam *ipam, const struct planned_attachment *planned,
		      const struct subnet *subnet, const struct ip *ip, enum tier tier)
{
	return free_for(ipam, planned, subnet, ip) && !is_routers(planned, subnet, ip) &&
	       tier_of(ipam, planned, ip) <= tier;
}

/* Whether another link in the namespace has the address, on whichever parent. */
static bool in_namespace(const struct ipam *ipam, const struct planned_attachment *planned,
			 const struct ip *ip)
{
	return address_set_holder(ipam->in_namespace, namespace_domain(ipam, planned), ip) != NULL;
}

/* The lowest address from `*ip` on that is choosable, or false. */
static bool next_choosable(const struct ipam *ipam, const struct planned_attachment *planned,
			   const struct subnet *subnet, struct ip *ip, enum tier tier)
{
	while (!choosable(ipam, planned, subnet, ip, tier))
		if (!ip_ranges_next(&subnet->pool, ip))
			return false;
	return true;
}

/* The lowest free address of the subnet, starting where the last search for this network ended.
 * Other namespaces can use an address that only this namespace excludes. */
static bool take_lowest(const struct ipam *ipam, const struct planned_attachment *planned,
			size_t slot, size_t index, enum tier tier)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	struct ip *cursor = &ipam->cursors[tier][planned->resolved->number][index];
	if (!cursor->family)
		*cursor = subnet->pool.items[0].first;
	if (!next_choosable(ipam, planned, subnet, cursor, tier))
		return false;
	struct ip ip = *cursor;
	while (in_namespace(ipam, planned, &ip)) {
		if (!ip_ranges_next(&subnet->pool, &ip) ||
		    !next_choosable(ipam, planned, subnet, &ip, tier))
			return false;
	}
	take(ipam, planned, slot, &ip);
	return true;
}

/* The host gets the highest address: containers get the lowest ones. */
static bool take_highest(const struct ipam *ipam, const struct planned_attachment *planned,
			 size_t slot, size_t index, enum tier tier)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	struct ip ip = subnet->pool.items[subnet->pool.count - 1].last;
	while (!choosable(ipam, planned, subnet, &ip, tier) || in_namespace(ipam, planned, &ip))
		if (!ip_ranges_previous(&subnet->pool, &ip))
			return false;
	take(ipam, planned, slot, &ip);
	return true;
}

static bool request_allows(const struct address_request *request, const struct subnet *subnet)
{
	const struct prefix *within = &request->within;
	return subnet->pool.count && subnet->prefix.ip.family == within->ip.family &&
	       (!within->len || prefix_equal(within, &subnet->prefix));
}

/* Returns the last subnet for the request, which is full; NULL: there is none, or it has a free
 * address. */
static const struct subnet *take_of(const struct ipam *ipam,
				    const struct planned_attachment *planned, size_t slot,
				    enum tier tier)
{
	const struct subnet *full = NULL;
	for (size_t i = 0; i < planned->network->n_subnets; i++) {
		const struct subnet *subnet = &planned->network->subnets[i];
		if (!request_allows(&planned->requests[slot], subnet))
			continue;
		full = subnet;
		if (planned->container ? take_lowest(ipam, planned, slot, i, tier)
				       : take_highest(ipam, planned, slot, i, tier))
			return NULL;
	}
	return full;
}

static const char *pool_text(const struct ipam *ipam, const struct subnet *subnet)
{
	struct arena *arena = ipam->matched->input->arena;
	char text[IP_RANGE_TEXT_SIZE];
	const char *all = NULL;
	for (size_t i = 0; i < subnet->pool.count; i++) {
		ip_range_format(&subnet->pool.items[i], text);
		all = all ? arena_printf(arena, "%s, %s", all, text) : arena_strdup(arena, text);
	}
	return all;
}

void take_free(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot)
{
	if (planned->requests[slot].lease)
		return;
	const struct subnet *full = take_of(ipam, planned, slot, TIER_FREE);
	for (enum tier tier = TIER_RELEASED; full && tier < N_TIERS; tier++)
		full = take_of(ipam, planned, slot, tier);
	struct assigned_ip *assigned = &assigned_to(ipam, planned)->ips[slot];
	assigned->chosen = assigned->ip.family != 0;
	if (!full || assigned_to(ipam, planned)->check_result.action == ACTION_REFUSED)
		return;
	assigned_to(ipam, planned)->check_result = (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_SUBNET_FULL,
		.reason = arena_printf(ipam->matched->input->arena, "no free address in %s",
				       pool_text(ipam, full)),
		.hint = full->exclude.count
				? "remove addresses from the network's `exclude`, or widen its "
				  "ip_range or subnet"
				: "widen the network's ip_range or subnet, or add one to its "
				  "subnets",
	};
}
