/* The routers of a network's subnets, and the other routes of its attachments. */
#include "convert/observed_vote.h"
#include "reconcile/state/policy_routing.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

/* Routes that the kernel did not create: of mvapply's protocol, or manual ones on an adopted link;
 * without those of a lease and of router advertisements. */
static bool route_counts(const struct observed_attachment *attachment,
			 const struct live_route *route)
{
	if ((attachment->model.dhcp && route->to.ip.family == AF_INET) || route->proto == RTPROT_RA)
		return false;
	return route->proto == OWNER_TAG_PROTOCOL ||
	       (attachment->link->tag.role == ROLE_NONE && route->proto != RTPROT_KERNEL);
}

/* The attachment's address in the subnet, or NULL. */
static const struct ip *address_in(const struct observed_attachment *attachment,
				   const struct subnet *subnet)
{
	const struct ip *ip = subnet->prefix.ip.family == AF_INET ? &attachment->model.ipv4
								  : &attachment->model.ipv6;
	return prefix_contains(&subnet->prefix, ip) ? ip : NULL;
}

/* Whether the namespace has a default route of the family. */
static bool has_default(const struct observed_set *set, const struct live_ns *ns, unsigned family)
{
	size_t *known = observed_place(set, "default %u from %p", family, (const void *)ns);
	for (size_t i = 0; !*known && i < ns->n_routes; i++)
		if (live_route_is_default(&ns->routes[i]) && ns->routes[i].to.ip.family == family)
			*known = 1;
	*known = *known ? *known : 2;
	return *known == 1;
}

/* Whether the default route makes its router the gateway of the subnet: it contains the router; or
 * no subnet does, and the attachment has its address there. */
static bool routes_subnet(const struct ballot *ballot, const struct observed_attachment *attachment,
			  const struct subnet *subnet, const struct live_route *route)
{
	const struct ip *router = &route->via;
	if (route->to.len || !(live_route_is_default(route) || live_route_is_source(route)) ||
	    !route_counts(attachment, route) || router->family != subnet->prefix.ip.family)
		return false;
	return observed_subnet_of(ballot->network, router) ? prefix_usable(&subnet->prefix, router)
							   : address_in(attachment, subnet) != NULL;
}

/* The gateway "none" for a container without any default route; NULL if another network has it. */
static const char *router_answer(const struct ballot *ballot, const struct voter *voter,
				 const void *data, char text[VOTE_TEXT_SIZE])
{
	const struct subnet *subnet = data;
	const struct observed_attachment *attachment = voter->attachment;
	const unsigned family = subnet->prefix.ip.family;
	each_route_of (route, attachment->ns, attachment->link->ifindex)
		if (routes_subnet(ballot, attachment, subnet, route))
			return ip_format(&route->via, text);
	if (!address_in(attachment, subnet))
		return NULL;
	return has_default(ballot->set, attachment->ns, family) ? NULL : "none";
}

/* Whether the host's own default route on the parent uses it. */
static bool router_of_host(const struct ballot *ballot, const char *answer, const void *data)
{
	const struct live_ns *host = ballot->set->live->namespaces[0];
	const struct live_link *parent = ballot->network->parent;
	const struct subnet *subnet = data;
	struct ip router;
	if (!parent || !ip_parse(answer, &router))
		return false;
	size_t *known = observed_place(ballot->set, "host default %u on %p",
				       subnet->prefix.ip.family, (const void *)parent);
	if (!*known) {
		*known = 1;
		each_route_of (route, host, parent->ifindex)
			if (!route->to.len && route->to.ip.family == subnet->prefix.ip.family)
				*known = (size_t)(uintptr_t)route;
	}
	return *known != 1 &&
	       ip_equal(&((const struct live_route *)(uintptr_t)*known)->via, &router);
}

static void router_report(const struct ballot *ballot, const struct question *question,
			  const struct poll *poll, const char *most)
{
	const struct voter *other = poll->tied ? poll->tied : poll->other;
	char text[VOTE_TEXT_SIZE];
	if (!other)
		return;
	ballot_dissent(ballot, "%s: %s has %s as router, %s has %s",
		       poll->tied ? "its containers differ: write the right one"
				  : "the value of most containers",
		       poll->winner->container->model.name, most, other->container->model.name,
		       question->answer(ballot, other, question->data, text));
}

static void router_find(const struct ballot *ballot, struct subnet *subnet)
{
	char what[VOTE_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE], text[VOTE_TEXT_SIZE];
	snprintf(what, sizeof(what), "router of %s", prefix_format(&subnet->prefix, prefix));
	const struct question question = {
		.what = what, .answer = router_answer, .of_host = router_of_host, .data = subnet};
	const struct poll poll = ballot_poll(ballot, &question);
	struct ip router;
	if (!poll.winner)
		return;
	const char *answer = router_answer(ballot, poll.winner, subnet, text);
	router_report(ballot, &question, &poll, answer);
	/* The default route of a single container does not turn another container's address into a
	 * router. */
	if (ip_parse(answer, &router) &&
	    (poll.votes > 1 ||
	     !observed_address_in_use(ballot->set, ballot->network->parent, &router)))
		subnet->gateway = router;
	subnet->on_link = subnet->gateway.family && !ip_is_link_local(&router) &&
			  !prefix_contains(&subnet->prefix, &router);
	if (subnet->gateway.family)
		*observed_router(ballot->set, ballot->network, &subnet->gateway) = 1;
}

void observed_routers(const struct observed_set *set, const struct ballot *ballots)
{
	for (size_t i = 0; i < set->n_networks; i++)
		for (size_t k = 0; k < set->networks[i].model.n_subnets; k++)
			router_find(&ballots[i], &set->networks[i].model.subnets[k]);
}

size_t *observed_router(const struct observed_set *set, const struct observed_network *network,
			const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	return observed_place(set, "router %s on %p", ip_format(ip, text),
			      (const void *)network->parent);
}

/* A file must not assign a router's address to an attachment. */
static void address_drop(struct observed_set *set, struct observed_attachment *attachment,
			 struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	if (!ip->family || !*observed_router(set, &set->networks[attachment->network], ip))
		return;
	note_add(set->arena, &attachment->notes, "it also has the address %s, which is a router's",
		 ip_format(ip, text));
	*ip = (struct ip){0};
}

/* Whether it is the default route that the gateway of a subnet makes. */
static bool of_gateway(const struct observed_network *network, const struct live_route *route)
{
	for (size_t i = 0; i < network->model.n_subnets; i++)
		if (ip_equal(&network->model.subnets[i].gateway, &route->via))
			return live_route_is_default(route) && route->via.family;
	return false;
}

/* Without what the kernel, or a default of the file, chooses. */
static struct route route_declared(const struct observed_network *network,
				   const struct live_route *live)
{
	struct route route = {
		.to = live->to, .via = live->via, .table = live->table, .options = live->options};
	route.options.on_link &= !observed_subnet_of(network, &live->via);
	if (live->options.scope == route_scope_default(&live->to, &live->via))
		route.options.scope = SCOPE_DEFAULT;
	if (live->options.metric == route_metric(&live->to, 0))
		route.options.metric = 0;
	return route;
}

/* A file can have it: its router is on the LAN, and it is not the main table's default route. */
static bool declarable(const struct observed_network *network, const struct live_route *route)
{
	const bool reached = !route->via.family || route->options.on_link ||
			     ip_is_link_local(&route->via) ||
			     observed_subnet_of(network, &route->via);
	return reached && !table_is_policy(route->table) && (route->to.len || route->table);
}

static void route_take(struct observed_set *set, const struct observed_network *network,
		       struct observed_attachment *attachment, const struct live_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	if (of_gateway(network, route) || live_route_is_source(route))
		return;
	if (declarable(network, route))
		*array_push(set->arena, attachment->model.routes, attachment->model.n_routes) =
			route_declared(network, route);
	else
		note_add(set->arena, &attachment->notes, "it also has the route %s%s%s",
			 route->to.len ? prefix_format(&route->to, to) : "default",
			 route->via.family ? " via " : "", ip_format(&route->via, via));
}

/* The rules of the file that lead to the link's tables. */
static void rules_take(struct observed_set *set, struct observed_attachment *attachment)
{
	const struct live_ns *ns = attachment->ns;
	for (size_t i = 0; i < ns->n_rules; i++) {
		const struct policy_rule *live = &ns->rules[i].rule;
		if (!live_rule_managed(&ns->rules[i]) || policy_rule_reserved(live) ||
		    policy_rule_link(ns, live) != attachment->link || table_is_source(live->table))
			continue;
		struct routing_rule rule = {.table = live->table};
		if (live->from.len)
			rule.from = live->from;
		if (live->to.len)
			rule.to = live->to;
		if (live->priority != RULE_PRIORITY)
			rule.priority = live->priority;
		*array_push(set->arena, attachment->model.rules, attachment->model.n_rules) = rule;
	}
}

static void typed_take(struct observed_set *set, struct observed_attachment *attachment)
{
	const struct live_ns *ns = attachment->ns;
	each_route_of (live, ns, 0) {
		if (policy_typed_link(ns, live) != attachment->link)
			continue;
		struct route route = {
			.to = live->to, .table = live->table, .options.type = live->options.type};
		if (live->options.metric != route_metric(&live->to, 0))
			route.options.metric = live->options.metric;
		*array_push(set->arena, attachment->model.routes, attachment->model.n_routes) =
			route;
	}
}

void observed_routes(struct observed_set *set, struct observed_attachment *attachment)
{
	const struct observed_network *network = &set->networks[attachment->network];
	address_drop(set, attachment, &attachment->model.ipv4);
	address_drop(set, attachment, &attachment->model.ipv6);
	each_route_of (route, attachment->ns, attachment->link->ifindex)
		if (route_counts(attachment, route))
			route_take(set, network, attachment, route);
	typed_take(set, attachment);
	rules_take(set, attachment);
}
