/* Checks that a network's subnets are those of its parent, as far as the parent has addresses. */
#include "cmd/doctor/doctor.h"
#include "schema/driver.h"

/* fc00::/7, RFC 4193. */
static bool is_unique_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && (ip->bytes[0] & 0xfe) == 0xfc;
}

/* Whether the address says which subnet the LAN has: those of a link do not (RFC 3927, RFC 4291),
 * nor those without a subnet. A LAN may have subnets of unique local and of global addresses. */
static bool shows_subnet(const struct live_addr *addr, const struct prefix *subnet)
{
	static const struct prefix autoconfigured = {{AF_INET, {169, 254}}, 16};
	const struct ip *ip = &addr->prefix.ip;
	return ip->family == subnet->ip.family && addr->prefix.len < ip_bits(ip) &&
	       !prefix_contains(&autoconfigured, ip) && !ip_is_link_local(ip) &&
	       is_unique_local(ip) == is_unique_local(&subnet->ip);
}

/* An address of the parent that is of another subnet; NULL: one is of this subnet, or none says so.
 * One whose subnet overlaps is the better witness. */
static const struct live_addr *other_subnet(const struct live_ns *host,
					    const struct live_link *parent,
					    const struct prefix *subnet)
{
	const struct live_addr *other = NULL;
	each_addr_of (addr, host, parent->ifindex) {
		if (!shows_subnet(addr, subnet))
			continue;
		if (prefix_contains(subnet, &addr->prefix.ip) && addr->prefix.len == subnet->len)
			return NULL;
		if (!other || (prefix_overlaps(subnet, &addr->prefix) &&
			       !prefix_overlaps(subnet, &other->prefix)))
			other = addr;
	}
	return other;
}

void examine_subnets(struct examination *examination, const struct network *network,
		     const struct live_link *parent)
{
	struct arena *arena = examination->arena;
	const struct live_ns *host = examination->run->live->namespaces[0];
	char text[PREFIX_TEXT_SIZE], subnet[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < network->n_subnets && !link_mode_routes(network->mode); i++) {
		const struct prefix *prefix = &network->subnets[i].prefix;
		const struct live_addr *other = other_subnet(host, parent, prefix);
		if (!other)
			continue;
		finding_add(examination, FINDING_WARNING, parent->name,
			    arena_printf(arena, "has the address %s, but %s declares the subnet %s",
					 prefix_format(&other->prefix, text), network->name,
					 prefix_format(prefix, subnet)),
			    arena_printf(arena,
					 "correct `subnet` or `parent` of %s; if the LAN has both "
					 "subnets, ignore this",
					 network->name))
			->code = CODE_SUBNET_OTHER;
	}
}
