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

void attachment_check(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct container *container, struct attachment *attachment,
		      const struct node *at, const struct node *body, struct index **routes)
{
	check_passthru(build, scope, info, container, attachment, at);
	dhcp_check_attachment(build, scope, info, container, attachment, at, body);
	if (!*routes && (attachment->n_routes || info->network->n_routes))
		*routes = index_new(attachment->n_routes);
	if (*routes)
		network_routes_enter(build, scope, info, attachment, at, *routes);
	if (!body)
		return;
	if (!attachment->dhcp)
		address_claim(build, scope, info, body, "ipv4_address", &attachment->ipv4);
	address_claim(build, scope, info, body, "ipv6_address", &attachment->ipv6);
	mac_claim(build, scope, info, body, &attachment->mac);
	if (*routes)
		routes_check(build, scope, info, body, attachment->routes, attachment->n_routes,
			     *routes);
}
