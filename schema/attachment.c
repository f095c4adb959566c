#include "schema/internal.h"

#include <string.h>

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

/* The subnets of the network, as a hint. */
static const char *subnets_hint(struct build *build, const struct network_info *info)
{
	char text[PREFIX_TEXT_SIZE];
	const char *list = NULL;
	for (size_t i = 0; i < info->network->n_subnets; i++) {
		prefix_format(&info->network->subnets[i].prefix, text);
		list = list ? hint_text(&build->context, "%s, %s", list, text)
			    : hint_text(&build->context, "%s", text);
	}
	return list ? hint_text(&build->context,
				"write an address, or a subnet of the network from which one is "
				"allocated: %s",
				list)
		    : "remove it: the network has no subnet";
}

static bool has_subnet(const struct network_info *info, const struct prefix *prefix)
{
	for (size_t i = 0; i < info->network->n_subnets; i++)
		if (prefix_equal(&info->network->subnets[i].prefix, prefix))
			return true;
	return false;
}

/* An entry of `addresses`: an address, or a subnet of the network. */
static void check_entry(struct build *build, const struct scope *scope, struct network_info *info,
			const struct attachment *attachment, struct address_entry *address,
			const struct node *item)
{
	struct context *context = &build->context;
	const struct prefix *within = &address->within;
	char text[PREFIX_TEXT_SIZE];
	if (!within->ip.family)
		return;
	address->fixed = within->len == ip_bits(&within->ip);
	if (attachment->dhcp && within->ip.family == AF_INET)
		report(context, CODE_DHCP, scope, item, "remove it, or write `dhcp: false`",
		       "cannot be set, because DHCP assigns the IPv4 address");
	else if (address->fixed)
		address_claim_at(build, scope, info, item, &within->ip);
	else if (!has_subnet(info, within) && !info->unsure)
		report(context, CODE_ADDRESS_OUTSIDE, scope, item, subnets_hint(build, info),
		       "%s is not a subnet of networks.%s", prefix_format(within, text),
		       printable_text(context, info->network->name));
}

static void check_addresses(struct build *build, const struct scope *scope,
			    struct network_info *info, struct attachment *attachment,
			    const struct node *body)
{
	const struct node *list = node_good(body, "addresses");
	struct scope up = {.up = scope, .name = "addresses"}, here = {.up = &up};
	for (const char *const *key = (const char *const[]){"ipv4_address", "ipv6_address", NULL};
	     *key; key++)
		if (node_get(body, *key))
			report_key(&build->context, CODE_DECLARED_TWICE, scope, body, *key,
				   "move it into the list `addresses`",
				   "conflicts with `addresses`");
	for (const struct node *item = list ? list->first : NULL;
	     item && here.index < attachment->n_addresses; item = item->next, here.index++)
		check_entry(build, &here, info, attachment, &attachment->addresses[here.index],
			    item);
}

void attachment_check(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct container *container, struct attachment *attachment,
		      const struct node *at, const struct node *body, struct index **routes)
{
	check_passthru(build, scope, info, container, attachment, at);
	dhcp_check_attachment(build, scope, info, container, attachment, at, body);
	accept_ra_check_attachment(build, scope, info, attachment, body);
	if (!*routes && (attachment->n_routes || info->network->n_routes))
		*routes = index_new(attachment->n_routes);
	if (*routes && attachment->first)
		network_routes_enter(build, scope, info, attachment, at, *routes);
	if (!body)
		return;
	if (attachment->has_addresses)
		check_addresses(build, scope, info, attachment, body);
	if (!attachment->dhcp)
		address_claim(build, scope, info, body, "ipv4_address", &attachment->ipv4);
	address_claim(build, scope, info, body, "ipv6_address", &attachment->ipv6);
	mac_claim(build, scope, info, body, &attachment->mac);
	rules_check(build, scope, info, attachment, body, attachment->rules, attachment->n_rules);
	if (*routes)
		routes_check(build, scope, info, body, attachment->routes, attachment->n_routes,
			     *routes);
}
