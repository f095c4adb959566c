/* Addresses and MACs that live links have on the parents. Links in the host's own namespace are
 * facts. Those in other namespaces are claims: anybody who has a namespace can make them
 * (ownership.c). A claim is avoided where an address or a MAC is chosen anew, and moves nothing
 * that is live. */
#include "reconcile/plan/internal.h"

#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *foreign_label(struct planner *planner, const struct foreign *foreign)
{
	if (foreign->link == foreign->parent->link)
		return foreign->link->name;
	return arena_printf(planner->arena, "%s in %s", foreign->link->name, foreign->ns->name);
}

/* A MAC as a key of `taken`. */
static struct ip mac_key(const struct mac *mac)
{
	struct ip key = {.family = AF_PACKET};
	memcpy(key.bytes, mac->bytes, sizeof(mac->bytes));
	return key;
}

void mac_hold(struct planner *planner, const struct foreign *foreign)
{
	if (!foreign->link->mac.set)
		return;
	const struct ip key = mac_key(&foreign->link->mac);
	taken_add(planner->macs, foreign->parent->domain, &key, foreign);
}

const struct foreign *mac_holder(const struct planner *planner, const struct slot *slot,
				 const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	const struct foreign *holder = taken_by(planner->macs, slot->parent->domain, &key);
	return holder && holder->slot != slot ? holder : NULL;
}

const struct owned *mac_passing(const struct planner *planner, const struct slot *slot,
				const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	return taken_by(planner->passing, slot->parent->domain, &key);
}

const struct foreign *address_claimant(const struct planner *planner, const struct slot *slot,
				       const struct ip *ip)
{
	const struct foreign *claim = taken_by(planner->claims, slot->net->domain, ip);
	return claim && claim->slot != slot ? claim : NULL;
}

/* By namespace, and by ifindex in each. */
static int place_compare(const void *a, const void *b)
{
	const struct foreign *left = *(const struct foreign *const *)a;
	const struct foreign *right = *(const struct foreign *const *)b;
	if (left->ns != right->ns)
		return left->ns->inode < right->ns->inode ? -1 : 1;
	return (left->link->ifindex > right->link->ifindex) -
	       (left->link->ifindex < right->link->ifindex);
}

static const struct foreign *link_of_addr(const struct foreign *const *links, size_t count,
					  const struct live_addr *addr)
{
	size_t low = 0, high = count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int ifindex = links[middle]->link->ifindex;
		if (ifindex == addr->ifindex)
			return links[middle];
		if (ifindex > addr->ifindex)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_of_slot(const struct slot *slot, const struct ip *ip)
{
	return slot && (ip_equal(ip, &slot->ip[0]) || ip_equal(ip, &slot->ip[1]));
}

/* The addresses of the links, which are all of one namespace. */
static void addresses_note(struct planner *planner, const struct foreign *const *links,
			   size_t count)
{
	const struct live_ns *ns = links[0]->ns;
	struct taken *table = ns->host ? planner->strangers : planner->claims;
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct ip *ip = &ns->addrs[i].prefix.ip;
		const struct foreign *link = link_of_addr(links, count, &ns->addrs[i]);
		if (link && link->slot && addr_is_ours(planner, link->link, &ns->addrs[i]))
			link = link->ours;
		if (link && !is_of_slot(link->slot, ip))
			taken_add(table, link->parent->domain, ip, link);
	}
}

struct listed {
	const struct foreign **links;
	size_t count;
};

static void list_add(struct planner *planner, struct listed *list, const struct foreign *link)
{
	*array_push(planner->scratch, list->links, list->count) = link;
}

static struct foreign *foreign_new(struct planner *planner, struct foreign link)
{
	struct foreign *copy = arena_alloc(planner->scratch, sizeof(*copy));
	*copy = link;
	return copy;
}

static void listed_note(struct planner *planner, const struct listed *list)
{
	if (list->count)
		qsort(list->links, list->count, sizeof(*list->links), place_compare);
	for (size_t i = 0, end; i < list->count; i = end) {
		for (end = i + 1; end < list->count && list->links[end]->ns == list->links[i]->ns;
		     end++)
			;
		addresses_note(planner, list->links + i, end - i);
	}
}

static void passing_index(struct planner *planner)
{
	planner->passing = taken_new(planner->scratch, planner->n_owned);
	for (size_t i = 0; i < planner->n_owned; i++) {
		const struct owned *owned = &planner->owned[i];
		const struct ip key = mac_key(&owned->link->mac);
		const struct parent *parent = parent_of_link(planner, owned->link);
		if (parent && owned->link->mac.set)
			taken_add(planner->passing, parent->domain, &key, owned);
	}
}

void claims_index(struct planner *planner)
{
	struct listed list = {0};
	planner->strangers = taken_new(planner->scratch, 0);
	planner->claims = taken_new(planner->scratch, planner->n_foreign + planner->n_slots);
	planner->macs = taken_new(planner->scratch, planner->n_foreign);
	for (size_t i = 0; i < planner->n_parents; i++)
		if (planner->parents[i]->link)
			list_add(planner, &list,
				 foreign_new(planner,
					     (struct foreign){.parent = planner->parents[i],
							      .ns = planner->live->spaces[0],
							      .link = planner->parents[i]->link}));
	for (size_t i = 0; i < planner->n_foreign; i++)
		list_add(planner, &list, &planner->foreign[i]);
	for (size_t i = 0; i < list.count; i++)
		mac_hold(planner, list.links[i]);
	listed_note(planner, &list);
	passing_index(planner);
}

void claims_of_attachments(struct planner *planner)
{
	struct listed list = {0};
	for (size_t i = 0; i < planner->n_attachments; i++) {
		const struct slot *slot = &planner->slots[i];
		const struct parent *parent =
			slot->have ? parent_of_link(planner, slot->have) : NULL;
		struct foreign own = {
			.parent = parent, .ns = slot->ns, .link = slot->have, .slot = slot};
		if (!parent)
			continue;
		own.ours = foreign_new(planner, own);
		list_add(planner, &list, foreign_new(planner, own));
	}
	listed_note(planner, &list);
}

/* An address of a slot that somebody else claims. */
struct conflict {
	const struct foreign *claim;
	const struct slot *slot;
	const struct ip *ip;
};

static int conflict_compare(const void *a, const void *b)
{
	const struct conflict *left = a, *right = b;
	if (left->claim->ns != right->claim->ns)
		return left->claim->ns->inode < right->claim->ns->inode ? -1 : 1;
	if (left->slot != right->slot)
		return left->slot < right->slot ? -1 : 1;
	return (left->ip > right->ip) - (left->ip < right->ip);
}

static void conflict_warn(struct planner *planner, const struct conflict *conflict, size_t more)
{
	char text[IP_TEXT_SIZE];
	const char *rest =
		more ? arena_printf(planner->scratch, ", as are %zu more in that namespace", more)
		     : "";
	warning_add(planner, "%s has the address %s, too, which is that of %s: it is ignored%s",
		    foreign_label(planner, conflict->claim), ip_format(conflict->ip, text),
		    slot_label(planner, conflict->slot), rest);
}

/* Who claims an address that the slot has or gets, and goes on to. */
static const struct foreign *conflict_of(const struct planner *planner, const struct slot *slot,
					 const struct ip *ip)
{
	const struct foreign *claim = slot->verdict.action == ACTION_CREATE && ip->family
					      ? address_claimant(planner, slot, ip)
					      : NULL;
	const bool removed = claim && claim->slot && !claim->ours &&
			     claim->slot->verdict.action == ACTION_CREATE;
	return removed ? NULL : claim;
}

/* One warning for each namespace: a container can have any number of links and addresses. */
void claims_tell(struct planner *planner)
{
	struct conflict *conflicts = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_slots; i++) {
		const struct slot *slot = &planner->slots[i];
		for (size_t k = 0; k < sizeof(slot->ip) / sizeof(slot->ip[0]); k++) {
			const struct foreign *claim = conflict_of(planner, slot, &slot->ip[k]);
			if (claim)
				*array_push(planner->scratch, conflicts, count) =
					(struct conflict){claim, slot, &slot->ip[k]};
		}
	}
	if (count)
		qsort(conflicts, count, sizeof(*conflicts), conflict_compare);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && conflicts[end].claim->ns == conflicts[i].claim->ns;
		     end++)
			;
		conflict_warn(planner, &conflicts[i], end - i - 1);
	}
}
