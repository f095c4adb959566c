/* Deletes neighbour entries of addresses that moved to another MAC, in the namespaces of the links
 * on the same parent. An announcement via the parent does not reach these links, and their entries
 * would be used until the kernel finds out that they fail (up to 8 s). */
#include "kernel/rtnl_decode.h"
#include "lib/hashmap.h"
#include "reconcile/apply/internal.h"

#include <errno.h>
#include <string.h>

/* The key of context->moved; its value is the specification of the link that has the address. */
struct moved_key {
	int parent;
	struct ip ip;
};

/* Also sets the padding, as the key is compared by its bytes. */
static void key_set(struct moved_key *key, int parent, const struct ip *ip)
{
	memset(key, 0, sizeof(*key));
	key->parent = parent;
	memcpy(&key->ip, ip, sizeof(*ip));
}

void neighbors_note(struct apply_context *context, const struct announcement *announcement)
{
	const struct link_spec *spec = announcement->spec;
	if (!context->moved)
		context->moved = index_new(0);
	for (size_t i = 0; i < announcement->n_addrs; i++) {
		struct moved_key *key = arena_alloc(context->arena, sizeof(*key));
		key_set(key, spec->parent, &announcement->addrs[i].ip);
		(void)index_put(context->moved, key, sizeof(*key), (void *)(uintptr_t)spec);
	}
}

struct forgetting {
	const struct apply_context *context;
	const struct live_ns *ns;
	struct batch *batch;
};

static bool is_outdated(const struct forgetting *forgetting, const struct live_neighbor *neighbor)
{
	struct moved_key key;
	const struct live_link *link = live_link_by_index(forgetting->ns, neighbor->ifindex);
	if (!link || link->parent_where != PARENT_HOST)
		return false;
	key_set(&key, link->parent, &neighbor->ip);
	const struct link_spec *spec = index_get(forgetting->context->moved, &key, sizeof(key));
	return spec && !mac_equal(&spec->mac, &neighbor->mac);
}

static int neighbor_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct forgetting *forgetting = data;
	struct live_neighbor neighbor;
	union message deletion;
	const enum decoded decoded = decode_neighbor(message, &neighbor);
	if (decoded == DECODE_BAD)
		return error_set(error, EBADMSG, "malformed neighbour entry");
	if (decoded == DECODED && is_outdated(forgetting, &neighbor) &&
	    encode_neighbor_delete(&deletion, neighbor.ifindex, &neighbor.ip))
		batch_add(forgetting->batch, &deletion.header, false);
	return 0;
}

static bool has_link_on_parent(const struct live_ns *ns)
{
	for (size_t i = 0; i < ns->n_links; i++)
		if (ns->links[i].parent_where == PARENT_HOST)
			return true;
	return false;
}

/* Best effort, as announcements are. */
static void namespace_forget(const struct apply_context *context, struct live_ns *ns)
{
	union message request;
	struct error ignored;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	struct forgetting forgetting = {.context = context, .ns = ns, .batch = batch};
	struct netlink *netlink = ns_socket(context, ns, &ignored);
	if (netlink && encode_neighbor_dump(&request) &&
	    netlink_dump(netlink, &request.header, neighbor_take, &forgetting, &ignored) == 0 &&
	    batch_count(batch))
		(void)batch_send(netlink, batch, &ignored);
}

void neighbors_forget(struct apply_context *context)
{
	for (size_t i = 0; context->moved && i < context->live->n_namespaces; i++) {
		struct live_ns *ns = context->live->namespaces[i];
		if (ns->handle && has_link_on_parent(ns))
			namespace_forget(context, ns);
	}
}
