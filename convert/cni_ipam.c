/* The address management of CNI's configurations: host-local, static, dhcp and whereabouts.
 * https://www.cni.dev/plugins/current/ipam/, https://github.com/k8snetworkplumbingwg/whereabouts */
#include "convert/cni_internal.h"

#include "convert/address_range.h"
#include "convert/json_read.h"

#include <string.h>

/* Appends the subnet of this prefix; NULL, and a comment, if it overlaps one of the network's. */
static struct subnet *subnet_add(struct cni *cni, struct prefix prefix)
{
	char text[PREFIX_TEXT_SIZE];
	prefix = prefix_subnet(&prefix);
	for (size_t i = 0; i < cni->network.n_subnets; i++) {
		if (!prefix_overlaps(&cni->network.subnets[i].prefix, &prefix))
			continue;
		tree_comment(cni->map, "a further range of %s is not converted",
			     prefix_format(&prefix, text));
		return NULL;
	}
	struct subnet *subnet =
		array_push(cni->arena, cni->network.subnets, cni->network.n_subnets);
	subnet->prefix = prefix;
	(void)array_push(cni->arena, cni->pools, cni->n_pools);
	return subnet;
}

static struct cni_pool *pool_last(struct cni *cni)
{
	return &cni->pools[cni->n_pools - 1];
}

/* The subnet of an earlier range of the same range set, which starts at `before`, or NULL. */
static struct subnet *subnet_since(const struct cni *cni, size_t before,
				   const struct prefix *prefix)
{
	const struct prefix exact = prefix_subnet(prefix);
	for (size_t i = before; i < cni->network.n_subnets; i++)
		if (prefix_equal(&cni->network.subnets[i].prefix, &exact))
			return &cni->network.subnets[i];
	return NULL;
}

/* One range of host-local; false: it has no subnet, and becomes a comment. host-local never assigns
 * the gateway, which is the subnet's first address if the range has none (Range.Canonicalize in
 * plugins/ipam/host-local/backend/allocator/range.go). */
static bool range_take(struct cni *cni, const json_t *range, size_t before)
{
	struct prefix prefix;
	struct ip first, last;
	if (!json_prefix_at(range, "subnet", cni->map, &prefix)) {
		json_unconverted("a range", range, cni->map);
		return false;
	}
	struct subnet *further = subnet_since(cni, before, &prefix);
	struct subnet *subnet = further ? further : subnet_add(cni, prefix);
	if (!subnet) {
		json_unconverted("a range", range, cni->map);
		return false;
	}
	if (further && !further->ip_range.count)
		return true;
	range_usable(&prefix, &first, &last);
	bool limited = json_ip_at(range, "rangeStart", cni->map, &first);
	limited |= json_ip_at(range, "rangeEnd", cni->map, &last);
	if (limited || further)
		subnet_range_add(cni->map, subnet, first, last, NULL);
	if (further)
		return true;
	struct cni_pool *pool = pool_last(cni);
	pool->inferred = !json_ip_at(range, "gateway", cni->map, &pool->router);
	if (pool->inferred)
		pool->router = ip_next(subnet->prefix.ip);
	return true;
}

/* A container gets one address of each range set: marks whether the subnets from `before` on are
 * the second of their family. */
static bool second_of_family(const struct cni *cni, size_t before)
{
	const struct subnet *subnets = cni->network.subnets;
	for (size_t i = 0; i < before && before < cni->network.n_subnets; i++)
		if (subnets[i].prefix.ip.family == subnets[before].prefix.ip.family)
			return true;
	return false;
}

static void second_remove(struct cni *cni, const json_t *ranges, size_t before)
{
	if (!second_of_family(cni, before))
		return;
	json_unconverted("a second address of a family, from", ranges, cni->map);
	cni->network.n_subnets = cni->n_pools = before;
}

/* The address comes from the first range of the set with a free address. */
static void range_set_take(struct cni *cni, const json_t *set)
{
	static const char *const known[] = {"subnet", "rangeStart", "rangeEnd", "gateway", NULL};
	const size_t before = cni->network.n_subnets;
	for (size_t i = 0; i < json_array_size(set); i++)
		if (range_take(cni, json_array_get(set, i), before))
			json_leftovers(json_array_get(set, i), known, cni->map);
	second_remove(cni, set, before);
}

static void host_local_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type",       "ranges",   "routes",  "subnet",
					    "rangeStart", "rangeEnd", "gateway", NULL};
	static const char *const known_ranges[] = {"type", "ranges", "routes", NULL};
	const bool plain = json_object_get(ipam, "subnet") != NULL;
	const json_t *ranges = json_object_get(ipam, "ranges");
	json_leftovers(ipam, plain ? known : known_ranges, cni->map);
	if (plain)
		range_take(cni, ipam, 0);
	for (size_t i = 0; i < json_array_size(ranges); i++)
		range_set_take(cni, json_array_get(ranges, i));
}

static void address_take(struct cni *cni, const json_t *item)
{
	static const char *const known[] = {"address", "gateway", NULL};
	const char *text = json_text_at(item, "address");
	struct prefix prefix;
	if (!text || !prefix_parse(text, &prefix)) {
		json_unconverted("address", item, cni->map);
		return;
	}
	struct ip *address =
		prefix.ip.family == AF_INET ? &cni->attachment.ipv4 : &cni->attachment.ipv6;
	if (address->family) {
		json_unconverted("a second address of a family", item, cni->map);
		return;
	}
	*address = prefix.ip;
	json_leftovers(item, known, cni->map);
	if (subnet_add(cni, prefix))
		json_ip_at(item, "gateway", cni->map, &pool_last(cni)->router);
}

static void static_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type", "addresses", "routes", NULL};
	const json_t *addresses = json_object_get(ipam, "addresses");
	cni->single = true;
	json_leftovers(ipam, known, cni->map);
	for (size_t i = 0; i < json_array_size(addresses); i++)
		address_take(cni, json_array_get(addresses, i));
}

static void dhcp_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type", "routes", NULL};
	cni->network.dhcp = true;
	json_leftovers(ipam, known, cni->map);
}

/* "10.0.0.0/24", or "10.0.0.20-10.0.0.40/24". */
static bool whereabouts_range(struct cni *cni, const json_t *body, struct prefix *prefix,
			      struct ip *first, struct ip *last)
{
	const char *text = json_text_at(body, "range");
	const char *dash = text ? strchr(text, '-') : NULL;
	if (!text || !prefix_parse(dash ? dash + 1 : text, prefix))
		return false;
	const struct ip end = prefix->ip;
	range_usable(prefix, first, last);
	if (dash && !ip_parse(arena_strndup(cni->arena, text, (size_t)(dash - text)), first))
		return false;
	if (dash)
		*last = end;
	json_ip_at(body, "range_start", cni->map, first);
	json_ip_at(body, "range_end", cni->map, last);
	return true;
}

static void whereabouts_pool(struct cni *cni, const json_t *body, const json_t *gateway)
{
	struct prefix prefix;
	struct ip first, last;
	if (!whereabouts_range(cni, body, &prefix, &first, &last)) {
		json_unconverted("range", json_object_get(body, "range"), cni->map);
		return;
	}
	struct subnet *subnet = subnet_add(cni, prefix);
	if (!subnet)
		return;
	subnet_range_add(cni->map, subnet, first, last, json_object_get(body, "exclude"));
	struct ip router;
	if (json_ip_at(gateway, "gateway", cni->map, &router) &&
	    prefix_contains(&subnet->prefix, &router))
		pool_last(cni)->router = router;
}

static void whereabouts_take(struct cni *cni, const json_t *ipam)
{
	static const char *const known[] = {"type",      "range",    "range_start",
					    "range_end", "exclude",  "gateway",
					    "routes",    "ipRanges", NULL};
	static const char *const range_known[] = {"range", "range_start", "range_end", "exclude",
						  NULL};
	const json_t *ranges = json_object_get(ipam, "ipRanges");
	json_leftovers(ipam, known, cni->map);
	if (json_object_get(ipam, "range"))
		whereabouts_pool(cni, ipam, ipam);
	for (size_t i = 0; i < json_array_size(ranges); i++) {
		const size_t before = cni->network.n_subnets;
		json_leftovers(json_array_get(ranges, i), range_known, cni->map);
		whereabouts_pool(cni, json_array_get(ranges, i), ipam);
		second_remove(cni, json_array_get(ranges, i), before);
	}
}

static const struct {
	const char *type;
	void (*take)(struct cni *cni, const json_t *ipam);
} managers[] = {{"host-local", host_local_take},
		{"static", static_take},
		{"dhcp", dhcp_take},
		{"whereabouts", whereabouts_take}};

enum { N_MANAGERS = sizeof(managers) / sizeof(managers[0]) };

void cni_ipam(struct cni *cni, const json_t *ipam)
{
	const char *type = json_text_at(ipam, "type");
	size_t i = 0;
	while (i < N_MANAGERS && (!type || strcmp(managers[i].type, type) != 0))
		i++;
	if (i < N_MANAGERS)
		managers[i].take(cni, ipam);
	else if (ipam)
		json_unconverted("ipam", ipam, cni->map);
	cni_routes(cni, i < N_MANAGERS ? json_object_get(ipam, "routes") : NULL);
	if (!cni->network.n_subnets && !cni->network.dhcp)
		tree_comment(
			cni->map,
			"the configuration has no subnet: write `subnet: ` with the subnet of the LAN");
}
