/* Checks of the key `dhcp`. */
#include "schema/driver.h"
#include "schema/hosts.h"
#include "schema/internal.h"

#include <string.h>

/* The reason why the network cannot have leases, and a hint; NULL: it can. */
static const char *network_unfit(const struct network *network, const char **ret_hint)
{
	if (link_mode_routes(network->mode)) {
		*ret_hint = "use mode l2, or remove `dhcp`";
		return "does not work in modes l3 and l3s, which drop broadcasts";
	}
	if (!network->parent) {
		*ret_hint = "add `parent: eth0`, or remove `dhcp`";
		return "requires a parent: a dummy link has no DHCP server";
	}
	if (network->host.enabled) {
		*ret_hint = "remove either `host` or `dhcp`";
		return "conflicts with `host`: the host's routes need addresses that are known in "
		       "advance";
	}
	return NULL;
}

void dhcp_check_network(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct network *network)
{
	const char *hint, *problem;
	if (!network->dhcp || info->broken)
		return;
	problem = network_unfit(network, &hint);
	if (problem)
		report_key(&build->context, CODE_DHCP, scope, info->body, "dhcp", hint, "%s",
			   problem);
}

/* The network's own `dhcp` was reported already. */
static void check_where(struct build *build, const struct scope *scope,
			const struct network_info *info, const struct container *container,
			const struct node *at, const struct node *body)
{
	const char *hint;
	const char *problem = info->network->dhcp ? NULL : network_unfit(info->network, &hint);
	if (problem)
		report_key(&build->context, CODE_DHCP, scope, body, "dhcp", hint, "%s", problem);
	else if (container->hosts.count && !hosts_only(&container->hosts))
		report(&build->context, CODE_DHCP, scope, at,
		       "list one host in `hosts`, or declare one container per host",
		       "would have the same DHCP lease on several hosts");
}

static bool has_ipv4_route(const struct route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i].to.ip.family == AF_INET)
			return true;
	return false;
}

static void check_explicit(struct build *build, const struct scope *scope,
			   const struct attachment *attachment, const struct node *at,
			   const struct node *body)
{
	struct context *context = &build->context;
	if (body && node_good(body, "ipv4_address"))
		report_key(context, CODE_DHCP, scope, body, "ipv4_address",
			   "remove it, or write `dhcp: false`; for a fixed address by DHCP, set "
			   "`mac_address` and reserve the address on the server",
			   "cannot be set, because DHCP assigns it");
	if (has_ipv4_route(attachment->network->routes, attachment->network->n_routes))
		report(context, CODE_DHCP, scope, at,
		       "remove the network's IPv4 routes, or write `dhcp: false`",
		       "has DHCP, which conflicts with the IPv4 routes of networks.%s: the subnet of a lease is "
		       "not known in advance",
		       printable_text(context, attachment->network->name));
	if (body && has_ipv4_route(attachment->routes, attachment->n_routes))
		report_key(context, CODE_DHCP, scope, body, "routes",
			   "remove the IPv4 routes; the lease supplies the router",
			   "cannot contain IPv4 routes with DHCP: the subnet is not known in "
			   "advance");
}

/* The owner tag of the link contains the path after the names (kernel/owner_tag.h). */
#define OWNER_TAG_TEXT "mvapply:attach:///="
#define OWNER_TAG_MAX  255

static const struct set *set_of(const struct build *build, const struct network_info *info)
{
	const struct set_info *set = build->sets;
	while (info < set->infos || info >= set->infos + set->set.n_networks)
		set = set->next;
	return &set->set;
}

static void check_resolv_conf(struct build *build, const struct scope *scope,
			      const struct network_info *info, const struct container *container,
			      struct attachment *attachment, const struct node *body)
{
	struct context *context = &build->context;
	const char *path = attachment->resolv_conf;
	if (!path)
		return;
	const char *name = attachment_own_name(attachment);
	const size_t length = strlen(OWNER_TAG_TEXT) + (name ? strlen("/") + strlen(name) : 0) +
			      strlen(set_of(build, info)->name) +
			      strlen(attachment->network->name) + strlen(container->name) +
			      strlen(path);
	const struct attachment *other = host_uniques_enter(build, &build->resolv_conf_users, path,
							    &container->hosts, attachment);
	if (!attachment->dhcp)
		report_key(context, CODE_DHCP, scope, body, "resolv_conf",
			   "add `dhcp: true`, or remove `resolv_conf`",
			   "requires DHCP, which supplies the name servers");
	else if (other)
		report_key(context, CODE_DHCP, scope, body, "resolv_conf",
			   "write a path for each attachment",
			   "is also the file of the attachment at %s",
			   place_text(context, &other->place));
	else if (length > OWNER_TAG_MAX)
		report_key(context, CODE_DHCP, scope, body, "resolv_conf", "write a shorter path",
			   "is too long: with the names in the owner tag of the link it has %zu "
			   "bytes, and %d are possible",
			   length, OWNER_TAG_MAX);
}

void dhcp_check_attachment(struct build *build, const struct scope *scope,
			   const struct network_info *info, const struct container *container,
			   struct attachment *attachment, const struct node *at,
			   const struct node *body)
{
	if (!attachment->has_dhcp)
		attachment->dhcp = info->network->dhcp;
	if (info->broken)
		return;
	check_resolv_conf(build, scope, info, container, attachment, body);
	if (attachment->dhcp) {
		check_where(build, scope, info, container, at, body);
		check_explicit(build, scope, attachment, at, body);
	} else if (info->network->dhcp && !info->has_ipv4 && !info->has_ipv6 && !info->unsure &&
		   !attachment_accepts_ra(attachment)) {
		report_key(&build->context, CODE_DHCP, scope, body, "dhcp",
			   "remove `dhcp: false`, or add a `subnet` to the network",
			   "is false, but the network has no subnet to allocate an address from");
	}
}
