/* Checks of configurations for several hosts, which assign addresses without communication. */
#include "schema/hosts.h"
#include "schema/internal.h"

#include <stdlib.h>
#include <string.h>

#define N_FAMILIES 2

static const struct {
	uint8_t family;
	const char *key;
} families[N_FAMILIES] = {{AF_INET, "ipv4_address"}, {AF_INET6, "ipv6_address"}};

/* A subnet of a network on a link. */
struct site {
	struct network_info *info;
	const struct prefix *prefix;
};

void multi_host_use(struct network_info *info, const struct container *container)
{
	for (size_t i = 0; i < container->hosts.count; i++) {
		const char *host = container->hosts.items[i];
		if (!info->user_host)
			info->user_host = host;
		info->user_hosts |= host_is_glob(host) || strcmp(host, info->user_host) != 0;
	}
}

/* Whether the network or its containers are assigned to several hosts. */
static bool spread(const struct network_info *info)
{
	const struct network *network = info->network;
	if (network->hosts.count)
		return !hosts_only(&network->hosts);
	for (size_t i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].n_host_ranges > 1)
			return true;
	return info->user_hosts;
}

/* The only host of the network or of all its containers; NULL: not known. */
static const char *home(const struct network_info *info)
{
	return info->network->hosts.count ? hosts_only(&info->network->hosts) : info->user_host;
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *left = a, *right = b;
	uint32_t from = left->info->link->id, to = right->info->link->id;
	if (from != to)
		return from < to ? -1 : 1;
	int order = ip_compare(&left->prefix->ip, &right->prefix->ip);
	return order ? order : left->prefix->len - right->prefix->len;
}

static struct site *sites_collect(struct build *build, size_t *ret_count)
{
	struct site *sites = NULL;
	size_t count = 0;
	for (struct set_info *set = build->sets; set; set = set->next)
		for (size_t i = 0; i < set->set.n_networks; i++) {
			struct network_info *info = &set->infos[i];
			for (size_t k = 0; info->link && k < info->n_subnets; k++)
				*array_push(build->context.scratch, sites, count) =
					(struct site){info, &info->subnets[k]->prefix};
		}
	if (count)
		qsort(sites, count, sizeof(*sites), compare_sites);
	*ret_count = count;
	return sites;
}

/* Networks with common addresses are on several hosts if one of them is, or if two are on different
 * ones. */
static void share(struct site *sites, size_t count)
{
	const char *host = NULL;
	bool several = false;
	for (size_t i = 0; i < count; i++) {
		const char *other = home(sites[i].info);
		several |= spread(sites[i].info) || (host && other && strcmp(host, other) != 0);
		host = host ? host : other;
	}
	for (size_t i = 0; i < count; i++)
		sites[i].info->network->several_hosts |= several;
}

static void sites_share(struct build *build)
{
	size_t count;
	struct site *sites = sites_collect(build, &count);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count; end++)
			if (sites[end].info->link != sites[i].info->link ||
			    !prefix_overlaps(sites[i].prefix, sites[end].prefix))
				break;
		share(&sites[i], end - i);
	}
}

/* Whether an address of the family can be chosen there. */
static bool offers(const struct network_info *info, uint8_t family, const char *host)
{
	for (size_t i = 0; i < info->n_subnets; i++) {
		const struct subnet *subnet = info->subnets[i];
		if (subnet->prefix.ip.family != family)
			continue;
		if (subnet->n_host_ranges ? subnet_host_range(subnet, host) != NULL
					  : !info->network->several_hosts)
			return true;
	}
	return false;
}

static void host_assignment_add(const struct network_info *info, const char *host,
				struct host_assignment *assignment)
{
	if (!hosts_have(&info->network->hosts, host)) {
		if (!assignment->other_host)
			assignment->other_host = host;
		return;
	}
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (!assignment->without[i] && !offers(info, families[i].family, host))
			assignment->without[i] = host;
}

/* Globs stand for the matching host names of the input, and for the current host. */
static void host_assignment_search(struct build *build, const struct network_info *info,
				   const struct hosts *hosts, struct host_assignment *assignment)
{
	if (!hosts_affordable(build, hosts, build->n_hosts) ||
	    !hosts_affordable(build, &info->network->hosts, build->n_hosts))
		return;
	for (size_t i = 0; i < build->n_hosts; i++)
		if (hosts_have(hosts, build->hosts[i]))
			host_assignment_add(info, build->hosts[i], assignment);
}

static const char *host_assignment_key(struct build *build, const struct network_info *info,
				       const struct hosts *hosts)
{
	const char *key = hint_text(&build->context, "%p", (const void *)info);
	for (size_t i = 0; i < hosts->count; i++)
		key = hint_text(&build->context, "%s %s", key, hosts->items[i]);
	return key;
}

static struct host_assignment
host_assignment_of(struct build *build, const struct network_info *info, const struct hosts *hosts)
{
	struct host_assignment here = {0};
	if (hosts->count && !hosts_open(hosts)) {
		for (size_t i = 0; i < hosts->count; i++)
			host_assignment_add(info, hosts->items[i], &here);
		return here;
	}
	const char *key = host_assignment_key(build, info, hosts);
	struct host_assignment *known = index_get_text(build->assignments, key);
	if (!known) {
		known = arena_alloc(build->context.scratch, sizeof(*known));
		index_put_text(build->assignments, key, known);
		host_assignment_search(build, info, hosts, known);
	}
	return *known;
}

static bool has_ranges(const struct network_info *info, uint8_t family)
{
	for (size_t i = 0; i < info->n_subnets; i++)
		if (info->subnets[i]->prefix.ip.family == family && info->subnets[i]->n_host_ranges)
			return true;
	return false;
}

/* A chosen address requires a range that no other host chooses from. */
static void check_open(struct build *build, const struct scope *scope,
		       const struct network_info *info, const struct host_assignment *assignment,
		       const struct node *at, size_t family)
{
	struct context *context = &build->context;
	const char *key = families[family].key,
		   *name = printable_text(context, info->network->name);
	const char *without = assignment->without[family];
	bool has = family ? info->has_ipv6 : info->has_ipv4;

	if (!has || info->unsure)
		return;
	if (info->network->several_hosts && !has_ranges(info, families[family].family))
		report(context, CODE_MULTI_HOST_UNASSIGNED, scope, at,
		       hint_text(context,
				 "set %s and list one host in `hosts`, or make the network's "
				 "ip_range a map of hosts to ranges",
				 key),
		       "does not set %s, but networks.%s is on a LAN with several hosts, which "
		       "would allocate addresses from the same range",
		       key, name);
	else if (without)
		report(context, CODE_MULTI_HOST_UNASSIGNED, scope, at,
		       hint_text(context, "add host %s to the ip_range map of networks.%s",
				 printable_text(context, without), name),
		       "does not set %s, and networks.%s has no ip_range for host %s", key, name,
		       printable_text(context, without));
}

/* An explicit address can be on one host only; `host` is that host, or NULL. */
static void check_explicit(struct build *build, const struct scope *scope,
			   const struct network_info *info, const struct node *value,
			   const struct ip *ip, const char *host)
{
	struct context *context = &build->context;
	const struct range *range =
		ip && host && info->link ? range_find(build, info->link, ip) : NULL;

	if (info->network->several_hosts && !host) {
		report(context, CODE_MULTI_HOST_ADDRESS, scope, value,
		       "list one host in `hosts`, or remove the address: each host then "
		       "allocates its own",
		       "%s would be used by several hosts on the LAN of networks.%s", value->text,
		       printable_text(context, info->network->name));
	} else if (range && range->host && strcmp(range->host, host) != 0) {
		char text[IP_RANGE_TEXT_SIZE];
		struct place place = place_of(context, range->node);
		place.file = range->info->source->file;
		report(context, CODE_MULTI_HOST_ADDRESS, scope, value,
		       "choose an address outside that range",
		       "%s is in %s, the range of host %s at %s", value->text,
		       ip_range_format(&range->range, text), printable_text(context, range->host),
		       place_text(context, &place));
	}
}

/* The addresses of one link; unset ones have family 0. `leased`: the DHCP server chooses IPv4, for
 * all hosts. */
static void check_addresses(struct build *build, const struct scope *scope,
			    const struct network_info *info,
			    const struct host_assignment *assignment, const struct node *at,
			    const struct node *body, const struct ip *const ips[N_FAMILIES],
			    const char *host, bool leased)
{
	for (size_t i = 0; i < N_FAMILIES; i++) {
		const struct node *value = body ? node_get(body, families[i].key) : NULL;
		struct scope here = {.up = scope, .name = families[i].key};
		if (value && ips[i]->family)
			check_explicit(build, &here, info, value, ips[i], host);
		else if (!value && !(leased && families[i].family == AF_INET))
			check_open(build, scope, info, assignment, at, i);
	}
}

static void check_access(struct build *build, const struct network_info *info)
{
	const struct network *network = info->network;
	const struct node *body = node_good(info->body, "host");
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope here = {.up = &networks, .name = info->name->text};
	struct scope scope = {.up = &here, .name = "host"};
	const struct ip *const ips[N_FAMILIES] = {&network->host.ipv4, &network->host.ipv6};
	if (!network->host.enabled || !body)
		return;
	struct host_assignment assignment = host_assignment_of(build, info, &network->hosts);
	check_addresses(build, &scope, info, &assignment, body,
			body->kind == NODE_MAPPING ? body : NULL, ips, hosts_only(&network->hosts),
			false);
}

static void check_range_host(struct build *build, const struct range *range)
{
	const struct hosts *hosts = &range->info->network->hosts;
	struct scope root = {0}, networks = {.up = &root, .name = "networks"};
	struct scope network = {.up = &networks, .name = range->info->name->text};
	struct scope here = {.up = &network, .name = "ip_range"};
	struct scope scope = {.up = &here, .name = range->host};
	if (!range->host || !hosts_affordable(build, hosts, 1) || hosts_have(hosts, range->host))
		return;
	build->context.source = range->info->source;
	report(&build->context, CODE_MULTI_HOST_OTHER_HOST, &scope, range->node,
	       "add the host to the network's `hosts`, or remove the range",
	       "is for a host that is not in the network's `hosts`");
}

void multi_host_check_networks(struct build *build)
{
	if (!build->multi_host || build->multi_host_unsure)
		return;
	sites_share(build);
	for (size_t i = 0; i < build->n_ranges; i++)
		check_range_host(build, &build->ranges[i]);
	for (struct set_info *set = build->sets; set; set = set->next)
		for (size_t i = 0; i < set->set.n_networks; i++) {
			build->context.source = set->infos[i].source;
			check_access(build, &set->infos[i]);
		}
}

static void report_other_host(struct build *build, const struct scope *scope,
			      const struct network_info *info, const struct container *container,
			      const struct node *at, const char *host)
{
	struct context *context = &build->context;
	const char *name = printable_text(context, info->network->name);
	report(context, CODE_MULTI_HOST_OTHER_HOST, scope, at,
	       container->hosts.count
		       ? hint_text(context,
				   "add it to the `hosts` of networks.%s, or remove it from those "
				   "of the container",
				   name)
		       : "give the container the `hosts` of its networks",
	       "is not on host %s, but containers.%s is", printable_text(context, host),
	       printable_text(context, container->name));
}

/* The list `addresses`. */
static void check_listed(struct build *build, const struct scope *scope,
			 const struct network_info *info, const struct host_assignment *assignment,
			 const struct attachment *attachment, const struct node *body,
			 const char *host)
{
	struct scope up = {.up = scope, .name = "addresses"}, here = {.up = &up};
	const struct node *list = node_good(body, up.name);
	for (const struct node *item = list ? list->first : NULL;
	     item && here.index < attachment->n_addresses; item = item->next, here.index++) {
		const struct address_entry *address = &attachment->addresses[here.index];
		if (address->fixed)
			check_explicit(build, &here, info, item, &address->within.ip, host);
		else if (address->within.ip.family)
			check_open(build, &here, info, assignment, item,
				   address->within.ip.family == AF_INET6);
	}
}

static void check_attachment(struct build *build, const struct scope *scope,
			     const struct network_info *info, const struct container *container,
			     const struct attachment *attachment, const struct node *at,
			     const struct node *body)
{
	const struct ip *const ips[N_FAMILIES] = {&attachment->ipv4, &attachment->ipv6};
	struct host_assignment assignment = host_assignment_of(build, info, &container->hosts);
	const char *host = hosts_only(&container->hosts);
	if (assignment.other_host) {
		report_other_host(build, scope, info, container, at, assignment.other_host);
		return;
	}
	if (!host)
		host = hosts_only(&info->network->hosts);
	if (attachment->has_addresses)
		check_listed(build, scope, info, &assignment, attachment, body, host);
	else
		check_addresses(build, scope, info, &assignment, at, body, ips, host,
				attachment->dhcp);
	struct scope mac = {.up = scope, .name = "mac_address"};
	if (attachment->mac.set)
		check_explicit(build, &mac, info, node_get(body, mac.name), NULL, host);
}

void multi_host_check_container(struct build *build, struct set_info *set, struct node *name)
{
	struct scope root = {0}, containers = {.up = &root, .name = "containers"};
	struct scope scope = {.up = &containers, .name = name->text};
	struct scope up = {.up = &scope, .name = "networks"};
	const struct container *container = index_get_text(set->containers, name->text);
	const struct node *list = node_good(name->next, "networks");
	const struct node *at = list ? list->first : NULL;
	bool map = list && list->kind == NODE_MAPPING;

	if (build->multi_host_unsure || !container || container->place.line != name->line)
		return;
	for (size_t i = 0; i < container->n_attachments && at; i++) {
		const struct attachment *attachment = &container->attachments[i];
		const struct node *value = map ? at->next : NULL;
		struct scope here = {.up = &up, .name = at->text};
		if (attachment->network)
			check_attachment(build, &here,
					 &set->infos[attachment->network - set->set.networks],
					 container, attachment, at,
					 value && value->kind == NODE_MAPPING ? value : NULL);
		at = map ? at->next->next : at->next;
	}
}
