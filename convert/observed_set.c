#include "convert/observed_set.h"

#include "schema/name_rules.h"
#include "schema/source_text.h"
#include "schema/words.h"

#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* MACVLAN_DEFAULT_BC_QUEUE_LEN in drivers/net/macvlan.c. */
#define BCQUEUELEN_DEFAULT 1000

void note_add(struct arena *arena, struct notes *notes, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*array_push(arena, notes->items, notes->count) = arena_strdup(arena, text);
}

static const struct live_ns *host_of(const struct observed_set *set)
{
	return set->live->namespaces[0];
}

/* By which word a network can name a link of the host as its parent: its name, unless that would be
 * taken for a VLAN's short form. */
static const char *parent_word(const struct live_link *link, bool with_vlan)
{
	if (with_vlan || !parent_dot(link->name))
		return link->name;
	for (size_t i = 0; i < link->n_altnames; i++)
		if (!parent_dot(link->altnames[i]))
			return link->altnames[i];
	return NULL;
}

/* A VLAN link is named by the link that it is on, and its id. */
static void parent_describe(struct observed_set *set, struct observed_network *network)
{
	const struct live_link *link = network->parent, *base = NULL;
	struct network *model = &network->model;
	if (link && link->kind == KIND_VLAN && link->parent_where == PARENT_HOST)
		base = live_link_by_index(host_of(set), link->parent);
	if (!link) {
		note_add(set->arena, &network->notes, "its parent is gone: name one");
	} else if (link->mark.role == ROLE_DUMMY) {
		model->internal = true;
	} else if (base) {
		model->parent = parent_word(base, true);
		model->vlan = link->vlan;
		model->vlan_protocol = link->vlan_protocol;
	} else {
		model->parent = parent_word(link, false);
	}
	if (link && !model->parent && !model->internal)
		note_add(set->arena, &network->notes,
			 "its parent %s has a name that stands for a VLAN: give it another with "
			 "`ip link property add dev %s altname NAME`, and write that here",
			 link->name, link->name);
}

static struct observed_network *network_find(const struct observed_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (strcmp(set->networks[i].model.name, name) == 0)
			return &set->networks[i];
	return NULL;
}

static struct observed_network *network_new(struct observed_set *set, const char *name,
					    const struct live_link *parent)
{
	struct observed_network *network = array_push(set->arena, set->networks, set->n_networks);
	network->model.name = arena_strdup(set->arena, name);
	network->parent = parent;
	parent_describe(set, network);
	return network;
}

/* The mtu that a network's links have where it says none: its parent's. A VLAN link that is taken
 * over gets that of the link it is on, as every VLAN link of mvapply's. */
static uint32_t mtu_otherwise(const struct observed_set *set, const struct live_link *parent)
{
	const struct live_link *base =
		set->adopting && parent->kind == KIND_VLAN && parent->parent_where == PARENT_HOST
			? live_link_by_index(host_of(set), parent->parent)
			: NULL;
	return base ? base->mtu : parent->mtu;
}

/* What the first of a network's links tells of it. */
static void driver_describe(struct observed_set *set, struct observed_network *network,
			    const struct live_link *link)
{
	struct network *model = &network->model;
	model->driver = link->kind == KIND_IPVLAN ? DRIVER_IPVLAN : DRIVER_MACVLAN;
	model->mode = link->kind == KIND_IPVLAN ? MODE_L2 : MODE_BRIDGE;
	if (link->mode_known)
		model->mode = link->mode;
	else
		note_add(set->arena, &network->notes, "%s is in a mode that mvapply has not",
			 link->name);
	if (link->has_bcqueuelen && link->bcqueuelen != BCQUEUELEN_DEFAULT) {
		model->has_bcqueuelen = true;
		model->bcqueuelen = link->bcqueuelen;
	}
	if (network->parent && link->mtu != mtu_otherwise(set, network->parent))
		model->mtu = link->mtu;
}

static struct observed_network *network_of(struct observed_set *set, const char *name,
					   const struct live_link *link)
{
	struct observed_network *network = network_find(set, name);
	if (network)
		return network;
	network = network_new(set, name, live_link_by_index(host_of(set), link->parent));
	driver_describe(set, network, link);
	return network;
}

/* Links of one network that are not alike have drifted, or are not of one network at all. */
static void likeness_check(struct observed_set *set, const struct observed_network *network,
			   const struct live_link *link, struct notes *notes)
{
	uint32_t mtu = network->model.mtu ? network->model.mtu
		       : network->parent  ? mtu_otherwise(set, network->parent)
					  : link->mtu;
	if (link->mtu != mtu)
		note_add(set->arena, notes, "its mtu is %u, unlike the network's", link->mtu);
	if (link->mode_known && link->mode != network->model.mode)
		note_add(set->arena, notes, "its mode is %s, unlike the network's",
			 link_mode_name(link->mode));
	if (network->parent && link->parent != network->parent->ifindex)
		note_add(set->arena, notes, "its parent is another than the network's");
}

/* The subnet of the network that holds the address, made if there is none; NULL: it would overlap
 * another one. */
static struct subnet *subnet_at(struct observed_set *set, struct network *network,
				const struct prefix *address)
{
	const struct prefix prefix = {.ip = prefix_first(address), .len = address->len};
	for (size_t i = 0; i < network->n_subnets; i++) {
		struct subnet *subnet = &network->subnets[i];
		if (subnet->prefix.len <= prefix.len &&
		    prefix_contains(&subnet->prefix, &prefix.ip))
			return subnet;
		if (prefix_overlaps(&subnet->prefix, &prefix))
			return NULL;
	}
	struct subnet *subnet = array_push(set->arena, network->subnets, network->n_subnets);
	subnet->prefix = subnet->ip_range = prefix;
	return subnet;
}

/* Link-local addresses are the kernel's own; those that end by themselves, others' (DHCP, router
 * advertisements). */
static bool addr_counts(const struct live_link *link, const struct live_addr *addr)
{
	return addr->scope < RT_SCOPE_LINK &&
	       (link->mark.role != ROLE_NONE || addr->flags & IFA_F_PERMANENT);
}

static bool addr_marked(const struct observed_set *set, const struct live_link *link,
			const struct live_addr *addr)
{
	return addr->proto == MARK_PROTOCOL || !set->live->addr_proto ||
	       link->mark.role == ROLE_NONE;
}

/* Whether an earlier attachment on the parent has the address: no file can give it to two. */
static bool address_given(const struct observed_set *set, const struct live_link *parent,
			  const struct ip *ip)
{
	for (size_t i = 0; i < set->n_containers; i++)
		for (size_t k = 0; k < set->containers[i].n_attachments; k++) {
			const struct observed_attachment *other =
				&set->containers[i].attachments[k];
			if (set->networks[other->network].parent == parent &&
			    (ip_equal(&other->model.ipv4, ip) || ip_equal(&other->model.ipv6, ip)))
				return true;
		}
	return false;
}

static void address_take(struct observed_set *set, struct observed_network *network,
			 struct observed_attachment *attachment, const struct prefix *address)
{
	struct ip *ip =
		address->ip.family == AF_INET ? &attachment->model.ipv4 : &attachment->model.ipv6;
	char text[PREFIX_TEXT_SIZE];
	if (!ip->family && !address_given(set, network->parent, &address->ip) &&
	    subnet_at(set, &network->model, address)) {
		*ip = address->ip;
		return;
	}
	note_add(set->arena, &attachment->notes, "it also has the address %s",
		 prefix_format(address, text));
}

/* Those with the mark; then, in place of one that has lost it or never had it, any other. */
static void addresses_take(struct observed_set *set, struct observed_network *network,
			   struct observed_attachment *attachment)
{
	const struct live_ns *ns = attachment->ns;
	const struct live_link *link = attachment->link;
	const struct live_addr *lease = live_lease(set->live, ns, link);
	attachment->model.dhcp = attachment->model.has_dhcp = lease != NULL;
	each_addr_of (addr, ns, link->ifindex)
		if (addr_counts(link, addr) && addr != lease && addr_marked(set, link, addr))
			address_take(set, network, attachment, &addr->prefix);
	each_addr_of (addr, ns, link->ifindex) {
		bool ipv4 = addr->prefix.ip.family == AF_INET;
		const struct ip *ip = ipv4 ? &attachment->model.ipv4 : &attachment->model.ipv6;
		if (!ip->family && addr != lease && addr_counts(link, addr))
			address_take(set, network, attachment, &addr->prefix);
	}
}

static void route_take(struct observed_set *set, struct observed_network *network,
		       struct observed_attachment *attachment, const struct live_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	struct subnet *subnet =
		route->via.family ? network_subnet_of(&network->model, &route->via) : NULL;
	bool gateway = subnet && !route->to.len && prefix_usable(&subnet->prefix, &route->via) &&
		       (!subnet->gateway.family || ip_equal(&subnet->gateway, &route->via));
	if (gateway)
		subnet->gateway = route->via;
	else if (subnet && route->to.len)
		*array_push(set->arena, attachment->model.routes, attachment->model.n_routes) =
			(struct route){.to = route->to, .via = route->via};
	else
		note_add(set->arena, &attachment->notes, "it also has the route %s%s%s",
			 route->to.len ? prefix_format(&route->to, to) : "default",
			 route->via.family ? " via " : "", ip_format(&route->via, via));
}

void observed_routes(struct observed_set *set, struct observed_attachment *attachment)
{
	struct observed_network *network = &set->networks[attachment->network];
	each_route_of (route, attachment->ns, attachment->link->ifindex) {
		/* What comes with a lease. */
		if (attachment->model.dhcp && route->to.ip.family == AF_INET)
			continue;
		if (route->proto == MARK_PROTOCOL ||
		    (attachment->link->mark.role == ROLE_NONE && route->proto != RTPROT_KERNEL))
			route_take(set, network, attachment, route);
	}
}

/* An ipvlan has its parent's, and so has a passthru macvlan. */
static void mac_take(const struct observed_network *network, struct observed_attachment *attachment)
{
	const struct live_link *link = attachment->link;
	if (network->model.driver == DRIVER_MACVLAN && network->model.mode != MODE_PASSTHRU &&
	    !mac_is_of_ipv4(&link->mac, &attachment->model.ipv4))
		attachment->model.mac = link->mac;
}

static const struct origin *origin_of(const struct observed_set *set, const struct live_ns *ns)
{
	for (size_t i = 0; i < set->live->n_namespaces; i++)
		if (set->live->namespaces[i] == ns)
			return &set->origins[i];
	return NULL;
}

static struct observed_container *container_of(struct observed_set *set, const char *name,
					       const struct live_ns *ns)
{
	for (size_t i = 0; i < set->n_containers; i++)
		if (strcmp(set->containers[i].model.name, name) == 0)
			return &set->containers[i];
	struct observed_container *found =
		array_push(set->arena, set->containers, set->n_containers);
	struct container *model = &found->model;
	model->name = arena_strdup(set->arena, name);
	struct origin origin = *origin_of(set, ns);
	if (origin.netns && !text_printable(origin.netns, strlen(origin.netns)))
		origin.netns = NULL; /* no file can have it */
	if (!origin_source(&origin, name, &model->source_kind, &model->source)) {
		model->source = model->name;
		note_add(
			set->arena, &found->notes,
			"its network namespace has neither a name that is text nor a process: write what "
			"it is");
	}
	return found;
}

static bool attached_before(const struct observed_set *set,
			    const struct observed_container *container, const char *network)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (strcmp(set->networks[container->attachments[i].network].model.name, network) ==
		    0)
			return true;
	return false;
}

void observed_attachment(struct observed_set *set, const char *name, const char *container_name,
			 const struct live_ns *ns, const struct live_link *link)
{
	struct observed_container *container = container_of(set, container_name, ns);
	struct observed_network *network = network_of(set, name, link);
	if (attached_before(set, container, name)) {
		note_add(set->arena, &container->notes, "%s in %s is a second link on %s",
			 link->name, ns->name, name);
		return;
	}
	if (container->n_attachments && container->attachments[0].ns != ns)
		note_add(set->arena, &container->notes, "its link on %s is elsewhere, in %s", name,
			 ns->name);
	struct observed_attachment *attachment =
		array_push(set->arena, container->attachments, container->n_attachments);
	attachment->network = (size_t)(network - set->networks);
	attachment->ns = ns;
	attachment->link = link;
	likeness_check(set, network, link, &attachment->notes);
	addresses_take(set, network, attachment);
	mac_take(network, attachment);
	observed_sysctls(set, attachment);
}

void observed_host(struct observed_set *set, const char *name, const struct live_link *link)
{
	struct observed_network *network = network_of(set, name, link);
	struct host_access *host = &network->model.host;
	const struct live_ns *ns = host_of(set);
	host->wanted = true;
	host->interface_name = link->name;
	if (link->mark.role == ROLE_NONE && link->kind == KIND_MACVLAN)
		note_add(set->arena, &network->notes,
			 "%s gets a MAC address that follows from its own IP address", link->name);
	likeness_check(set, network, link, &network->notes);
	each_addr_of (addr, ns, link->ifindex) {
		const struct prefix *address = &addr->prefix;
		struct ip *own = address->ip.family == AF_INET ? &host->ipv4 : &host->ipv6;
		if (!addr_counts(link, addr) || (own->family && !addr_marked(set, link, addr)))
			continue;
		*own = address->ip;
		if (address->len < ip_bits(&address->ip))
			(void)subnet_at(set, &network->model, address);
	}
}

void observed_parent(struct observed_set *set, const char *name, const struct live_link *link)
{
	struct observed_network *network = network_find(set, name);
	if (!network)
		network = network_new(set, name, link);
	if (link->mark.role == ROLE_DUMMY && link->mtu != ETH_DATA_LEN)
		network->model.mtu = link->mtu;
}

bool observed_on(const struct observed_set *set, const struct live_link *parent)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (set->networks[i].parent == parent)
			return true;
	return false;
}
