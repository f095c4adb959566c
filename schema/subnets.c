#include "schema/internal.h"

#include <stdlib.h>
#include <string.h>

/* Whether a gateway outside of the subnet can be meant: a link-local one (RFC 4861, 6.3.4), one
 * that the file says to be on the LAN, or that of a subnet that has room for one host only. */
static bool gateway_outside(const struct subnet *subnet)
{
	const struct ip *gateway = &subnet->gateway;
	return gateway->family == subnet->prefix.ip.family &&
	       (ip_is_link_local(gateway) || subnet->on_link ||
		subnet->prefix.len == ip_bits(gateway));
}

static void check_gateway(struct build *build, const struct scope *scope, const struct node *body,
			  const struct subnet *subnet)
{
	struct context *context = &build->context;
	const struct ip *gateway = &subnet->gateway;
	char ip[IP_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];
	if (!gateway->family && subnet->on_link && !node_get(body, "gateway"))
		report_key(context, CODE_SUBNET, scope, body, "on_link",
			   "add `gateway`, or remove `on_link`",
			   "applies to the gateway, which is missing");
	if (!gateway->family)
		return;

	ip_format(gateway, ip);
	prefix_format(&subnet->prefix, prefix);
	if (!prefix_contains(&subnet->prefix, gateway)) {
		if (!gateway_outside(subnet))
			report_key(context, CODE_ADDRESS_OUTSIDE, scope, body, "gateway",
				   gateway->family == subnet->prefix.ip.family
					   ? "write the router's address in the subnet, or add "
					     "`on_link: true` if the router is on this LAN"
					   : NULL,
				   "%s is not in subnet %s", ip, prefix);
	} else if (!prefix_usable(&subnet->prefix, gateway)) {
		struct ip first = prefix_first(&subnet->prefix);
		bool is_first = ip_equal(&first, gateway);
		report_key(context, CODE_ADDRESS_RESERVED, scope, body, "gateway",
			   "write the router's own address in the subnet",
			   "%s is the %s address of subnet %s", ip,
			   !is_first                    ? "broadcast"
			   : gateway->family == AF_INET ? "network"
							: "subnet-router anycast",
			   prefix);
	}
}

/* Whether the range is in the subnet; otherwise reports it. */
static bool is_within(struct build *build, const struct scope *scope, const struct node *node,
		      const struct subnet *subnet, const struct ip_range *range)
{
	char text[IP_RANGE_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];
	if (prefix_contains(&subnet->prefix, &range->first) &&
	    prefix_contains(&subnet->prefix, &range->last))
		return true;
	report(&build->context, CODE_ADDRESS_OUTSIDE, scope, node, NULL,
	       "%s is not within subnet %s",
	       ip_range_is_address(range) ? ip_format(&range->first, text)
					  : ip_range_format(range, text),
	       prefix_format(&subnet->prefix, prefix));
	return false;
}

static void check_pool(struct build *build, const struct scope *scope, const struct node *node,
		       const struct subnet *subnet, const struct ip_ranges *ranges)
{
	if (!subnet_pool(subnet, ranges, build->context.scratch).count)
		report(&build->context, CODE_RANGE_EXCLUDED, scope, node,
		       "remove addresses from `exclude`",
		       "leaves no address to allocate: `exclude` contains all of them");
}

static void range_note(struct build *build, struct range range)
{
	range.order = build->n_ranges;
	*array_push(build->context.scratch, build->ranges, build->n_ranges) = range;
}

/* An explicit ip_range, for every host or for one: `node` is a range, or a list. */
static void take_ranges(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct node *node,
			const struct subnet *subnet, const struct ip_ranges *ranges,
			const char *host)
{
	const bool is_list = node->kind == NODE_SEQUENCE;
	const struct node *item = is_list ? node->first : node;
	struct scope here = {.up = scope};
	bool within = ranges->count > 0;
	for (; here.index < ranges->count; here.index++, item = item->next) {
		const struct ip_range *range = &ranges->items[here.index];
		if (is_within(build, is_list ? &here : scope, item, subnet, range))
			range_note(build, (struct range){.range = *range,
							 .info = info,
							 .subnet = subnet,
							 .node = item,
							 .host = host});
		else
			within = false;
	}
	if (within)
		check_pool(build, scope, node, subnet, ranges);
}

static void check_exclude(struct build *build, const struct scope *scope, const struct node *body,
			  const struct subnet *subnet)
{
	const struct node *node = node_good(body, "exclude");
	const bool is_list = node && node->kind == NODE_SEQUENCE;
	const struct node *item = is_list ? node->first : node;
	struct scope up = {.up = scope, .name = "exclude"}, here = {.up = &up};
	for (; item && here.index < subnet->exclude.count; here.index++, item = item->next)
		(void)is_within(build, is_list ? &here : &up, item, subnet,
				&subnet->exclude.items[here.index]);
	if (node && !node_get(body, "ip_range"))
		check_pool(build, &up, node, subnet, &subnet->ip_range);
}

static int compare_hosts(const void *a, const void *b)
{
	return strcmp(((const struct host_range *)a)->host, ((const struct host_range *)b)->host);
}

/* The form `ip_range: {web1: 172.16.86.64/26, ...}`. */
static void check_host_ranges(struct build *build, const struct scope *scope,
			      const struct network_info *info, const struct node *map,
			      struct subnet *subnet)
{
	const struct node *name = map->first;
	build->multi_host = true;
	for (size_t i = 0; i < subnet->n_host_ranges; i++, name = name->next->next) {
		const struct host_range *range = &subnet->host_ranges[i];
		struct scope here = {.up = scope, .name = range->host};
		build->multi_host_unsure |= name->bad || name->next->bad;
		host_note(build, range->host);
		take_ranges(build, &here, info, name->next, subnet, &range->ranges, range->host);
	}
	if (subnet->n_host_ranges)
		qsort(subnet->host_ranges, subnet->n_host_ranges, sizeof(*subnet->host_ranges),
		      compare_hosts);
}

static void check_range(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct node *body,
			struct subnet *subnet)
{
	const struct node *node = node_get(body, "ip_range");
	struct scope here = {.up = scope, .name = "ip_range"};
	build->multi_host_unsure |= node && node->bad;
	if (node && subnet->n_host_ranges)
		check_host_ranges(build, &here, info, node, subnet);
	else if (node)
		take_ranges(build, &here, info, node, subnet, &subnet->ip_range, NULL);
	subnet->pool = subnet_pool(subnet, &subnet->ip_range, build->context.arena);
}

static void check_aux(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct node *body, const struct subnet *subnet)
{
	const struct node *map = node_good(body, "aux_addresses");
	struct scope up = {.up = scope, .name = "aux_addresses"};
	const struct node *name = map ? map->first : NULL;
	char prefix[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < subnet->n_aux && name; i++, name = name->next->next) {
		struct scope here = {.up = &up, .name = name->text};
		const struct ip *ip = &subnet->aux[i].ip;
		if (ip->family && !prefix_contains(&subnet->prefix, ip))
			report(&build->context, CODE_ADDRESS_OUTSIDE, &here, name->next, NULL,
			       "%s is not in subnet %s", name->next->text,
			       prefix_format(&subnet->prefix, prefix));
		else
			address_reserve(build, &here, info, name->next, ip, RESERVED_AUX);
	}
}

/* One subnet, whose keys are in `body`. */
static void check_subnet(struct build *build, const struct scope *scope, struct network_info *info,
			 const struct node *body, struct subnet *subnet)
{
	struct prefix *prefix = &subnet->prefix;
	char text[PREFIX_TEXT_SIZE];
	struct scope gateway = {.up = scope, .name = "gateway"};

	if (!prefix->ip.family) {
		info->unsure = true;
		return;
	}
	if (prefix->ip.family == AF_INET)
		info->has_ipv4 = true;
	else
		info->has_ipv6 = true;
	if (!prefix_is_lan(prefix)) {
		info->unsure = true;
		report_key(&build->context, CODE_SUBNET, scope, body, "subnet",
			   "use a unicast subnet, such as 172.16.86.0/24 or fd00:86::/64",
			   "%s is not a subnet that a LAN can use", prefix_format(prefix, text));
		return;
	}
	check_gateway(build, scope, body, subnet);
	check_exclude(build, scope, body, subnet);
	check_range(build, scope, info, body, subnet);
	if (node_good(body, "gateway"))
		address_reserve(build, &gateway, info, node_get(body, "gateway"), &subnet->gateway,
				RESERVED_GATEWAY);
	check_aux(build, scope, info, body, subnet);
	info->subnets[info->n_subnets++] = subnet;
}

static int compare_subnets(const void *a, const void *b)
{
	const struct subnet *const *left = a, *const *right = b;
	int order = ip_compare(&(*left)->prefix.ip, &(*right)->prefix.ip);
	return order ? order : (*left)->prefix.len - (*right)->prefix.len;
}

static void report_overlap(struct build *build, const struct scope *scope,
			   struct network_info *info, const struct subnet *a,
			   const struct subnet *b)
{
	const struct subnet *later = a > b ? a : b, *first = later == a ? b : a;
	struct node at = {.line = later->place.line, .column = later->place.column};
	char text[PREFIX_TEXT_SIZE], other[PREFIX_TEXT_SIZE];

	info->unsure = true;
	report(&build->context, CODE_SUBNET, scope, &at, "remove one of the two",
	       "has subnet %s, which overlaps %s at %s", prefix_format(&later->prefix, text),
	       prefix_format(&first->prefix, other), place_text(&build->context, &first->place));
}

/* Of two overlapping prefixes one contains the other. So in the order of addresses, an overlap is
 * always with the last prefix that is not itself inside another. */
static void check_overlaps(struct build *build, const struct scope *scope,
			   struct network_info *info)
{
	size_t n = 0;
	qsort(info->subnets, info->n_subnets, sizeof(*info->subnets), compare_subnets);
	for (size_t i = 0; i < info->n_subnets; i++) {
		const struct subnet *subnet = info->subnets[i];
		const struct subnet *outer = n ? info->subnets[n - 1] : NULL;
		if (outer && prefix_overlaps(&outer->prefix, &subnet->prefix))
			report_overlap(build, scope, info, outer, subnet);
		else
			info->subnets[n++] = subnet;
	}
	info->n_subnets = n;
}

/* Reads the subnet that is directly in the network. */
static void check_direct(struct build *build, const struct scope *scope, struct network_info *info,
			 struct network_decl *decl)
{
	struct context *context = &build->context;
	const struct node *value = node_get(info->body, "subnet");
	struct network *network = &decl->network;

	network->subnets = arena_alloc(context->arena, sizeof(*network->subnets));
	*network->subnets = decl->subnet;
	network->n_subnets = 1;
	network->subnets->place = place_of(context, value);
	check_subnet(build, scope, info, info->body, network->subnets);
}

/* The first subnet key that is directly in the network. */
static const char *direct_key(const struct node *body)
{
	for (size_t i = 0; i < subnet_object.n_keys; i++)
		if (node_get(body, subnet_object.keys[i].name))
			return subnet_object.keys[i].name;
	return NULL;
}

static void check_list(struct build *build, const struct scope *scope, struct network_info *info,
		       struct network *network, const struct node *list)
{
	struct scope up = {.up = scope, .name = "subnets"};
	struct scope here = {.up = &up};
	const struct node *item = list->first;

	for (; item && here.index < network->n_subnets; here.index++, item = item->next) {
		struct subnet *subnet = &network->subnets[here.index];
		const struct node *value = node_get(item, "subnet");
		if (value)
			subnet->place = place_of(&build->context, value);
		check_subnet(build, &here, info, item, subnet);
	}
}

/* Its LAN numbers the attachments. */
static bool numbers_itself(const struct network *network)
{
	return network->dhcp || network->accept_ra;
}

void network_check_subnets(struct build *build, const struct scope *scope,
			   struct network_info *info, struct network_decl *decl)
{
	struct context *context = &build->context;
	const struct node *list = node_get(info->body, "subnets");
	const char *direct = direct_key(info->body);
	size_t room = decl->network.n_subnets + 1;
	info->subnets = arena_alloc(context->scratch, room * sizeof(struct subnet *));

	if (list && direct) {
		report_key(context, CODE_SUBNET, scope, info->body, direct,
			   "move it into the list `subnets`", "conflicts with `subnets`");
		info->unsure = true;
		return;
	}
	if (node_get(info->body, "subnet"))
		check_direct(build, scope, info, decl);
	else if (direct && !info->body->incomplete)
		report_key(context, CODE_SUBNET, scope, info->body, direct,
			   decl->network.dhcp
				   ? "remove it, because the DHCP lease supplies it, or add a "
				     "`subnet`"
				   : "add `subnet: 172.16.86.0/24`",
			   "requires `subnet`");
	else if (list && decl->network.n_subnets)
		check_list(build, scope, info, &decl->network, list);
	else if (!info->body->incomplete && !list && !numbers_itself(&decl->network))
		report(context, CODE_SUBNET, scope, info->name,
		       "add `subnet: 172.16.86.0/24`, or `subnets: []` for layer 2 only",
		       "has no subnet");
	if (decl->network.n_subnets == 0 && !numbers_itself(&decl->network) &&
	    !(list && !list->bad))
		info->unsure = true;
	check_overlaps(build, scope, info);
}

const struct subnet *network_subnet(const struct network_info *info, const struct ip *ip)
{
	size_t low = 0, high = info->n_subnets;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ip_compare(&info->subnets[middle]->prefix.ip, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || !prefix_contains(&info->subnets[low - 1]->prefix, ip))
		return NULL;
	return info->subnets[low - 1];
}
