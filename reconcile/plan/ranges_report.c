/* Warns about networks whose addresses are chosen from the whole subnet: the DHCP server of the LAN
 * assigns addresses of the same subnet. IPv4 alone: where DHCPv6 is used at all, a server does not
 * start at the lowest addresses of a /64. */
#include "reconcile/plan/conflict.h"
#include "schema/driver.h"

#include <arpa/inet.h>
#include <string.h>

/* A network with chosen addresses and no range. */
struct open_network {
	const struct resolved_network *resolved;
	const struct subnet *subnet; /* the first one; NULL: none has chosen addresses */
	bool warn;
	size_t count;       /* of chosen addresses */
	struct prefix live; /* around those that are live; family 0: none is */
};

/* Blocks that are tried for a range. */
#define TRIES_MAX 16
/* A longer prefix has no room for a range and a DHCP server. */
#define SUBNET_LENGTH_MAX 29

static uint32_t number_of(const struct ip *ip)
{
	uint32_t number;
	memcpy(&number, ip->bytes, sizeof(number));
	return ntohl(number);
}

static struct prefix block_of(uint32_t number, unsigned len)
{
	struct prefix block = {.ip = {.family = AF_INET}, .len = (uint8_t)len};
	const uint32_t bytes = htonl(len ? number & UINT32_MAX << (32 - len) : 0);
	memcpy(block.ip.bytes, &bytes, sizeof(bytes));
	return block;
}

static bool overlaps_range(const struct prefix *block, const struct subnet *subnet)
{
	if (ip_ranges_overlap(&subnet->ip_range, block))
		return true;
	for (size_t i = 0; i < subnet->n_host_ranges; i++)
		if (ip_ranges_overlap(&subnet->host_ranges[i].ranges, block))
			return true;
	return false;
}

/* Ranges of networks on one parent must not overlap. */
static bool is_free(const struct parents *parents, const struct parent *parent,
		    const struct prefix *block)
{
	for (size_t i = 0; i < parents->n_networks; i++) {
		const struct resolved_network *resolved = &parents->networks[i];
		for (size_t k = 0; resolved->parent == parent && k < resolved->network->n_subnets;
		     k++)
			if (overlaps_range(block, &resolved->network->subnets[k]))
				return false;
	}
	return true;
}

static bool has_fixed(const struct assigned *assigned, const struct open_network *open,
		      const struct prefix *block)
{
	const struct live_ns *host = assigned->input->live->namespaces[0];
	const struct live_link *link = open->resolved->parent->link;
	if (prefix_contains(block, &open->subnet->gateway))
		return true;
	for (size_t i = 0; link && i < host->n_addrs; i++)
		if (host->addrs[i].ifindex == link->ifindex &&
		    prefix_contains(block, &host->addrs[i].prefix.ip))
			return true;
	return false;
}

/* Twice as many as are chosen now. */
static bool has_room(unsigned len, size_t count)
{
	return (uint64_t)1 << (32 - len) >= 2 * (uint64_t)count;
}

/* A block around the live addresses, so that no attachment moves; family 0: there is none. */
static struct prefix range_around(const struct assigned *assigned, const struct open_network *open)
{
	unsigned len = open->live.len;
	while (len > open->subnet->prefix.len && !has_room(len, open->count))
		len--;
	const struct prefix block = block_of(number_of(&open->live.ip), len);
	const bool fits = open->live.ip.family && len > open->subnet->prefix.len &&
			  is_free(assigned->matched->parents, open->resolved->parent, &block);
	return fits ? block : (struct prefix){0};
}

/* The eighth of the subnet that begins at three quarters of it, 256 addresses at most; or one
 * nearby. */
static struct prefix range_find(const struct assigned *assigned, const struct open_network *open)
{
	const unsigned subnet_len = open->subnet->prefix.len;
	unsigned len = subnet_len + 3 > 24 ? subnet_len + 3 : 24;
	if (len > 30)
		len = 30;
	while (len > subnet_len + 1 && !has_room(len, open->count))
		len--;
	const uint32_t first = number_of(&open->subnet->prefix.ip), size = 1U << (32 - len);
	const uint32_t blocks = 1U << (len - subnet_len), start = blocks * 3 / 4;
	for (uint32_t i = 0; i < blocks && i < TRIES_MAX; i++) {
		const uint32_t index = i <= start ? start - i : i;
		const struct prefix block = block_of(first + index % blocks * size, len);
		if (!has_fixed(assigned, open, &block) &&
		    is_free(assigned->matched->parents, open->resolved->parent, &block))
			return block;
	}
	return (struct prefix){0};
}

static const char *range_text(const struct assigned *assigned, const struct open_network *open)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix range = range_around(assigned, open);
	if (!range.ip.family)
		range = range_find(assigned, open);
	return range.ip.family ? arena_printf(assigned->input->arena, "ip_range: %s",
					      prefix_format(&range, text))
			       : "ip_range: ADDRESS/LENGTH";
}

static bool has_dhcp_attachment(const struct plan_input *input, const struct network *network)
{
	return network->parent && !network->internal && !network->probe && !input->options->probe &&
	       !link_mode_routes(network->mode);
}

/* Whether mvapply chooses the address, of IPv4. */
static bool is_open(const struct address_request *request)
{
	return request->within.ip.family == AF_INET && !request->fixed && !request->lease;
}

/* The longest prefix with both. */
static struct prefix prefix_join(const struct prefix *prefix, const struct ip *ip)
{
	unsigned len = prefix->ip.family ? prefix->len : ip_bits(ip);
	const uint32_t number = number_of(ip);
	while (len && !prefix_contains(&(struct prefix){prefix->ip, (uint8_t)len}, ip) &&
	       prefix->ip.family)
		len--;
	return block_of(number, len);
}

static void address_note(const struct assigned *assigned, const struct conflicts *conflicts,
			 const struct planned_attachment *planned, size_t slot,
			 struct open_network *open)
{
	const bool thorough = assigned->input->options->thorough;
	const struct assigned_ip *address =
		&assigned->addresses->assigned[planned->number].ips[slot];
	const struct ip *ip = &address->ip;
	const struct subnet *subnet = ip->family ? network_subnet_of(planned->network, ip) : NULL;
	if (!subnet || subnet_has_range(subnet) || subnet->exclude.count ||
	    subnet->prefix.len > SUBNET_LENGTH_MAX ||
	    (!thorough && !attachment_is_made(conflicts, planned)))
		return;
	open->resolved = planned->resolved;
	open->subnet = open->subnet ? open->subnet : subnet;
	open->warn |= thorough || address->chosen;
	open->count++;
	if (!address->chosen)
		open->live = prefix_join(&open->live, ip);
}

void ranges_report(const struct assigned *assigned, const struct conflicts *conflicts)
{
	const struct plan_input *input = assigned->input;
	const size_t n_networks = assigned->matched->parents->n_networks;
	struct open_network *all = arena_alloc(input->scratch, (n_networks + 1) * sizeof(*all));
	for (size_t i = 0; i < assigned->attachments->count; i++) {
		const struct planned_attachment *planned = &assigned->attachments->planned[i];
		for (size_t slot = 0; slot < planned->n_requests; slot++)
			if (is_open(&planned->requests[slot]) &&
			    has_dhcp_attachment(input, planned->network))
				address_note(assigned, conflicts, planned, slot,
					     &all[planned->resolved->number]);
	}
	for (size_t i = 0; i < n_networks; i++)
		if (all[i].warn)
			warning_add(input, WARNING_NO_RANGE, all[i].resolved->network->name,
				    all[i].resolved->set->name, range_text(assigned, &all[i]));
}
