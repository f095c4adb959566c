#include "convert/observed_set.h"

#include "kernel/link_kind.h"
#include "schema/name_rules.h"
#include "schema/source_text.h"

#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

size_t *observed_place(const struct observed_set *set, const char *format, ...)
{
	char key[512];
	va_list args;
	va_start(args, format);
	vsnprintf(key, sizeof(key), format, args);
	va_end(args);
	size_t *place = index_get_text(set->places, key);
	if (place)
		return place;
	place = arena_alloc(set->arena, sizeof(*place));
	index_put_text(set->places, arena_strdup(set->arena, key), place);
	return place;
}

struct observed_network *observed_network_find(const struct observed_set *set, const char *name)
{
	const size_t number = *observed_place(set, "network %s", name);
	return number ? &set->networks[number - 1] : NULL;
}

struct observed_container *observed_container_find(const struct observed_set *set, const char *name)
{
	const size_t number = *observed_place(set, "container %s", name);
	return number ? &set->containers[number - 1] : NULL;
}

struct observed_container *observed_container_in(const struct observed_set *set,
						 const struct live_ns *ns)
{
	const size_t number = *observed_place(set, "namespace %p", (const void *)ns);
	return number ? &set->containers[number - 1] : NULL;
}

static size_t *attachment_place(const struct observed_set *set, const char *container,
				const char *network)
{
	return observed_place(set, "attachment %s/%s", container, network);
}

bool observed_attached(const struct observed_set *set, const char *container, const char *network)
{
	return *attachment_place(set, container, network);
}

static size_t *parent_place(const struct observed_set *set, const struct live_link *parent)
{
	return observed_place(set, "parent %p", (const void *)parent);
}

static struct observed_network *network_new(struct observed_set *set, const char *name,
					    const struct live_link *parent)
{
	struct observed_network *network = array_push(set->arena, set->networks, set->n_networks);
	network->model.name = arena_strdup(set->arena, name);
	network->parent = parent;
	*observed_place(set, "network %s", name) = set->n_networks;
	*parent_place(set, parent) = set->n_networks;
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
	model->driver = link_type(link->kind)->driver;
	model->mode = driver_info(model->driver)->default_mode;
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
	struct observed_network *network = observed_network_find(set, name);
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

static struct subnet *subnet_around(const struct observed_network *network,
				    const struct prefix *prefix)
{
	size_t number;
	return prefix_tree_find(&network->subnets, prefix, &number)
		       ? &network->model.subnets[number]
		       : NULL;
}

struct subnet *observed_subnet_of(const struct observed_network *network, const struct ip *ip)
{
	const struct prefix prefix = {.ip = *ip, .len = (uint8_t)ip_bits(ip)};
	return subnet_around(network, &prefix);
}

/* The subnet of the network that holds the address, made if there is none; NULL: it would overlap
 * another one. */
static struct subnet *subnet_at(struct observed_set *set, struct observed_network *network,
				const struct prefix *address)
{
	struct network *model = &network->model;
	const struct prefix prefix = {.ip = prefix_first(address), .len = address->len};
	struct subnet *subnet = subnet_around(network, &prefix);
	if (subnet)
		return subnet->prefix.len <= prefix.len ? subnet : NULL;
	prefix_tree_add(&network->subnets, set->arena, &prefix, model->n_subnets);
	subnet = array_push(set->arena, model->subnets, model->n_subnets);
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

/* 0: no earlier attachment on the parent has the address, which no file can give to two. */
static size_t *address_place(const struct observed_set *set, const struct live_link *parent,
			     const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	return observed_place(set, "address %s on %p", ip_format(ip, text), (const void *)parent);
}

static void address_take(struct observed_set *set, struct observed_network *network,
			 struct observed_attachment *attachment, const struct prefix *address)
{
	struct ip *ip =
		address->ip.family == AF_INET ? &attachment->model.ipv4 : &attachment->model.ipv6;
	char text[PREFIX_TEXT_SIZE];
	size_t *given = address_place(set, network->parent, &address->ip);
	if (!ip->family && !*given && subnet_at(set, network, address)) {
		*given = 1;
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
	struct subnet *subnet = route->via.family ? observed_subnet_of(network, &route->via) : NULL;
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
	if (!driver_shares_mac(network->model.driver, network->model.mode) &&
	    !mac_is_of_ipv4(&link->mac, &attachment->model.ipv4))
		attachment->model.mac = link->mac;
}

static struct observed_container *container_of(struct observed_set *set, const char *name,
					       const struct live_ns *ns)
{
	struct observed_container *found = observed_container_find(set, name);
	if (found)
		return found;
	found = array_push(set->arena, set->containers, set->n_containers);
	struct container *model = &found->model;
	model->name = arena_strdup(set->arena, name);
	*observed_place(set, "container %s", name) = set->n_containers;
	size_t *first = observed_place(set, "namespace %p", (const void *)ns);
	*first = *first ? *first : set->n_containers;
	struct origin origin = *(const struct origin *)index_get(set->origins, &ns, sizeof(ns));
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

void observed_attachment(struct observed_set *set, const char *name, const char *container_name,
			 const struct live_ns *ns, const struct live_link *link)
{
	struct observed_container *container = container_of(set, container_name, ns);
	struct observed_network *network = network_of(set, name, link);
	size_t *attached = attachment_place(set, container_name, name);
	if (*attached) {
		note_add(set->arena, &container->notes, "%s in %s is a second link on %s",
			 link->name, ns->name, name);
		return;
	}
	if (container->n_attachments && container->attachments[0].ns != ns)
		note_add(set->arena, &container->notes, "its link on %s is elsewhere, in %s", name,
			 ns->name);
	struct observed_attachment *attachment =
		array_push(set->arena, container->attachments, container->n_attachments);
	*attached = container->n_attachments;
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
	if (link->mark.role == ROLE_NONE && !link_kind_shares_mac(link->kind))
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
			(void)subnet_at(set, network, address);
	}
}

void observed_parent(struct observed_set *set, const char *name, const struct live_link *link)
{
	struct observed_network *network = observed_network_find(set, name);
	if (!network)
		network = network_new(set, name, link);
	if (link->mark.role == ROLE_DUMMY && link->mtu != ETH_DATA_LEN)
		network->model.mtu = link->mtu;
}

bool observed_on(const struct observed_set *set, const struct live_link *parent)
{
	return *parent_place(set, parent);
}
