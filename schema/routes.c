/* Checks of the routes of networks and attachments. */
#include "schema/internal.h"

#include <linux/rtnetlink.h>
#include <string.h>

/* What routes_same compares. */
struct route_key {
	struct prefix to;
	uint32_t table, metric;
};

struct entered_route {
	struct route_key key;
	const struct route *route;
	bool of_network; /* each container of the network has it */
};

static const char *family_name(unsigned family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* Whether the address at `key` has the family of the route's destination; otherwise reports it. */
static bool check_family(struct build *build, const struct scope *scope, const struct route *route,
			 const struct node *item, const char *key, const struct ip *ip)
{
	char to[PREFIX_TEXT_SIZE], text[IP_TEXT_SIZE];
	if (ip->family == route->to.ip.family)
		return true;
	report_key(&build->context, CODE_ROUTE, scope, item, key, NULL,
		   "%s is an %s address, but %s is an %s prefix", ip_format(ip, text),
		   family_name(ip->family), prefix_format(&route->to, to),
		   family_name(route->to.ip.family));
	return false;
}

static void check_destination(struct build *build, const struct scope *scope,
			      const struct network_info *info, const struct route *route,
			      const struct node *item)
{
	struct context *context = &build->context;
	const struct subnet *own = network_subnet(info, &route->to.ip);
	char to[PREFIX_TEXT_SIZE];
	prefix_format(&route->to, to);
	if (route->to.len == 0 && !route->table && !route->options.type)
		report_key(context, CODE_ROUTE, scope, item, "to", DEFAULT_ROUTE_HINT,
			   "%s is the default route", to);
	else if (own && prefix_equal(&own->prefix, &route->to) && !route->table)
		report_key(context, CODE_ROUTE, scope, item, "to", "remove the route",
			   "%s is the network's own subnet, which needs no route", to);
}

/* Whether it is a next hop that the link reaches, as far as is known: the subnet of a lease is not.
 */
static bool is_reached(const struct network_info *info, const struct route *route)
{
	if (info->network->dhcp && route->via.family == AF_INET)
		return true;
	return route->options.on_link || ip_is_link_local(&route->via) || info->unsure ||
	       network_subnet(info, &route->via);
}

static void check_next_hop(struct build *build, const struct scope *scope,
			   const struct network_info *info, const struct route *route,
			   const struct node *item)
{
	struct context *context = &build->context;
	char via[IP_TEXT_SIZE];
	if (!route->via.family && route->options.on_link && !node_get(item, "via"))
		report_key(context, CODE_ROUTE, scope, item, "on_link",
			   "add `via`, or remove `on_link`",
			   "applies to the next hop, which is missing");
	if (!route->via.family)
		return;
	if (check_family(build, scope, route, item, "via", &route->via) && !is_reached(info, route))
		report_key(context, CODE_ROUTE, scope, item, "via",
			   "use a router in a subnet of the network, or add `on_link: true` if the "
			   "router is on this LAN",
			   "%s is not in any subnet of networks.%s", ip_format(&route->via, via),
			   printable_text(context, info->network->name));
}

static void check_options(struct build *build, const struct scope *scope, const struct route *route,
			  const struct node *item)
{
	struct context *context = &build->context;
	const struct route_options *options = &route->options;
	if (options->source.family)
		(void)check_family(build, scope, route, item, "source", &options->source);
	if (options->scope && route->to.ip.family == AF_INET6)
		report_key(context, CODE_ROUTE, scope, item, "scope", "remove `scope`",
			   "applies to IPv4 only");
	else if (options->scope > SCOPE_GLOBAL && route->via.family)
		report_key(context, CODE_ROUTE, scope, item, "scope", "remove `scope` or `via`",
			   "%s has no next hop", route_scope_name(options->scope));
	if (route->table == RT_TABLE_LOCAL || table_is_policy(route->table) ||
	    table_is_source(route->table))
		report_key(context, CODE_ROUTE, scope, item, "table", "choose another number",
			   "%u is a table of %s", route->table,
			   route->table == RT_TABLE_LOCAL ? "the kernel" : "mvapply itself");
}

/* A route that leads nowhere has neither a link nor a packet that passes it. */
static void check_type(struct build *build, const struct scope *scope, const struct route *route,
		       const struct node *item)
{
	static const char *const keys[] = {"via", "on_link", "mtu", "advmss", "scope", "source"};
	for (size_t i = 0; route->options.type && i < sizeof(keys) / sizeof(*keys); i++)
		if (node_get(item, keys[i]))
			report_key(&build->context, CODE_ROUTE, scope, item, keys[i],
				   "remove it, or remove `type`",
				   "does not apply to a route of type %s",
				   route_type_name(route->options.type));
}

/* Whether the container has the route once for both: it belongs to the namespace. */
static bool shared(const struct route *one, const struct route *other)
{
	return one->options.type && one->options.type == other->options.type;
}

/* It outlives the index. */
static struct entered_route *entered_new(struct arena *arena, const struct route *route)
{
	struct entered_route *entered = arena_alloc(arena, sizeof(*entered));
	struct route_key *key = &entered->key; /* zeroed: compared as bytes */
	key->to.ip.family = route->to.ip.family;
	memcpy(key->to.ip.bytes, route->to.ip.bytes, sizeof(key->to.ip.bytes));
	key->to.len = route->to.len;
	key->table = route->table;
	key->metric = route_metric(&route->to, route->options.metric);
	entered->route = route;
	return entered;
}

/* Enters the route; returns an earlier one that is the same to the kernel, or NULL. */
static struct entered_route *route_enter(struct build *build, struct index *seen,
					 const struct route *route, bool of_network)
{
	struct entered_route *entered = entered_new(build->context.scratch, route);
	entered->of_network = of_network;
	return index_put(seen, &entered->key, sizeof(entered->key), entered);
}

static void check_route(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct route *route,
			const struct node *item, struct index *seen)
{
	char to[PREFIX_TEXT_SIZE];
	if (!route->to.ip.family)
		return;
	check_destination(build, scope, info, route, item);
	check_type(build, scope, route, item);
	if (!route->options.type)
		check_next_hop(build, scope, info, route, item);
	check_options(build, scope, route, item);
	struct entered_route *other = route_enter(build, seen, route, false);
	if (other && other->of_network && shared(other->route, route))
		*other = *entered_new(build->context.scratch, route); /* a third one is twice */
	else if (other)
		report_key(&build->context, CODE_ROUTE, scope, item, "to",
			   "remove one of the two, or give them different tables or metrics",
			   "%s already has a route at %s", prefix_format(&route->to, to),
			   place_text(&build->context, &other->route->place));
}

void routes_check(struct build *build, const struct scope *scope, const struct network_info *info,
		  const struct node *body, struct route *routes, size_t count, struct index *seen)
{
	const struct node *list = body ? node_good(body, "routes") : NULL;
	struct scope up = {.up = scope, .name = "routes"}, here = {.up = &up};
	for (struct node *item = list ? list->first : NULL; item && here.index < count;
	     item = item->next, here.index++) {
		struct route *route = &routes[here.index];
		if (route->table == RT_TABLE_MAIN)
			route->table = 0;
		check_route(build, &here, info, route, item, seen);
	}
}

void network_routes_enter(struct build *build, const struct scope *scope,
			  const struct network_info *info, const struct attachment *attachment,
			  const struct node *at, struct index *seen)
{
	const struct network *network = info->network;
	char to[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < network->n_routes; i++) {
		const struct route *route = &network->routes[i];
		if (!route->to.ip.family || attachment_has_route(attachment, route))
			continue;
		const struct entered_route *other = route_enter(build, seen, route, true);
		if (other && other->route != route && !shared(other->route, route))
			report(&build->context, CODE_ROUTE, scope, at,
			       "give one of the two another metric, or list the route in the "
			       "attachment that has to have it",
			       "has a route to %s by networks.%s, and another one in this container "
			       "at %s",
			       prefix_format(&route->to, to),
			       printable_text(&build->context, network->name),
			       place_text(&build->context, &other->route->place));
	}
}

static bool has_table(const struct route *routes, size_t count, uint32_t table)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i].table == table)
			return true;
	return false;
}

/* Whom a rule belongs to is known by the routes in its table. */
static void check_rule(struct build *build, const struct scope *scope,
		       const struct network_info *info, const struct attachment *attachment,
		       const struct routing_rule *rule, const struct node *item)
{
	struct context *context = &build->context;
	const struct network *network = info->network;
	if (!rule->from.ip.family && !rule->to.ip.family && !node_get(item, "from") &&
	    !node_get(item, "to"))
		report(context, CODE_ROUTE, scope, item, "add `from`, `to` or both",
		       "would apply to all packets");
	if (rule->from.ip.family && rule->to.ip.family &&
	    rule->from.ip.family != rule->to.ip.family)
		report_key(context, CODE_ROUTE, scope, item, "to", NULL,
			   "is an %s prefix, but `from` is an %s one",
			   family_name(rule->to.ip.family), family_name(rule->from.ip.family));
	if (rule->table &&
	    !((!attachment || attachment->first) &&
	      has_table(network->routes, network->n_routes, rule->table)) &&
	    !(attachment && has_table(attachment->routes, attachment->n_routes, rule->table)))
		report_key(context, CODE_ROUTE, scope, item, "table",
			   "add a route with this table to `routes`, such as {to: 0.0.0.0/0, via: "
			   "172.16.86.1, table: 100}",
			   "%u has no route of the attachment", rule->table);
}

void rules_check(struct build *build, const struct scope *scope, const struct network_info *info,
		 const struct attachment *attachment, const struct node *body,
		 const struct routing_rule *rules, size_t count)
{
	const struct node *list = body ? node_good(body, "rules") : NULL;
	struct scope up = {.up = scope, .name = "rules"}, here = {.up = &up};
	for (const struct node *item = list ? list->first : NULL; item && here.index < count;
	     item = item->next, here.index++)
		check_rule(build, &here, info, attachment, &rules[here.index], item);
}
