#include "reconcile/observe/namespace.h"

#include "kernel/netns.h"
#include "kernel/nsid.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "kernel/sysctl.h"
#include "lib/memory.h"
#include "reconcile/state/policy_routing.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct live_ns *namespace_new(int fd, const struct stat *stat, const char *name)
{
	struct live_ns *ns = memory_new(1, sizeof(*ns));
	*ns = (struct live_ns){.device = stat->st_dev,
			       .inode = stat->st_ino,
			       .name = memory_or_die(strdup(name)),
			       .nsid = NETNSA_NSID_NOT_ASSIGNED,
			       .stale = true,
			       .handle = ns_handle_new(fd)};
	return ns;
}

void namespace_free(struct live_ns *ns)
{
	if (!ns)
		return;
	ns_handle_free(ns->handle);
	arena_free(ns->arena);
	free((char *)(uintptr_t)ns->name);
	free((char *)(uintptr_t)ns->source);
	free(ns->place);
	free(ns);
}

void namespace_rename(struct live_ns *ns, const char *name)
{
	free((char *)(uintptr_t)ns->name);
	ns->name = memory_or_die(strdup(name));
}

void namespace_source(struct live_ns *ns, const char *source)
{
	free((char *)(uintptr_t)ns->source);
	ns->source = source ? memory_or_die(strdup(source)) : NULL;
}

/* A namespace that could not be read completely holds nothing. */
static void namespace_clear(struct live_ns *ns)
{
	arena_free(ns->arena);
	ns->arena = arena_new();
	ns->links = NULL;
	ns->addrs = NULL;
	ns->routes = NULL;
	ns->default_sysctls = NULL;
	ns->index = NULL;
	ns->crowded = NULL;
	ns->rules = NULL;
	ns->n_links = ns->n_addrs = ns->n_routes = ns->n_rules = 0;
	ns->reread = true;
	ns->rules_read = false;
	ns->details = ns->own_routes = ns->ipv6_disabled = false;
}

/* The nsid of the host's namespace in the socket's namespace; -1: none. */
struct host_number {
	bool known;
	int nsid;
};

struct namespace_reader {
	struct live_ns *ns;
	struct arena *growing; /* for the arrays until they are complete (arrays_keep) */
	int host_fd;
	const struct namespace_read_options *read_options;
	struct host_number host;
	bool addr_proto;
	uint32_t vrf_table; /* of the host: the table whose routes are read; 0: main */
	size_t bridge_link; /* the dump of the bridges has the order of that of the links */
};

static int host_nsid_get(struct namespace_reader *reader, struct error *error)
{
	struct host_number *host = &reader->host;
	if (host->known)
		return 0;
	int status = nsid_get(reader->ns->handle->netlink, reader->host_fd, &host->nsid, error);
	host->known = status == 0;
	return status;
}

static int parent_place(struct namespace_reader *reader, struct live_link *link,
			const struct parent_ref *parent, struct error *error)
{
	const bool in_host = reader->ns->host;
	link->parent_where = PARENT_NONE;
	if (!link->parent && !parent->other_netns)
		return 0;
	if (!parent->other_netns) {
		link->parent_where = in_host ? PARENT_HOST : PARENT_SAME;
		return 0;
	}
	link->parent_where = PARENT_OTHER_NETNS;
	if (in_host || parent->nsid < 0)
		return 0;
	int status = host_nsid_get(reader, error);
	if (status == 0 && reader->host.nsid == parent->nsid)
		link->parent_where = PARENT_HOST;
	return status;
}

static int malformed(const char *what, struct error *error)
{
	return error_set(error, EBADMSG, "the kernel's listing of %s is malformed", what);
}

/* Links of other roles exist only in the host's namespace: in another namespace such a tag is only
 * an alias, which whoever controls the namespace can set. */
static bool tag_possible(const struct live_ns *ns, const struct owner_tag *tag)
{
	return ns->host || role_in_container(tag->role);
}

static int link_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct namespace_reader *reader = data;
	struct live_ns *ns = reader->ns;
	struct live_link link;
	struct parent_ref parent;
	if (message->nlmsg_type == RTM_NEWNSID)
		reader->host.known = decode_nsid(message, &reader->host.nsid) == DECODED;
	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	enum decoded decoded = decode_link(ns->arena, message, &link, &parent);
	if (decoded == DECODE_BAD)
		return malformed("links", error);
	int status = parent_place(reader, &link, &parent, error);
	if (status < 0)
		return status;
	if (!tag_possible(ns, &link.tag))
		link.tag = (struct owner_tag){.role = ROLE_NONE};
	*array_push(reader->growing, ns->links, ns->n_links) = link;
	return 0;
}

static int bridge_vlans_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct namespace_reader *reader = data;
	struct live_ns *ns = reader->ns;
	struct live_link found;
	const enum decoded decoded = message->nlmsg_type == RTM_NEWLINK
					     ? decode_bridge_vlans(ns->arena, message, &found)
					     : DECODE_SKIP;
	if (decoded == DECODE_BAD)
		return malformed("bridges' VLANs", error);
	for (size_t i = 0; decoded == DECODED && i < ns->n_links; i++) {
		struct live_link *link = &ns->links[reader->bridge_link++ % ns->n_links];
		if (link->ifindex != found.ifindex)
			continue;
		link->bridge_vlans = found.bridge_vlans;
		link->n_bridge_vlans = found.n_bridge_vlans;
		break;
	}
	return 0;
}

static bool bridge_filters(const struct live_ns *ns)
{
	for (size_t i = 0; ns->host && i < ns->n_links; i++)
		if (ns->links[i].vlan_filtering)
			return true;
	return false;
}

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct namespace_reader *reader = data;
	struct live_ns *ns = reader->ns;
	struct live_addr addr;
	if (message->nlmsg_type != RTM_NEWADDR)
		return 0;
	enum decoded decoded = decode_addr(message, &addr, &reader->addr_proto);
	if (decoded == DECODE_BAD)
		return malformed("addresses", error);
	if (decoded == DECODED)
		*array_push(reader->growing, ns->addrs, ns->n_addrs) = addr;
	return 0;
}

/* A kernel that does not filter lists all tables, and the host's may be long. A container's are all
 * kept: a file can have routes in any of them. */
static bool table_is_relevant(const struct namespace_reader *reader, uint32_t table)
{
	return table == reader->vrf_table || !reader->ns->host;
}

static int route_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct namespace_reader *reader = data;
	struct live_ns *ns = reader->ns;
	struct live_route route;
	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	enum decoded decoded;
	for (size_t hop = 0; (decoded = decode_route(message, hop, &route)) == DECODED; hop++)
		if (table_is_relevant(reader, route.table))
			*array_push(reader->growing, ns->routes, ns->n_routes) = route;
	return decoded == DECODE_BAD ? malformed("routes", error) : 0;
}

static int rule_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct namespace_reader *reader = data;
	struct live_ns *ns = reader->ns;
	struct live_rule rule;
	if (message->nlmsg_type != RTM_NEWRULE)
		return 0;
	enum decoded decoded = decode_rule(message, &rule);
	if (decoded == DECODE_BAD)
		return malformed("rules", error);
	if (decoded == DECODED)
		*array_push(reader->growing, ns->rules, ns->n_rules) = rule;
	return 0;
}

/* Copies the array to *place, behind which the next one begins. */
static void *array_keep(char **place, const void *items, size_t size)
{
	char *kept = *place;
	*place += size;
	return size ? memcpy(kept, items, size) : NULL;
}

static int ifindex_compare(const void *a, const void *b)
{
	const int one = ((const struct live_link *)a)->ifindex;
	const int other = ((const struct live_link *)b)->ifindex;
	return (one > other) - (one < other);
}

/* The links come first, as they alone have pointers. */
_Static_assert(sizeof(struct live_link) % alignof(struct live_addr) == 0 &&
		       sizeof(struct live_addr) % alignof(struct live_route) == 0 &&
		       sizeof(struct live_route) % alignof(struct live_rule) == 0,
	       "arrays_keep");

/* Growing arrays waste arena memory, and these are kept for each namespace: copy them once
 * complete, into one piece of their size. Older kernels list links by a hash of their ifindex
 * (rtnl_dump_ifinfo): sorted, the output is the same on each kernel. */
static void arrays_keep(struct live_ns *ns)
{
	if (ns->n_links)
		qsort(ns->links, ns->n_links, sizeof(*ns->links), ifindex_compare);
	const size_t links = ns->n_links * sizeof(*ns->links);
	const size_t addrs = ns->n_addrs * sizeof(*ns->addrs);
	const size_t routes = ns->n_routes * sizeof(*ns->routes);
	const size_t rules = ns->n_rules * sizeof(*ns->rules);
	char *place = arena_alloc(ns->arena, links + addrs + routes + rules);
	ns->links = array_keep(&place, ns->links, links);
	ns->addrs = array_keep(&place, ns->addrs, addrs);
	ns->routes = array_keep(&place, ns->routes, routes);
	ns->rules = array_keep(&place, ns->rules, rules);
}

static int dump(struct namespace_reader *reader, bool (*encode)(union message *),
		netlink_each *take, struct error *error)
{
	union message request;
	encode(&request);
	return netlink_dump(reader->ns->handle->netlink, &request.header, take, reader, error);
}

/* With the nsid of the host's namespace in front, which most of the links on its links need. */
static int links_read(struct namespace_reader *reader, struct error *error)
{
	union message host, request;
	encode_nsid_get(&host, reader->host_fd);
	encode_link_dump(&request);
	return netlink_dump_after(reader->ns->handle->netlink,
				  reader->ns->host ? NULL : &host.header, &request.header,
				  link_take, reader, error);
}

/* About 20,000 routes. Whoever controls a namespace can create any number of them at hardly any
 * cost, while other processes wait for the observation. Links are far more expensive to create, and
 * all links on the host's links have to be known: they are always read. */
#define LISTING_MOST ((size_t)1 << 20)

/* Unread replies would be read as the next reply: close the socket. */
static int socket_reopen(struct live_ns *ns, struct error *error)
{
	netlink_close(ns->handle->netlink);
	ns->handle->netlink = netlink_open(error);
	return ns->handle->netlink ? 0 : -error->errnum;
}

static int dump_part(struct namespace_reader *reader, const char *what,
		     bool (*encode)(union message *), netlink_each *take, struct error *error)
{
	struct live_ns *ns = reader->ns;
	netlink_limit(ns->handle->netlink, ns->host ? 0 : LISTING_MOST);
	int status = dump(reader, encode, take, error);
	netlink_limit(ns->handle->netlink, 0);
	if (status != -E2BIG)
		return status;
	ns->crowded = what;
	return socket_reopen(ns, error);
}

/* mvapply's own routes in the tables of the host's VRFs, which can hold those of the Internet. */
static int vrf_routes_read(struct namespace_reader *reader, struct error *error)
{
	struct live_ns *ns = reader->ns;
	int status = 0;
	for (size_t i = 0; ns->host && status == 0 && i < ns->n_links; i++) {
		union message request;
		reader->vrf_table = live_vrf_table(&ns->links[i]);
		if (!reader->vrf_table)
			continue;
		encode_table_route_dump(&request, reader->vrf_table);
		status = netlink_dump(ns->handle->netlink, &request.header, route_take, reader,
				      error);
	}
	reader->vrf_table = 0;
	return status;
}

/* A namespace of a container has few routes of the kernel's own. Its rules are read only where an
 * attachment has such a route, or may get one. */
static int routes_read(struct namespace_reader *reader, struct error *error)
{
	struct live_ns *ns = reader->ns;
	const struct namespace_read_options *read_options = reader->read_options;
	bool (*encode)(union message *) = !ns->host                  ? encode_all_route_dump
					  : read_options->own_routes ? encode_own_route_dump
								     : encode_route_dump;
	int status = dump_part(reader, "routes", encode, route_take, error);
	if (status == 0)
		status = vrf_routes_read(reader, error);
	ns->own_routes = read_options->own_routes;
	ns->rules_read = policy_possible(ns, read_options->containers, read_options->n_containers);
	if (status < 0 || !ns->rules_read)
		return status;
	status = dump_part(reader, "rules", encode_rule_dump, rule_take, error);
	/* A kernel without policy routing. */
	return status == -EOPNOTSUPP ? 0 : status;
}

static void sysctl_note(struct live_ns *ns, struct live_link *link, const char *key)
{
	char value[SYSCTL_VALUE_SIZE];
	if (live_sysctl(link, key) || sysctl_read(key, link->name, value) < 0)
		return;
	*array_push(ns->arena, link->sysctls, link->n_sysctls) = (struct live_sysctl){
		.key = arena_strdup(ns->arena, key), .value = arena_strdup(ns->arena, value)};
}

/* The sysctls that the container's attachments name, of every link that could belong to them. */
static void container_sysctls(struct live_ns *ns, const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++) {
		const struct attachment *attachment = &container->attachments[i];
		for (size_t j = 0; j < attachment->n_sysctls; j++)
			for (size_t k = 0; k < ns->n_links; k++)
				if (ns->links[k].tag.role != ROLE_NONE ||
				    ns->links[k].parent_where == PARENT_HOST)
					sysctl_note(ns, &ns->links[k], attachment->sysctls[j].key);
	}
}

static bool may_have_ipv6(const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (network_has_family(container->attachments[i].network, AF_INET6))
			return true;
	return false;
}

/* Engines disable IPv6 in the namespaces of their containers. The host's is needed for host access
 * alone, as its routes are; opening the file takes a walk over the namespaces of the machine. */
static bool ipv6_disabled(const struct live_ns *ns,
			  const struct namespace_read_options *read_options)
{
	char value[SYSCTL_VALUE_SIZE];
	bool asked = ns->host && !read_options->own_routes;
	for (size_t i = 0; !asked && i < read_options->n_containers; i++)
		asked = may_have_ipv6(read_options->containers[i]);
	return asked && sysctl_read(DISABLE_IPV6_KEY, "default", value) == 0 &&
	       strcmp(value, "1") == 0;
}

/* Any link on one of the host's links may have an address, which no attachment may get then. */
static bool details_needed(const struct live_ns *ns,
			   const struct namespace_read_options *read_options)
{
	if (ns->host || read_options->n_containers)
		return true;
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].parent_where == PARENT_HOST)
			return true;
	return false;
}

static bool any_typed(const struct route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i].options.type)
			return true;
	return false;
}

/* Whether a container asks for routes that lead nowhere, which need no link. */
static bool typed_needed(const struct namespace_read_options *read_options)
{
	for (size_t i = 0; i < read_options->n_containers; i++) {
		const struct container *container = read_options->containers[i];
		for (size_t k = 0; k < container->n_attachments; k++) {
			const struct attachment *attachment = &container->attachments[k];
			const struct network *network = attachment->network;
			if (any_typed(attachment->routes, attachment->n_routes) ||
			    (network && any_typed(network->routes, network->n_routes)))
				return true;
		}
	}
	return false;
}

/* A new namespace: without a link that is up it has no routes through one, and addresses of a
 * loopback link cannot conflict. */
static bool is_bare(const struct live_ns *ns)
{
	return ns->n_links == 1 && (ns->links[0].flags & (IFF_LOOPBACK | IFF_UP)) == IFF_LOOPBACK;
}

/* The thread is in the namespace. */
static int read_in_netns(struct namespace_reader *reader, struct error *error)
{
	struct live_ns *ns = reader->ns;
	const struct namespace_read_options *read_options = reader->read_options;
	int status = 0;
	if (!ns->handle->netlink && !(ns->handle->netlink = netlink_open(error)))
		return -error->errnum;
	if ((status = links_read(reader, error)) < 0)
		return status;
	if (bridge_filters(ns) &&
	    (status = dump(reader, encode_bridge_vlan_dump, bridge_vlans_take, error)) < 0)
		return status;
	if (read_options->links_only || !details_needed(ns, read_options))
		return 0;
	if ((!is_bare(ns) || typed_needed(read_options)) &&
	    ((status = dump_part(reader, "addresses", encode_addr_dump, addr_take, error)) < 0 ||
	     (status = routes_read(reader, error)) < 0))
		return status;
	for (size_t i = 0; i < read_options->n_containers; i++)
		container_sysctls(ns, read_options->containers[i]);
	ns->ipv6_disabled = ipv6_disabled(ns, read_options);
	ns->details = true;
	return 0;
}

/* Most namespaces need no change, and thousands of unused sockets are expensive. An empty namespace
 * will probably get its links next; for another one, ns_socket opens a socket. */
static bool socket_is_needed(const struct live_ns *ns)
{
	return ns->host || (ns->details && is_bare(ns));
}

static void socket_close(struct live_ns *ns)
{
	netlink_close(ns->handle->netlink);
	ns->handle->netlink = NULL;
}

int namespace_read(struct live_ns *ns, int host_fd,
		   const struct namespace_read_options *read_options, bool *ret_addr_proto,
		   struct error *error)
{
	struct arena *growing __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct namespace_reader reader = {
		.ns = ns, .growing = growing, .host_fd = host_fd, .read_options = read_options};
	namespace_clear(ns);
	ns->stale = false;
	/* The thread is in the host's namespace from the beginning: reading it needs no capability.
	 */
	int status = ns->host ? 0 : netns_enter(ns->handle->fd, error);
	if (status == 0)
		status = read_in_netns(&reader, error);
	if (status < 0) {
		namespace_clear(ns);
		ns->stale = true;
	}
	arrays_keep(ns);
	live_ns_index(ns);
	/* Close the socket: a stale reply must not be read as the next answer. */
	if (status < 0 || !socket_is_needed(ns))
		socket_close(ns);
	*ret_addr_proto |= reader.addr_proto;
	return status;
}
