#include "reconcile/plan/unmanaged_index.h"

#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool link_unmanaged(const struct matched *matched, const struct live_link *link)
{
	if (link->tag.role == ROLE_NONE)
		return !link_adopted(matched->attachments, link);
	const struct managed_link *managed = managed_of_link(matched->managed, link);
	if (!managed ||
	    (link->tag.role != ROLE_VLAN && !desired_set(matched->input, link->tag.set)))
		return true;
	const struct managed_use *use = &matched->attachments->uses[managed->number];
	if (use->used || use->candidates || !role_in_container(link->tag.role))
		return false;
	if (link->tag.role == ROLE_GUEST || !matched->input->options->partial)
		return link->tag.role == ROLE_GUEST;
	/* A link that a container left in another namespace is deleted with its new one. */
	const struct container_lookup *lookup = declared_find(matched->ownership, &link->tag);
	return !lookup || lookup->state != CONTAINER_READY;
}

bool link_kept(const struct matched *matched, const struct live_link *link)
{
	const struct managed_link *managed = link ? managed_of_link(matched->managed, link) : NULL;
	return managed && matched->attachments->uses[managed->number].kept;
}

bool link_leaves(const struct matched *matched, const struct live_link *link)
{
	const struct managed_link *managed = link ? managed_of_link(matched->managed, link) : NULL;
	return managed && !link_unmanaged(matched, link) &&
	       !matched->attachments->uses[managed->number].used;
}

bool is_passthru(const struct live_link *link)
{
	return link->mode_known && link->mode == MODE_PASSTHRU;
}

/* The list under construction. */
struct lister {
	const struct matched *matched;
	struct unmanaged *links;
	size_t count;
	struct parent_ports *ports;
};

static bool link_of_run(const struct matched *matched, const struct live_link *link)
{
	return link->tag.role == ROLE_NONE ? link_adopted(matched->attachments, link)
					   : desired_set(matched->input, link->tag.set) != NULL;
}

/* An unused tagged link is deleted in this run, and conflicts with nothing. */
static void link_list(struct lister *lister, const struct live_ns *ns, const struct live_link *link)
{
	const struct matched *matched = lister->matched;
	enum driver handler;
	const struct parent *parent =
		link_handler(link, &handler) ? parent_of_link(matched->parents, link) : NULL;
	if (!parent)
		return;
	lister->ports[parent->number].occupied = true;
	lister->ports[parent->number].shared |= !link_of_run(matched, link);
	if (link_unmanaged(matched, link) || link_kept(matched, link))
		*array_push(matched->input->scratch, lister->links, lister->count) =
			(struct unmanaged){.parent = parent, .ns = ns, .link = link};
}

static void first(const struct unmanaged **place, const struct unmanaged *unmanaged)
{
	if (!*place)
		*place = unmanaged;
}

static void parent_users_note(struct parent_ports *ports, const struct unmanaged *unmanaged)
{
	struct parent_users *users = unmanaged->ns->host ? &ports->facts : &ports->claims;
	enum driver handler;
	if (link_handler(unmanaged->link, &handler))
		first(&users->of_handler[handler], unmanaged);
	if (is_passthru(unmanaged->link))
		first(&users->passthru, unmanaged);
}

static void links_list(struct lister *lister)
{
	const struct live *live = lister->matched->input->live;
	for (size_t i = 0; i < live->n_namespaces; i++) {
		const struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			link_list(lister, ns, &ns->links[k]);
	}
	for (size_t i = 0; i < lister->count; i++)
		parent_users_note(&lister->ports[lister->links[i].parent->number],
				  &lister->links[i]);
}

/* "web/lan of set "a"", or NULL. */
static const char *tag_label(const struct plan_input *input, const struct owner_tag *tag)
{
	if (tag->role == ROLE_ATTACH)
		return arena_printf(input->arena, "%s/%s of set \"%s\"", tag->container,
				    owner_tag_attachment(tag), tag->set);
	if (tag->role == ROLE_GUEST)
		return arena_printf(input->arena, "%.*s, a guest on %s of set \"%s\"",
				    (int)strcspn(tag->container, "/"), tag->container, tag->network,
				    tag->set);
	if (tag->role == ROLE_HOST)
		return arena_printf(input->arena, "the host's own link on %s of set \"%s\"",
				    tag->network, tag->set);
	return NULL;
}

const char *unmanaged_label(const struct plan_input *input, const struct unmanaged *unmanaged)
{
	if (unmanaged->link == unmanaged->parent->link)
		return unmanaged->link->name;
	const char *tag = unmanaged->planned ? NULL : tag_label(input, &unmanaged->link->tag);
	return arena_printf(input->arena, "%s in %s%s%s%s", unmanaged->link->name,
			    unmanaged->ns->name, tag ? " (" : "", tag ? tag : "", tag ? ")" : "");
}

/* A MAC as a key of the address sets. */
static struct ip mac_key(const struct mac *mac)
{
	struct ip key = {.family = AF_PACKET};
	memcpy(key.bytes, mac->bytes, sizeof(mac->bytes));
	return key;
}

void mac_hold(struct address_set *macs, const struct unmanaged *unmanaged)
{
	if (!unmanaged->link->mac.set)
		return;
	const struct ip key = mac_key(&unmanaged->link->mac);
	address_set_add(macs, unmanaged->parent->number, &key, unmanaged);
}

const struct unmanaged *mac_holder(const struct unmanaged_index *unmanaged,
				   const struct address_set *kept_macs,
				   const struct planned_attachment *planned, const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	const size_t domain = planned->parent->number;
	const struct unmanaged *holder = address_set_holder(unmanaged->macs, domain, &key);
	return holder || !kept_macs ? holder : address_set_holder(kept_macs, domain, &key);
}

const struct managed_link *mac_passing(const struct unmanaged_index *unmanaged,
				       const struct planned_attachment *planned,
				       const struct mac *mac)
{
	const struct ip key = mac_key(mac);
	return address_set_holder(unmanaged->passing, planned->parent->number, &key);
}

/* If the kernel has no IFA_PROTO, all addresses of a link with an owner tag count as managed,
 * except those that the kernel makes. */
bool addr_is_managed(const struct live *live, const struct live_link *link,
		     const struct live_addr *addr)
{
	return addr->proto == OWNER_TAG_PROTOCOL ||
	       (!live->addr_proto && link->tag.role != ROLE_NONE && !live_addr_autoconf(addr));
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

/* The sets for the addresses of links. */
struct noter {
	const struct live *live;
	struct address_set *facts, *claims;
	kept_addresses *kept; /* NULL: no link belongs to an attachment */
	const void *data;
};

static bool keeps(const struct noter *noter, const struct planned_attachment *planned,
		  const struct ip *ip)
{
	return planned && noter->kept && assigned_has(noter->kept(noter->data, planned), ip);
}

/* The addresses of links, all in one namespace. */
static void addresses_note(const struct noter *noter, const struct unmanaged *const *links,
			   size_t count)
{
	const struct live_ns *ns = links[0]->ns;
	struct address_set *table = ns->host ? noter->facts : noter->claims;
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct ip *ip = &ns->addrs[i].prefix.ip;
		const struct unmanaged *link = link_of_addr(links, count, &ns->addrs[i]);
		if (link && link->planned &&
		    addr_is_managed(noter->live, link->link, &ns->addrs[i]))
			link = link->managed;
		if (link && !keeps(noter, link->planned, ip))
			address_set_add(table, link->parent->number, ip, link);
	}
}

struct listed {
	const struct unmanaged **links;
	size_t count;
};

static void list_add(struct arena *arena, struct listed *list, const struct unmanaged *link)
{
	*array_push(arena, list->links, list->count) = link;
}

static struct unmanaged *unmanaged_new(struct arena *arena, struct unmanaged link)
{
	struct unmanaged *copy = arena_alloc(arena, sizeof(*copy));
	*copy = link;
	return copy;
}

static void listed_note(const struct noter *noter, const struct listed *list)
{
	if (list->count)
		qsort(list->links, list->count, sizeof(*list->links), place_compare);
	for (size_t i = 0, end; i < list->count; i = end) {
		for (end = i + 1; end < list->count && list->links[end]->ns == list->links[i]->ns;
		     end++)
			;
		addresses_note(noter, list->links + i, end - i);
	}
}

static const struct address_set *passing_find(const struct matched *matched)
{
	struct address_set *passing =
		address_set_new(matched->input->scratch, matched->managed->count);
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct ip key = mac_key(&managed->link->mac);
		const struct parent *parent = parent_of_link(matched->parents, managed->link);
		if (parent && managed->link->mac.set)
			address_set_add(passing, parent->number, &key, managed);
	}
	return passing;
}

/* The parents' own links, and the listed ones. */
static struct listed holders_list(const struct lister *lister)
{
	const struct matched *matched = lister->matched;
	struct arena *arena = matched->input->scratch;
	struct listed list = {0};
	for (size_t i = 0; i < matched->parents->count; i++) {
		const struct parent *parent = &matched->parents->all[i];
		const struct unmanaged own = {.parent = parent,
					      .ns = matched->input->live->namespaces[0],
					      .link = parent->link};
		if (parent->link)
			list_add(arena, &list, unmanaged_new(arena, own));
	}
	for (size_t i = 0; i < lister->count; i++)
		list_add(arena, &list, &lister->links[i]);
	return list;
}

/* A container that Docker starts is named after its address, which its link lacks until Docker has
 * moved it (cmd/docker_plugin). */
static bool guest_address(const struct owner_tag *tag, struct ip *ret)
{
	static const char key[] = "docker.";
	char text[IP_TEXT_SIZE];
	const size_t length = tag->role == ROLE_GUEST ? strcspn(tag->container, "/") : 0;
	if (length == 0 || length >= sizeof(text) || tag->container[length] != '/' ||
	    strncmp(tag->container + length + 1, key, strlen(key)) != 0)
		return false;
	memcpy(text, tag->container, length);
	text[length] = '\0';
	return ip_parse(text, ret);
}

static void guests_note(const struct lister *lister, struct address_set *claims)
{
	for (size_t i = 0; i < lister->count; i++) {
		struct ip ip;
		if (guest_address(&lister->links[i].link->tag, &ip))
			address_set_add(claims, lister->links[i].parent->number, &ip,
					&lister->links[i]);
	}
}

struct unmanaged_index unmanaged_find(const struct matched *matched)
{
	struct arena *arena = matched->input->scratch;
	struct lister lister = {.matched = matched,
				.ports = arena_alloc(arena, (matched->parents->count + 1) *
								    sizeof(struct parent_ports))};
	links_list(&lister);
	const struct listed holders = holders_list(&lister);
	struct address_set *macs = address_set_new(arena, lister.count);
	for (size_t i = 0; i < holders.count; i++)
		mac_hold(macs, holders.links[i]);
	const struct noter noter = {.live = matched->input->live,
				    .facts = address_set_new(arena, 0),
				    .claims = address_set_new(arena, lister.count)};
	listed_note(&noter, &holders);
	guests_note(&lister, noter.claims);
	return (struct unmanaged_index){.links = lister.links,
					.count = lister.count,
					.ports = lister.ports,
					.addresses = noter.facts,
					.claims = noter.claims,
					.macs = macs,
					.passing = passing_find(matched)};
}

static void attachment_list(const struct matched *matched, const struct planned_attachment *planned,
			    struct listed *list)
{
	struct arena *arena = matched->input->scratch;
	struct unmanaged own = {
		.parent = planned->current ? parent_of_link(matched->parents, planned->current)
					   : NULL,
		.ns = planned->ns,
		.link = planned->current,
		.planned = planned};
	if (!own.parent)
		return;
	own.managed = unmanaged_new(arena, own);
	list_add(arena, list, unmanaged_new(arena, own));
}

static void leaving_list(const struct matched *matched, const struct managed_link *managed,
			 struct listed *list)
{
	struct arena *arena = matched->input->scratch;
	const struct unmanaged leaving = {.parent = parent_of_link(matched->parents, managed->link),
					  .ns = managed->ns,
					  .link = managed->link,
					  .leaving = managed};
	const struct managed_use *use = &matched->attachments->uses[managed->number];
	if ((use->candidates || use->replacement) && leaving.parent)
		list_add(arena, list, unmanaged_new(arena, leaving));
}

const struct address_set *attachment_claims(const struct matched *matched, kept_addresses *kept,
					    const void *data)
{
	struct listed list = {0};
	for (size_t i = 0; i < matched->attachments->count; i++)
		attachment_list(matched, &matched->attachments->planned[i], &list);
	for (size_t i = 0; i < matched->managed->count; i++)
		leaving_list(matched, &matched->managed->links[i], &list);
	struct address_set *claims = address_set_new(matched->input->scratch, list.count);
	const struct noter noter = {.live = matched->input->live,
				    .facts = claims,
				    .claims = claims,
				    .kept = kept,
				    .data = data};
	listed_note(&noter, &list);
	return claims;
}
