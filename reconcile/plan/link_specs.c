#include "reconcile/plan/link_specs.h"

#include "kernel/kernel_features.h"
#include "kernel/link_kind.h"
#include "reconcile/state/policy_routing.h"

#include <string.h>

/* RFC 4861 router advertisements would add addresses and routes that the file does not declare. */
static const struct link_sysctl quiet = {.key = ACCEPT_RA_KEY, .value = "0"};
static const struct link_sysctl accepting = {
	.key = ACCEPT_RA_KEY, .value = ACCEPT_RA_ALWAYS, .required = true};

/* The specifications under construction. */
struct specifier {
	const struct assigned *assigned;
	const struct conflicts *conflicts;
	struct link_spec **specs;
	struct arena *arena;         /* until the specifications are complete */
	struct address_set *subnets; /* by namespace and length: the last attachment of each */
	struct address_set *reached; /* routes of the host: the network of each, by name */
};

static const struct assigned_address *address_of(const struct specifier *specifier,
						 const struct planned_attachment *planned)
{
	return &specifier->assigned->addresses->assigned[planned->number];
}

static void addresses_specify(const struct specifier *specifier,
			      const struct planned_attachment *planned, struct link_spec *spec)
{
	const struct assigned_address *address = address_of(specifier, planned);
	for (size_t i = 0; i < address->count; i++) {
		const struct ip *ip = &address->ips[i].ip;
		if (!ip->family)
			continue;
		const struct subnet *subnet = network_subnet_of(planned->network, ip);
		unsigned len = planned->container && subnet ? subnet->prefix.len : ip_bits(ip);
		if (planned->requests[i].lease)
			len = address->lease->prefix.len;
		*array_push(specifier->assigned->input->arena, spec->addrs, spec->n_addrs) =
			(struct prefix){.ip = *ip, .len = (uint8_t)len};
	}
}

/* The attachments with an address in a subnet, so far. */
struct subnet_users {
	const struct planned_attachment *last;
	unsigned rank;
};

/* The attachment's rank among those of the namespace that have the subnet. */
static unsigned subnet_rank(const struct specifier *specifier,
			    const struct planned_attachment *planned, uint8_t len, struct ip first)
{
	const struct netns_groups *groups = &specifier->assigned->attachments->groups;
	const size_t group = (size_t)(planned->netns_group - groups->all);
	const size_t domain = group << 8 | len;
	struct subnet_users *users = (struct subnet_users *)(uintptr_t)address_set_holder(
		specifier->subnets, domain, &first);
	if (!users) {
		users = arena_alloc(specifier->arena, sizeof(*users));
		users->last = planned;
		address_set_add(specifier->subnets, domain, &first, users);
	}
	users->rank += users->last != planned;
	users->last = planned;
	return users->rank;
}

static void rank_raise(struct link_spec *spec, unsigned rank)
{
	spec->subnet_rank = rank > spec->subnet_rank ? rank : spec->subnet_rank;
}

/* In place of a length: leases on a network, whose number is in place of an address. */
#define LEASED UINT8_MAX

/* The first of several attachments with a subnet has its route with the kernel's metric, the next
 * one with a higher one. */
static void rank_specify(const struct specifier *specifier,
			 const struct planned_attachment *planned, struct link_spec *spec)
{
	if (planned->current)
		each_addr_of (addr, planned->ns, planned->current->ifindex)
			spec->ipv6_metric |= addr->prefix.ip.family == AF_INET6 && addr->metric;
	for (size_t i = 0; planned->netns_group && i < spec->n_addrs; i++) {
		const struct prefix *addr = &spec->addrs[i];
		rank_raise(spec, subnet_rank(specifier, planned, addr->len, prefix_first(addr)));
	}
	/* The subnet of a lease is not known before it. */
	struct ip network = {.family = AF_INET};
	memcpy(network.bytes, &planned->resolved->number, sizeof(planned->resolved->number));
	if (planned->netns_group && planned_leases(planned))
		rank_raise(spec, subnet_rank(specifier, planned, LEASED, network));
}

/* IPv4 by DHCP: the current lease with its remaining lifetime. */
static void lease_specify(const struct specifier *specifier,
			  const struct planned_attachment *planned, struct link_spec *spec)
{
	const struct live_addr *lease = address_of(specifier, planned)->lease;
	spec->dhcp = specifier->assigned->routes->assigned[planned->number].dhcp;
	spec->dhcp.gateway = specifier->conflicts->checked[planned->number].gateway;
	spec->dhcp.replaces = specifier->assigned->input->options->adopt;
	if (specifier->conflicts->checked[planned->number].policy[IPV4])
		spec->dhcp.table = POLICY_TABLE;
	if (!spec->dhcp.enabled || !lease)
		return;
	struct addr_terms *terms =
		arena_alloc(specifier->assigned->input->arena, spec->n_addrs * sizeof(*terms));
	for (size_t i = 0; i < spec->n_addrs; i++)
		terms[i] = link_spec_addr_terms(spec, &spec->addrs[i]);
	/* IPv4 is the first. */
	terms[0].valid = lease->valid;
	terms[0].preferred = lease->preferred;
	spec->addr_terms = terms;
}

static void sysctl_add(struct arena *arena, struct link_spec *spec, struct link_sysctl sysctl)
{
	*array_push(arena, spec->sysctls, spec->n_sysctls) = sysctl;
}

static bool has_sysctl(const struct link_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_sysctls; i++)
		if (strcmp(spec->sysctls[i].key, key) == 0)
			return true;
	return false;
}

static bool has_ipv6(const struct link_spec *spec)
{
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (spec->addrs[i].ip.family == AF_INET6)
			return true;
	return false;
}

/* Where IPv6 is disabled, inet6_rtm_newaddr gives EACCES: the link's own setting enables it. */
static void ipv6_specify(const struct specifier *specifier,
			 const struct planned_attachment *planned, struct link_spec *spec)
{
	const struct plan_input *input = specifier->assigned->input;
	const char *live =
		planned->current ? live_sysctl(planned->current, DISABLE_IPV6_KEY) : NULL;
	const bool off = live && strcmp(live, "0") != 0;
	if (!planned->ns || !(planned->ns->ipv6_disabled || off) ||
	    !(has_ipv6(spec) || spec->accept_ra) || has_sysctl(spec, DISABLE_IPV6_KEY))
		return;
	sysctl_add(input->arena, spec,
		   (struct link_sysctl){.key = DISABLE_IPV6_KEY, .value = "0", .required = true});
	if ((off || !planned->current) && attachment_is_made(specifier->conflicts, planned))
		warning_add(input, WARNING_IPV6_ENABLED, planned_label(input, planned), spec->name);
}

static void sysctl_add_default(struct arena *arena, struct link_spec *spec,
			       struct link_sysctl sysctl)
{
	if (!has_sysctl(spec, sysctl.key))
		sysctl_add(arena, spec, sysctl);
}

/* An attachment without an address of the file may have a DHCP client or a router of its own. */
static void accept_ra_specify(const struct specifier *specifier,
			      const struct planned_attachment *planned, struct link_spec *spec)
{
	struct arena *arena = specifier->assigned->input->arena;
	const struct assigned_routes *routes =
		&specifier->assigned->routes->assigned[planned->number];
	const struct link_sysctl default_route = {.key = ACCEPT_RA_DEFRTR_KEY,
						  .value = routes->ra_default ? "1" : "0",
						  .required = true};
	spec->accept_ra = planned_accepts_ra(planned);
	if (spec->accept_ra) {
		sysctl_add_default(arena, spec, accepting);
		sysctl_add_default(arena, spec, default_route);
	} else if (planned->n_requests) {
		sysctl_add_default(arena, spec, quiet);
	}
}

static void sysctls_specify(const struct specifier *specifier,
			    const struct planned_attachment *planned, struct link_spec *spec)
{
	struct arena *arena = specifier->assigned->input->arena;
	for (size_t i = 0; planned->attachment && i < planned->attachment->n_sysctls; i++) {
		const struct sysctl *sysctl = &planned->attachment->sysctls[i];
		sysctl_add(arena, spec,
			   (struct link_sysctl){
				   .key = sysctl->key, .value = sysctl->value, .required = true});
	}
	accept_ra_specify(specifier, planned, spec);
	ipv6_specify(specifier, planned, spec);
}

/* Takes the place of one of another type, or of another program's route, which only --adopt allows
 * (check_routes). `ns` is NULL while there is no container. */
static struct link_route typed_route(const struct live_ns *ns, const struct link_route *assigned)
{
	struct link_route route = *assigned;
	for (size_t i = 0; ns && i < ns->n_routes; i++)
		route.replaces |=
			(ns->routes[i].proto != OWNER_TAG_PROTOCOL || ns->routes[i].options.type) &&
			link_route_is(&route, &ns->routes[i]);
	return route;
}

static void policy_specify(const struct specifier *specifier,
			   const struct planned_attachment *planned, struct link_spec *spec)
{
	static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};
	const struct checked_attachment *checked = &specifier->conflicts->checked[planned->number];
	const struct assigned_routes *assigned =
		&specifier->assigned->routes->assigned[planned->number];
	for (size_t i = 0; i < assigned->n_typed; i++)
		*array_push(specifier->assigned->input->arena, spec->policy.routes,
			    spec->policy.n_routes) = typed_route(planned->ns, &assigned->typed[i]);
	for (size_t i = 0; i < assigned->n_rules; i++)
		*array_push(specifier->assigned->input->arena, spec->policy.rules,
			    spec->policy.n_rules) = assigned->rules[i];
	for (size_t family = 0; family < N_FAMILIES; family++)
		if (checked->policy[family])
			policy_add(specifier->assigned->input->arena, planned->ns, families[family],
				   planned->current, &spec->policy);
}

/* The host's own link is in the VRF of its parent: programs of that VRF reach the containers, and
 * receive what they answer. The kernel keeps its addresses in the VRF's table. */
static void vrf_specify(const struct specifier *specifier, const struct planned_attachment *planned,
			struct link_spec *spec)
{
	const struct live_link *parent = planned->parent->link;
	const struct live_link *vrf =
		planned->container || !parent
			? NULL
			: live_link_vrf(specifier->assigned->input->live->namespaces[0], parent);
	spec->vrf = vrf ? vrf->ifindex : 0;
	spec->vrf_name = vrf ? vrf->name : NULL;
	spec->vrf_table = vrf ? live_vrf_table(vrf) : 0;
}

/* Whether no other set or program can have set that of the parent (macvlan's
 * update_port_bc_cutoff). A partial run does not read all links. */
static bool bclim_is_own(const struct assigned *assigned, const struct planned_attachment *planned)
{
	return !assigned->unmanaged->ports[planned->parent->number].shared &&
	       !assigned->input->live->n_unreadable && !assigned->input->options->partial;
}

/* The settings of the link, and those of all links of its parent. */
static void settings_specify(const struct specifier *specifier,
			     const struct planned_attachment *planned, struct link_spec *spec)
{
	const struct network *network = planned->network;
	const struct link_settings settings = attachment_settings(planned->attachment);
	const bool bclim = !(specifier->assigned->input->live->lacks & FEATURE_BIT(FEATURE_BCLIM));
	spec->has_bclim = network->has_bclim && bclim;
	spec->bclim = bclim ? network_bclim(network) : BCLIM_DEFAULT;
	spec->resets_bclim = bclim_is_own(specifier->assigned, planned);
	spec->ipvlan_flag = network->ipvlan_flag;
	spec->promisc = settings.promisc;
	spec->allmulticast = settings.allmulticast;
	spec->has_txqueuelen = settings.has_txqueuelen;
	spec->txqueuelen =
		settings.has_txqueuelen ? settings.txqueuelen : link_type(spec->kind)->txqueuelen;
	if (!planned->attachment)
		return;
	spec->has_altnames = planned->attachment->has_altnames;
	spec->altnames = planned->attachment->altnames;
	spec->n_altnames = planned->attachment->n_altnames;
}

static bool path_same(const struct live_link *current, const struct owner_tag *tag)
{
	const char *one = current->tag.resolv_conf, *other = tag->resolv_conf;
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static struct link_spec *spec_new(const struct specifier *specifier,
				  const struct planned_attachment *planned)
{
	const struct assigned *assigned = specifier->assigned;
	const struct plan_input *input = assigned->input;
	const struct network *network = planned->network;
	const struct parent *parent = planned->parent;
	const struct checked_attachment *checked = &specifier->conflicts->checked[planned->number];
	struct link_spec *spec = arena_alloc(input->arena, sizeof(*spec));
	*spec = (struct link_spec){
		.tag = planned_tag(planned),
		.ns = planned->ns,
		.name = assigned->names->assigned[planned->number].name,
		.kind = link_kind_of_driver(network->driver),
		.mode = network->mode,
		.mac = checked->mac,
		.mtu = network->mtu ? network->mtu : parent->mtu,
		.has_bcqueuelen = network->has_bcqueuelen,
		.bcqueuelen = network->has_bcqueuelen ? network->bcqueuelen : BCQUEUELEN_DEFAULT,
		.probe = probe_is_needed(input, planned),
		.parent_name = parent->name,
		.parent = parent->link ? parent->link->ifindex : 0,
		.shares_parent = assigned->unmanaged->ports[parent->number].occupied ||
				 input->live->n_unreadable,
		.routes = checked->routes,
		.n_routes = checked->n_routes,
	};
	/* Equal owner tags with one path have equal texts. */
	spec->alias = planned->managed && path_same(planned->current, &spec->tag)
			      ? planned->current->alias
			      : owner_tag_format(input->arena, &spec->tag);
	return spec;
}

static void planned_specify(const struct specifier *specifier,
			    const struct planned_attachment *planned)
{
	struct link_spec *spec = spec_new(specifier, planned);
	settings_specify(specifier, planned, spec);
	addresses_specify(specifier, planned, spec);
	rank_specify(specifier, planned, spec);
	lease_specify(specifier, planned, spec);
	vrf_specify(specifier, planned, spec);
	policy_specify(specifier, planned, spec);
	sysctls_specify(specifier, planned, spec);
	specifier->specs[planned->number] = spec;
}

/* The host's route to one container, unless another network of the host has a route to the same
 * address: a destination has one route. */
static void host_route_add(const struct specifier *specifier, const struct planned_attachment *host,
			   const struct planned_attachment *planned, const struct ip *ip)
{
	const struct plan_input *input = specifier->assigned->input;
	const struct ip *source = assigned_primary(address_of(specifier, host), ip->family);
	struct link_spec *spec = specifier->specs[host->number];
	char text[IP_TEXT_SIZE];
	if (!ip->family || !source->family)
		return;
	const char *before = address_set_holder(specifier->reached, spec->vrf_table, ip);
	if (before && before != host->network->name) {
		warning_add(input, WARNING_UNREACHABLE, planned->container->name,
			    planned->network->name, ip_format(ip, text), before);
		return;
	}
	address_set_add(specifier->reached, spec->vrf_table, ip, host->network->name);
	*array_push(input->arena, spec->routes, spec->n_routes) =
		(struct link_route){.table = spec->vrf_table,
				    .to = {.ip = *ip, .len = (uint8_t)ip_bits(ip)},
				    .options.source = *source};
}

/* A route that the host's link has stays its own, also if another network with the address comes
 * first now. */
static void host_route_keep(const struct specifier *specifier,
			    const struct planned_attachment *host,
			    const struct planned_attachment *planned, const struct ip *ip)
{
	const uint32_t table = specifier->specs[host->number]->vrf_table;
	const struct prefix to = {.ip = *ip, .len = (uint8_t)ip_bits(ip)};
	(void)planned;
	if (!host->current)
		return;
	each_route_of (route, host->ns, host->current->ifindex)
		if (route->proto == OWNER_TAG_PROTOCOL && prefix_equal(&route->to, &to))
			address_set_add(specifier->reached, table, ip, host->network->name);
}

/* Visits each address of the containers that the host's link reaches. */
static void each_reached(const struct specifier *specifier, const struct planned_attachment *host,
			 void (*visit)(const struct specifier *, const struct planned_attachment *,
				       const struct planned_attachment *, const struct ip *))
{
	const struct attachments *attachments = specifier->assigned->attachments;
	for (size_t i = 0; i < attachments->n_containers; i++) {
		const struct planned_attachment *planned = &attachments->planned[i];
		if (planned->resolved != host->resolved ||
		    !attachment_is_made(specifier->conflicts, planned))
			continue;
		const struct assigned_address *address = address_of(specifier, planned);
		for (size_t k = 0; k < address->count; k++)
			visit(specifier, host, planned, &address->ips[k].ip);
	}
}

static void host_routes_specify(const struct specifier *specifier)
{
	const struct attachments *attachments = specifier->assigned->attachments;
	static void (*const visits[])(const struct specifier *, const struct planned_attachment *,
				      const struct planned_attachment *,
				      const struct ip *) = {host_route_keep, host_route_add};
	for (size_t v = 0; v < sizeof(visits) / sizeof(visits[0]); v++)
		for (size_t i = attachments->n_containers; i < attachments->count; i++)
			if (attachment_is_made(specifier->conflicts, &attachments->planned[i]))
				each_reached(specifier, &attachments->planned[i], visits[v]);
}

/* The routes of a host's own link that must stay unchanged. */
static void kept_routes_note(const struct specifier *specifier, const struct live_ns *host,
			     const struct live_link *link, const char *network)
{
	for (size_t i = 0; i < host->n_routes; i++) {
		const struct live_route *route = &host->routes[i];
		if (route->ifindex == link->ifindex && route->proto == OWNER_TAG_PROTOCOL)
			address_set_add(specifier->reached, route->table, &route->to.ip, network);
	}
}

/* The routes of links whose attachment cannot be created as specified, and of links that stay
 * because their replacement cannot be created. */
static void kept_routes_find(const struct specifier *specifier)
{
	const struct attachments *attachments = specifier->assigned->attachments;
	const struct managed_index *index = specifier->assigned->matched->managed;
	for (size_t i = attachments->n_containers; i < attachments->count; i++) {
		const struct planned_attachment *planned = &attachments->planned[i];
		if (!attachment_is_made(specifier->conflicts, planned) && planned->current)
			kept_routes_note(specifier, planned->ns, planned->current,
					 planned->network->name);
	}
	for (size_t i = 0; i < index->count; i++) {
		const struct managed_link *managed = &index->links[i];
		const struct planned_attachment *replacement = attachments->uses[i].replacement;
		if (managed->link->tag.role == ROLE_HOST && replacement &&
		    !attachment_is_made(specifier->conflicts, replacement))
			kept_routes_note(specifier, managed->ns, managed->link,
					 managed->link->tag.network);
	}
}

struct link_specs link_specs_make(const struct assigned *assigned,
				  const struct conflicts *conflicts)
{
	const struct attachments *attachments = assigned->attachments;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct specifier specifier = {
		.assigned = assigned,
		.conflicts = conflicts,
		.specs = arena_alloc(assigned->input->scratch,
				     (attachments->count + 1) * sizeof(struct link_spec *)),
		.arena = arena,
		.subnets = address_set_new(arena, attachments->count),
		.reached = address_set_new(arena, 0)};
	for (size_t i = 0; i < attachments->count; i++)
		planned_specify(&specifier, &attachments->planned[i]);
	kept_routes_find(&specifier);
	host_routes_specify(&specifier);
	return (struct link_specs){.specs = specifier.specs};
}
