#include "schema/internal.h"

#include <string.h>

static const char *family_name(unsigned family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static void check_route(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct route *route,
			const struct node *item)
{
	struct context *context = &build->context;
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	prefix_format(&route->to, to);
	ip_format(&route->via, via);

	if (!route->to.ip.family)
		return;
	if (route->to.len == 0) {
		report_key(context, CODE_ROUTE, scope, item, "to", DEFAULT_ROUTE_HINT,
			   "%s is the default route", to);
		return;
	}
	const struct subnet *own = network_subnet(info, &route->to.ip);
	if (own && prefix_equal(&own->prefix, &route->to))
		report_key(context, CODE_ROUTE, scope, item, "to", "remove the route",
			   "%s is the network's own subnet, which needs no route", to);
	if (!route->via.family)
		return;
	if (route->via.family != route->to.ip.family)
		report_key(context, CODE_ROUTE, scope, item, "via", NULL,
			   "%s is an %s address, but %s is an %s prefix", via,
			   family_name(route->via.family), to, family_name(route->to.ip.family));
	else if (!network_subnet(info, &route->via) && !info->unsure)
		report_key(context, CODE_ROUTE, scope, item, "via",
			   "use a router in a subnet of the network",
			   "%s is not in any subnet of networks.%s", via,
			   printable_text(context, info->network->name));
}

static void check_routes(struct build *build, const struct scope *scope,
			 const struct network_info *info, const struct attachment *attachment,
			 const struct node *body, struct index **seen)
{
	struct context *context = &build->context;
	const struct node *list = node_good(body, "routes");
	struct scope up = {.up = scope, .name = "routes"}, here = {.up = &up};

	if (!*seen)
		*seen = index_new(attachment->n_routes);
	for (struct node *item = list ? list->first : NULL;
	     item && here.index < attachment->n_routes; item = item->next, here.index++) {
		const struct route *route = &attachment->routes[here.index];
		if (attachment->dhcp && route->to.ip.family == AF_INET)
			continue; /* reported by dhcp_check_attachment */
		check_route(build, &here, info, route, item);
		if (!route->to.ip.family)
			continue;
		const struct node *other = index_put(*seen, &route->to, sizeof(route->to), item);
		if (!other)
			continue;
		char to[PREFIX_TEXT_SIZE];
		struct place place = place_of(context, node_get(other, "to"));
		report_key(context, CODE_ROUTE, &here, item, "to", "remove one of the two",
			   "%s already has a route in this container, at %s",
			   prefix_format(&route->to, to), place_text(context, &place));
	}
}

static void check_passthru(struct build *build, const struct scope *scope,
			   struct network_info *info, const struct container *container,
			   struct attachment *attachment, const struct node *at)
{
	struct context *context = &build->context;
	if (info->broken || info->network->mode != MODE_PASSTHRU)
		return;
	const struct attachment *other = host_uniques_enter(build, &build->passthru_users,
							    hint_text(context, "%p", (void *)info),
							    &container->hosts, attachment);
	if (other)
		report(context, CODE_PASSTHRU, scope, at,
		       "use `mode: bridge`, or remove one of the two attachments",
		       "is in mode passthru, which takes one attachment; the first is at %s",
		       place_text(context, &other->place));
}

void attachment_check(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct container *container, struct attachment *attachment,
		      const struct node *at, const struct node *body, struct index **routes)
{
	check_passthru(build, scope, info, container, attachment, at);
	dhcp_check_attachment(build, scope, info, container, attachment, at, body);
	if (!body)
		return;
	if (!attachment->dhcp)
		address_claim(build, scope, info, body, "ipv4_address", &attachment->ipv4);
	address_claim(build, scope, info, body, "ipv6_address", &attachment->ipv6);
	mac_claim(build, scope, info, body, &attachment->mac);
	if (attachment->n_routes)
		check_routes(build, scope, info, attachment, body, routes);
}
