#include "schema/driver.h"
#include "schema/internal.h"

#include <stdlib.h>
#include <string.h>

/* Reports two networks that cannot share their link. */
static void report_sharing(struct build *build, const struct network_info *info, const char *key,
			   const char *hint, const char *problem)
{
	struct context *context = &build->context;
	const struct network *first = info->link->first;
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope scope = {.up = &networks, .name = info->name->text};
	const struct node *value = node_get(info->body, key);

	report(context, CODE_PARENT_SHARED, &scope, value ? value : info->name, hint,
	       "%s: %s already has networks.%s at %s", problem, info->link->title,
	       printable_text(context, first->name), place_text(context, &first->place));
}

/* What the kernel keeps once for all links of a parent, apart from the mode. */
static void check_port(struct build *build, const struct network_info *info)
{
	struct context *context = &build->context;
	const struct network *network = info->network, *first = info->link->first;
	if (network->ipvlan_flag != first->ipvlan_flag)
		report_sharing(
			build, info, "ipvlan_flag",
			hint_text(context, "use `ipvlan_flag: %s` here too, or another parent",
				  ipvlan_flag_name(first->ipvlan_flag)),
			hint_text(
				context,
				"cannot have ipvlan_flag %s beside %s, as the kernel keeps one per "
				"parent",
				ipvlan_flag_name(network->ipvlan_flag),
				ipvlan_flag_name(first->ipvlan_flag)));
	else if (network_bclim(network) != network_bclim(first))
		report_sharing(build, info, "bclim",
			       hint_text(context, "use `bclim: %d` here too, or another parent",
					 network_bclim(first)),
			       hint_text(context,
					 "cannot have bclim %d beside %d, as the kernel keeps one "
					 "per parent",
					 network_bclim(network), network_bclim(first)));
}

static void check_sharing(struct build *build, const struct network_info *info)
{
	struct context *context = &build->context;
	const struct network *network = info->network;
	const struct network *first = info->link ? info->link->first : NULL;
	if (!first) {
		if (info->link)
			info->link->first = network;
		return;
	}
	if (driver_info(network->driver)->handler != driver_info(first->driver)->handler)
		report_sharing(build, info, "driver", "use one driver on it, or another parent",
			       hint_text(context, "cannot be %s on the same parent as %s",
					 driver_name(network->driver), driver_name(first->driver)));
	else if (network->mode == MODE_PASSTHRU || first->mode == MODE_PASSTHRU)
		report_sharing(build, info, network->mode == MODE_PASSTHRU ? "mode" : "parent",
			       "use another mode, or another parent",
			       network->mode == MODE_PASSTHRU
				       ? "is in mode passthru, which needs a parent of its own"
				       : "cannot share a parent with passthru");
	else if (driver_info(network->driver)->one_mode && network->mode != first->mode)
		report_sharing(
			build, info, "mode",
			hint_text(context, "use `mode: %s` here too, or another parent",
				  link_mode_name(first->mode)),
			hint_text(context,
				  "cannot be in mode %s beside mode %s, as %s allows one mode per "
				  "parent",
				  link_mode_name(network->mode), link_mode_name(first->mode),
				  driver_name(network->driver)));
	else
		check_port(build, info);
}

/* The host's own link of the network. */
static void check_host(struct build *build, struct network_info *info)
{
	struct context *context = &build->context;
	const struct host_access *access = &info->network->host;
	const struct node *body = node_good(info->body, "host");
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope network = {.up = &networks, .name = info->name->text};
	struct scope scope = {.up = &network, .name = "host"};
	if (!body || !access->enabled)
		return;

	address_claim(build, &scope, info, body, "ipv4_address", &access->ipv4);
	address_claim(build, &scope, info, body, "ipv6_address", &access->ipv6);
	const struct network_info *other = NULL;
	if (access->interface_name)
		other = host_uniques_enter(build, &build->host_names, access->interface_name,
					   &info->network->hosts, info);
	if (other)
		report_key(context, CODE_INTERFACE_IN_USE, &scope, body, "interface_name",
			   "choose another name",
			   "%s is already the name of the host's link on networks.%s at %s",
			   access->interface_name, printable_text(context, other->network->name),
			   place_text(context, &other->network->host.place));
	else if (access->interface_name && index_get_text(build->links, access->interface_name))
		report_key(context, CODE_INTERFACE_IN_USE, &scope, body, "interface_name",
			   "choose another name", "%s is the parent of a network",
			   access->interface_name);
}

/* By link, then by address; networks without a link come last. */
static int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;
	uint32_t from = left->info->link ? left->info->link->id : UINT32_MAX;
	uint32_t to = right->info->link ? right->info->link->id : UINT32_MAX;
	if (from != to)
		return from < to ? -1 : 1;
	int order = ip_range_compare(&left->range, &right->range);
	return order ? order : (left->order > right->order) - (left->order < right->order);
}

static void report_ranges(struct build *build, const struct range *a, const struct range *b)
{
	const struct range *later = a->order > b->order ? a : b, *first = later == a ? b : a;
	struct context *context = &build->context;
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope network = {.up = &networks, .name = later->info->name->text};
	struct scope scope = {.up = &network, .name = "ip_range"};
	struct scope host = {.up = &scope, .name = later->host};
	char text[IP_RANGE_TEXT_SIZE], other[IP_RANGE_TEXT_SIZE];

	context->source = first->info->source;
	struct place place = place_of(context, first->node);
	context->source = later->info->source;
	report(context, CODE_RANGE_OVERLAP, later->host ? &host : &scope, later->node,
	       later->subnet == first->subnet && later->host == first->host
		       ? "write one range instead of the two"
	       : later->host ? "give each host its own range"
			     : "give each network on a parent its own range",
	       "%s overlaps %s of networks.%s at %s on %s", ip_range_format(&later->range, text),
	       ip_range_format(&first->range, other),
	       printable_text(context, first->info->network->name), place_text(context, &place),
	       later->info->link->title);
}

/* In the order of first addresses, a range that overlaps earlier ones overlaps the one of them that
 * ends last. */
static void check_ranges(struct build *build)
{
	const struct range *before = NULL;
	if (build->n_ranges)
		qsort(build->ranges, build->n_ranges, sizeof(*build->ranges), compare_ranges);
	for (size_t i = 0; i < build->n_ranges; i++) {
		const struct range *range = &build->ranges[i];
		if (!range->info->link)
			return;
		const bool overlaps = before && before->info->link == range->info->link &&
				      ip_compare(&range->range.first, &before->range.last) <= 0;
		if (overlaps)
			report_ranges(build, before, range);
		if (!overlaps || ip_compare(&before->range.last, &range->range.last) < 0)
			before = range;
	}
}

const struct range *range_find(const struct build *build, const struct link *link,
			       const struct ip *ip)
{
	struct network_info info = {.link = &(struct link){.id = link->id}};
	const struct range key = {.range = {.first = *ip, .last.family = UINT8_MAX}, .info = &info};
	size_t low = 0, high = build->n_ranges;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_ranges(&build->ranges[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct range *range = low ? &build->ranges[low - 1] : NULL;
	return range && range->info->link == link && ip_range_contains(&range->range, ip) &&
			       !ip_ranges_contain(&range->subnet->exclude, ip)
		       ? range
		       : NULL;
}

static void each_network(struct build *build, void (*visit)(struct build *, struct network_info *))
{
	for (struct set_info *set = build->sets; set; set = set->next)
		for (size_t i = 0; i < set->set.n_networks; i++) {
			build->context.source = set->infos[i].source;
			visit(build, &set->infos[i]);
		}
}

static void check_exclusive(struct build *build, struct network_info *info)
{
	if (info->broken)
		return;
	check_sharing(build, info);
	check_host(build, info);
}

void networks_check(struct build *build)
{
	links_finish(build);
	each_network(build, network_check);
	each_network(build, check_exclusive);
	check_ranges(build);
}
