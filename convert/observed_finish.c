/* Derives the properties that require all links of a set. */
#include "convert/observed_vote.h"
#include "kernel/link_kind.h"
#include "schema/name_rules.h"
#include "schema/source_text.h"

#include "reconcile/state/policy_routing.h"

#include <limits.h>
#include <linux/ipv6_route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IPV4, IPV6, N_FAMILIES };

/* ethN by its number, then other names. */
static unsigned long ethn(const char *name)
{
	char *end;
	if (strncmp(name, "eth", 3) != 0 || name[3] < '0' || name[3] > '9')
		return ULONG_MAX;
	unsigned long number = strtoul(name + 3, &end, 10);
	return *end ? ULONG_MAX : number;
}

/* The metric of the routes to its subnets: of two links with one subnet, the first in the file has
 * the lower one. */
static uint32_t subnet_metric(const struct observed_attachment *attachment)
{
	uint32_t metric = 0;
	each_addr_of (addr, attachment->ns, attachment->link->ifindex) {
		const bool ipv6 = addr->prefix.ip.family == AF_INET6;
		const uint32_t above = ipv6 && addr->metric >= IP6_RT_PRIO_ADDRCONF
					       ? addr->metric - IP6_RT_PRIO_ADDRCONF
					       : addr->metric;
		metric = above > metric ? above : metric;
	}
	return metric;
}

static int attachment_compare(const void *a, const void *b)
{
	const uint32_t first = subnet_metric(a), second = subnet_metric(b);
	if (first != second)
		return first < second ? -1 : 1;
	const char *left = ((const struct observed_attachment *)a)->link->name;
	const char *right = ((const struct observed_attachment *)b)->link->name;
	unsigned long from = ethn(left), to = ethn(right);
	if (from != to)
		return from < to ? -1 : 1;
	return strcmp(left, right);
}

static const char *name_in_file(const char *name)
{
	const char *ignored;
	const bool fits =
		!text_problem(KEY_INTERFACE, name, &ignored) && text_printable(name, strlen(name));
	return fits ? name : NULL;
}

static bool altname_fits(const char *name)
{
	const char *ignored;
	return !text_problem(KEY_ALTNAME, name, &ignored) && text_printable(name, strlen(name));
}

/* What differs from the kernel's defaults. Whoever controls the namespace chooses the altnames. */
static void settings_take(struct arena *arena, struct observed_attachment *attachment)
{
	const struct live_link *link = attachment->link;
	struct attachment *model = &attachment->model;
	model->settings = (struct link_settings){
		.promisc = link->flags & IFF_PROMISC,
		.has_promisc = link->flags & IFF_PROMISC,
		.allmulticast = link->flags & IFF_ALLMULTI,
		.has_allmulticast = link->flags & IFF_ALLMULTI,
		.has_txqueuelen = link->txqueuelen != link_type(link->kind)->txqueuelen,
		.txqueuelen = link->txqueuelen};
	for (size_t i = 0; i < link->n_altnames; i++) {
		if (altname_fits(link->altnames[i]))
			*array_push(arena, model->altnames, model->n_altnames) = link->altnames[i];
		else
			note_add(arena, &attachment->notes,
				 "its link has an altname that a configuration cannot contain");
	}
	model->has_altnames = model->n_altnames;
}

/* The Nth attachment is named ethN by default; an adopted link is found by its name. */
static void names_finish(const struct observed_set *set, struct observed_container *container)
{
	qsort(container->attachments, container->n_attachments, sizeof(*container->attachments),
	      attachment_compare);
	for (size_t i = 0; i < container->n_attachments; i++) {
		struct observed_attachment *attachment = &container->attachments[i];
		char chosen[32];
		snprintf(chosen, sizeof(chosen), "eth%zu", i);
		settings_take(set->arena, attachment);
		if (!set->adopting && strcmp(attachment->link->name, chosen) == 0)
			continue;
		attachment->model.interface_name = name_in_file(attachment->link->name);
		if (!attachment->model.interface_name)
			note_add(set->arena, &attachment->notes,
				 "its link has a name that a configuration cannot contain");
	}
}

/* Whether it takes the default route of router advertisements, also before the first one. */
static bool takes_advertised(const struct observed_attachment *attachment, size_t family)
{
	const char *taken = live_sysctl(attachment->link, ACCEPT_RA_DEFRTR_KEY);
	return family == IPV6 && attachment->model.accept_ra && taken && strcmp(taken, "0") != 0;
}

static bool has_default_route(const struct observed_attachment *attachment, size_t family)
{
	const uint8_t families[] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};
	if (takes_advertised(attachment, family))
		return true;
	each_route_of (route, attachment->ns, attachment->link->ifindex)
		if (live_route_is_default(route) && route->to.ip.family == families[family])
			return true;
	return false;
}

/* Whether its default route is beside that of another program. */
static bool leads_beside(const struct observed_attachment *attachment, size_t family)
{
	each_route_of (route, attachment->ns, attachment->link->ifindex)
		if (live_policy_default(route, family == IPV4 ? AF_INET : AF_INET6))
			return true;
	return false;
}

static bool has_router(const struct observed_set *set, const struct observed_attachment *attachment,
		       size_t family)
{
	const struct ip *ip = family == IPV4 ? &attachment->model.ipv4 : &attachment->model.ipv6;
	const struct subnet *subnet =
		ip->family ? observed_subnet_of(&set->networks[attachment->network], ip) : NULL;
	return subnet && subnet->gateway.family;
}

static bool has_gateway(const struct observed_set *set,
			const struct observed_attachment *attachment, size_t family)
{
	return (family == IPV4 ? attachment->model.dhcp : attachment->model.accept_ra) ||
	       has_router(set, attachment, family);
}

/* Of two, the one that precedes the other in the declaration; NULL: none. */
static const struct observed_attachment *preferred(const struct observed_attachment *a,
						   const struct observed_attachment *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->model.gw_priority != b->model.gw_priority)
		return a->model.gw_priority > b->model.gw_priority ? a : b;
	return a < b ? a : b;
}

/* The attachment that gets the default route by the rules of the declaration. */
static const struct observed_attachment *
winner(const struct observed_set *set, const struct observed_container *container, size_t family)
{
	const struct observed_attachment *best = NULL;
	for (size_t i = 0; i < container->n_attachments; i++)
		if (has_gateway(set, &container->attachments[i], family))
			best = preferred(best, &container->attachments[i]);
	return best;
}

static void priority_raise(const struct observed_set *set, struct observed_container *container,
			   size_t family)
{
	const struct observed_attachment *best = winner(set, container, family);
	for (size_t i = 0; i < container->n_attachments; i++) {
		struct observed_attachment *attachment = &container->attachments[i];
		const bool beside = leads_beside(attachment, family);
		if ((attachment == best && !beside) || !has_default_route(attachment, family))
			continue;
		attachment->model.gw_priority = 1;
		if (has_gateway(set, attachment, family))
			best = preferred(best, attachment);
	}
}

/* `best` has the default route of IPv6 by the rules of the declaration. */
static void ra_defaults_finish(struct observed_set *set, struct observed_container *container,
			       const struct observed_attachment *best)
{
	for (size_t i = 0; i < container->n_attachments; i++) {
		struct observed_attachment *attachment = &container->attachments[i];
		if (attachment->model.accept_ra)
			observed_ra_default(set, attachment,
					    attachment == best &&
						    !has_router(set, attachment, IPV6));
	}
}

static void priority_finish(struct observed_set *set, struct observed_container *container)
{
	for (size_t family = 0; family < N_FAMILIES; family++)
		priority_raise(set, container, family);
	for (size_t family = 0; family < N_FAMILIES; family++) {
		const struct observed_attachment *best = winner(set, container, family);
		if (family == IPV6)
			ra_defaults_finish(set, container, best);
		if (best && !has_default_route(best, family) &&
		    !(family == IPV6 && best->model.accept_ra))
			note_add(set->arena, &container->notes,
				 "its %s default route does not lead through %s, but this "
				 "declaration sets it there",
				 family == IPV4 ? "IPv4" : "IPv6", best->model.name);
	}
}

/* One link with a rule that leads to a table of its own shows that the container has
 * `policy_routing`. */
static void policy_finish(struct observed_container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++) {
		const struct observed_attachment *attachment = &container->attachments[i];
		const struct live_ns *ns = attachment->ns;
		for (size_t k = 0; k < ns->n_rules; k++)
			container->model.policy_routing |=
				live_rule_managed(&ns->rules[k]) &&
				table_is_source(ns->rules[k].rule.table) &&
				policy_rule_link(ns, &ns->rules[k].rule) == attachment->link;
	}
}

/* The longest prefix, from `len` down, in which a host can have the address. */
static struct prefix prefix_around(const struct ip *ip, uint8_t len)
{
	struct prefix prefix = {.ip = *ip, .len = len};
	while (prefix.len > 1) {
		struct prefix masked = prefix_subnet(&prefix);
		if (prefix_usable(&masked, ip))
			return masked;
		prefix.len--;
	}
	return prefix;
}

/* The host's own address is a /32 or /128 and does not reveal the subnet. */
static void host_subnet_finish(struct observed_set *set, struct observed_network *network,
			       const struct ip *ip)
{
	struct network *model = &network->model;
	if (!ip->family || network_subnet_of(model, ip))
		return;
	struct subnet *subnet = array_push(set->arena, model->subnets, model->n_subnets);
	subnet->prefix = prefix_around(ip, ip->family == AF_INET ? 24 : 64);
	note_add(set->arena, &network->notes,
		 "the subnet of the host's address is not known from any container: write the "
		 "right one");
}

/* The subnet of the host's own address on the parent, if it has one. */
static bool parent_subnet(const struct observed_set *set, const struct live_link *parent,
			  struct prefix *ret)
{
	if (!parent)
		return false;
	each_addr_of (addr, set->live->namespaces[0], parent->ifindex) {
		const struct prefix *address = &addr->prefix;
		if (address->ip.family != AF_INET || address->len >= 31)
			continue;
		*ret = prefix_subnet(address);
		return true;
	}
	return false;
}

typedef void attachment_visit(struct observed_set *set, struct observed_attachment *attachment);

static void each_attachment(struct observed_set *set, attachment_visit *visit)
{
	for (size_t i = 0; i < set->n_containers; i++)
		for (size_t k = 0; k < set->containers[i].n_attachments; k++)
			visit(set, &set->containers[i].attachments[k]);
}

/* If most of a network's attachments have leases, the network gets `dhcp` instead of them. */
static void dhcp_finish(const struct ballot *ballot)
{
	size_t leases = 0, fixed = 0;
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const struct attachment *model = &ballot->voters[i].attachment->model;
		const bool counts = ballot_counts(ballot, &ballot->voters[i]);
		leases += counts && model->dhcp;
		fixed += counts && !model->dhcp && model->ipv4.family;
	}
	ballot->network->model.dhcp = leases > fixed;
	for (size_t i = 0; leases > fixed && i < ballot->n_voters; i++) {
		struct attachment *model = &ballot->voters[i].attachment->model;
		model->has_dhcp = !model->dhcp && model->ipv4.family;
	}
}

/* If most of a network's attachments accept router advertisements, the network gets `accept_ra`
 * instead of them. */
static void accept_ra_finish(const struct ballot *ballot)
{
	size_t accept = 0, counted = 0;
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const bool counts = ballot_counts(ballot, &ballot->voters[i]);
		counted += counts;
		accept += counts && ballot->voters[i].attachment->model.accept_ra;
	}
	ballot->network->model.accept_ra = 2 * accept > counted;
	for (size_t i = 0; i < ballot->n_voters; i++) {
		struct attachment *model = &ballot->voters[i].attachment->model;
		model->has_accept_ra = model->accept_ra != ballot->network->model.accept_ra;
	}
}

static void numbering_finish(const struct ballot *ballot)
{
	dhcp_finish(ballot);
	accept_ra_finish(ballot);
}

/* Whether its attachments are live and have no address: it is of layer 2 only. */
static bool is_layer2(const struct ballot *ballot)
{
	size_t managed = 0;
	for (size_t i = 0; i < ballot->n_voters; i++)
		managed += ballot->voters[i].attachment->link->tag.role != ROLE_NONE;
	return managed > 0;
}

/* A network requires a subnet, or DHCP. The placeholder is a documentation prefix of RFC 5737,
 * which no LAN uses. */
static void empty_finish(struct observed_set *set, const struct ballot *ballot,
			 struct observed_network *network)
{
	struct network *model = &network->model;
	if (model->n_subnets || model->dhcp || model->accept_ra || is_layer2(ballot))
		return;
	struct subnet *subnet = array_push(set->arena, model->subnets, model->n_subnets);
	if (!parent_subnet(set, network->parent, &subnet->prefix))
		(void)prefix_parse("192.0.2.0/24", &subnet->prefix);
	note_add(set->arena, &network->notes,
		 "no container is attached to it, so its subnet is unknown: write the right one");
}

static int container_compare(const void *a, const void *b)
{
	return strcmp(((const struct observed_container *)a)->model.name,
		      ((const struct observed_container *)b)->model.name);
}

void observed_finish(struct observed_set *set)
{
	if (set->n_containers)
		qsort(set->containers, set->n_containers, sizeof(*set->containers),
		      container_compare);
	const struct ballot *ballots = ballots_make(set);
	observed_routers(set, ballots);
	each_attachment(set, observed_routes);
	for (size_t i = 0; i < set->n_networks; i++)
		numbering_finish(&ballots[i]);
	for (size_t i = 0; i < set->n_containers; i++) {
		names_finish(set, &set->containers[i]);
		priority_finish(set, &set->containers[i]);
		policy_finish(&set->containers[i]);
	}
	for (size_t i = 0; i < set->n_networks; i++) {
		struct observed_network *network = &set->networks[i];
		host_subnet_finish(set, network, &network->model.host.ipv4);
		host_subnet_finish(set, network, &network->model.host.ipv6);
		empty_finish(set, &ballots[i], network);
	}
}
