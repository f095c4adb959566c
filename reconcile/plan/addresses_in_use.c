/* Addresses and MACs that live links have on the parents. Links in the host's own namespace are
 * facts. Those in other namespaces are claims: anybody who has a namespace can make them
 * (ownership.c). A claim is avoided where an address or a MAC is chosen anew, and moves nothing
 * that is live. */
#include "reconcile/plan/internal.h"

#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *unmanaged_label(struct planner *planner, const struct unmanaged *unmanaged)
{
	if (unmanaged->link == unmanaged->parent->link)
		return unmanaged->link->name;
	return arena_printf(planner->arena, "%s in %s", unmanaged->link->name, unmanaged->ns->name);
}

/* A MAC as a key of the address sets. */
static struct ip mac_key(const struct mac *mac)
{
	struct ip key = {.family = AF_PACKET};
	memcpy(key.bytes, mac->bytes, sizeof(mac->bytes));
	return key;
}

void mac_hold(struct planner *planner, const struct unmanaged *unmanaged)
{
	if (!unmanaged->link->mac.set)
		return;
	const struct ip key = mac_key(&unmanaged->link->mac);
	address_set_add(planner->macs, unmanaged->parent->domain, &key, unmanaged);
}

const struct unmanaged *mac_holder(const struct planner *planner,
				   const struct planned_attachment *planned, const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	const struct unmanaged *holder =
		address_set_holder(planner->macs, planned->parent->domain, &key);
	return holder && holder->planned != planned ? holder : NULL;
}

const struct managed_link *mac_passing(const struct planner *planner,
				       const struct planned_attachment *planned,
				       const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	return address_set_holder(planner->passing, planned->parent->domain, &key);
}

const struct unmanaged *address_claimant(const struct planner *planner,
					 const struct planned_attachment *planned,
					 const struct ip *ip)
{
	const struct unmanaged *claim =
		address_set_holder(planner->claims, planned->net->domain, ip);
	if (!claim || claim->planned == planned)
		return NULL;
	return claim->leaving && claim->leaving->candidates == planned->netns_group ? NULL : claim;
}

/* By namespace, and by ifindex in each. */
static int place_compare(const void *a, const void *b)
{
	const struct unmanaged *left = *(const struct unmanaged *const *)a;
	const struct unmanaged *right = *(const struct unmanaged *const *)b;
	if (left->ns != right->ns)
		return left->ns->inode < right->ns->inode ? -1 : 1;
	return (left->link->ifindex > right->link->ifindex) -
	       (left->link->ifindex < right->link->ifindex);
}

static const struct unmanaged *link_of_addr(const struct unmanaged *const *links, size_t count,
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

static bool is_of_planned(const struct planned_attachment *planned, const struct ip *ip)
{
	return planned && (ip_equal(ip, &planned->ip[0]) || ip_equal(ip, &planned->ip[1]));
}

/* The addresses of the links, which are all of one namespace. */
static void addresses_note(struct planner *planner, const struct unmanaged *const *links,
			   size_t count)
{
	const struct live_ns *ns = links[0]->ns;
	struct address_set *table = ns->host ? planner->unmanaged_addresses : planner->claims;
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct ip *ip = &ns->addrs[i].prefix.ip;
		const struct unmanaged *link = link_of_addr(links, count, &ns->addrs[i]);
		if (link && link->planned && addr_is_ours(planner, link->link, &ns->addrs[i]))
			link = link->ours;
		if (link && !is_of_planned(link->planned, ip))
			address_set_add(table, link->parent->domain, ip, link);
	}
}

struct listed {
	const struct unmanaged **links;
	size_t count;
};

static void list_add(struct planner *planner, struct listed *list, const struct unmanaged *link)
{
	*array_push(planner->scratch, list->links, list->count) = link;
}

static struct unmanaged *unmanaged_new(struct planner *planner, struct unmanaged link)
{
	struct unmanaged *copy = arena_alloc(planner->scratch, sizeof(*copy));
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
	planner->passing = address_set_new(planner->scratch, planner->n_managed);
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		const struct ip key = mac_key(&managed->link->mac);
		const struct parent *parent = parent_of_link(planner, managed->link);
		if (parent && managed->link->mac.set)
			address_set_add(planner->passing, parent->domain, &key, managed);
	}
}

void claims_index(struct planner *planner)
{
	struct listed list = {0};
	planner->unmanaged_addresses = address_set_new(planner->scratch, 0);
	planner->claims =
		address_set_new(planner->scratch, planner->n_unmanaged + planner->n_planned);
	planner->macs = address_set_new(planner->scratch, planner->n_unmanaged);
	for (size_t i = 0; i < planner->n_parents; i++)
		if (planner->parents[i]->link)
			list_add(planner, &list,
				 unmanaged_new(
					 planner,
					 (struct unmanaged){.parent = planner->parents[i],
							    .ns = planner->live->namespaces[0],
							    .link = planner->parents[i]->link}));
	for (size_t i = 0; i < planner->n_unmanaged; i++)
		list_add(planner, &list, &planner->unmanaged[i]);
	for (size_t i = 0; i < list.count; i++)
		mac_hold(planner, list.links[i]);
	listed_note(planner, &list);
	passing_index(planner);
}

static void leaving_list(struct planner *planner, const struct managed_link *managed,
			 struct listed *list)
{
	struct parent *parent = managed->candidates ? parent_of_link(planner, managed->link) : NULL;
	if (parent)
		list_add(planner, list,
			 unmanaged_new(planner, (struct unmanaged){.parent = parent,
								   .ns = managed->ns,
								   .link = managed->link,
								   .leaving = managed}));
}

void claims_of_attachments(struct planner *planner)
{
	struct listed list = {0};
	for (size_t i = 0; i < planner->n_attachments; i++) {
		const struct planned_attachment *planned = &planner->planned_all[i];
		const struct parent *parent =
			planned->current ? parent_of_link(planner, planned->current) : NULL;
		struct unmanaged own = {.parent = parent,
					.ns = planned->ns,
					.link = planned->current,
					.planned = planned};
		if (!parent)
			continue;
		own.ours = unmanaged_new(planner, own);
		list_add(planner, &list, unmanaged_new(planner, own));
	}
	for (size_t i = 0; i < planner->n_managed; i++)
		leaving_list(planner, &planner->managed[i], &list);
	listed_note(planner, &list);
}

/* An address of a planned attachment that somebody else claims. */
struct conflict {
	const struct unmanaged *claim;
	const struct planned_attachment *planned;
	const struct ip *ip;
};

static int conflict_compare(const void *a, const void *b)
{
	const struct conflict *left = a, *right = b;
	if (left->claim->ns != right->claim->ns)
		return left->claim->ns->inode < right->claim->ns->inode ? -1 : 1;
	if (left->planned != right->planned)
		return left->planned < right->planned ? -1 : 1;
	return (left->ip > right->ip) - (left->ip < right->ip);
}

static void conflict_warn(struct planner *planner, const struct conflict *conflict, size_t more)
{
	char text[IP_TEXT_SIZE];
	const char *rest =
		more ? arena_printf(planner->scratch, ", as are %zu more in that namespace", more)
		     : "";
	warning_add(planner, "%s has the address %s, too, which is that of %s: it is ignored%s",
		    unmanaged_label(planner, conflict->claim), ip_format(conflict->ip, text),
		    planned_label(planner, conflict->planned), rest);
}

/* Whether the link has the address no longer once the run is over. */
static bool claim_ends(const struct unmanaged *claim)
{
	if (claim->leaving)
		return !claim->leaving->replacement ||
		       claim->leaving->replacement->check_result.action == ACTION_CREATE;
	return claim->planned && !claim->ours &&
	       claim->planned->check_result.action == ACTION_CREATE;
}

/* Who claims an address that the planned attachment has or gets, and goes on to. */
static const struct unmanaged *conflict_of(const struct planner *planner,
					   const struct planned_attachment *planned,
					   const struct ip *ip)
{
	const struct unmanaged *claim = planned->check_result.action == ACTION_CREATE && ip->family
						? address_claimant(planner, planned, ip)
						: NULL;
	return claim && claim_ends(claim) ? NULL : claim;
}

/* One warning for each namespace: a container can have any number of links and addresses. */
void claims_report(struct planner *planner)
{
	struct conflict *conflicts = NULL;
	size_t count = 0;
	for (size_t i = 0; i < planner->n_planned; i++) {
		const struct planned_attachment *planned = &planner->planned_all[i];
		for (size_t k = 0; k < sizeof(planned->ip) / sizeof(planned->ip[0]); k++) {
			const struct unmanaged *claim =
				conflict_of(planner, planned, &planned->ip[k]);
			if (claim)
				*array_push(planner->scratch, conflicts, count) =
					(struct conflict){claim, planned, &planned->ip[k]};
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
