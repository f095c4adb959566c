#include "convert/adopt.h"

#include "kernel/link_kind.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { IPV4, IPV6, N_FAMILIES };

/* Links that can belong to one network: of one kind, on one parent, in the same subnets. */
struct group {
	const struct live_link *first;
	struct prefix subnets[N_FAMILIES];
	const char *name;
	bool host; /* the host has its own link in it */
};

typedef bool name_used(const struct observed_set *set, const char *name);

struct adopter {
	struct observed_set *set;
	struct notes *notes;
	const struct live_ns **namespaces;
	struct group *groups;
	size_t n_groups;
};

static const struct live_ns *host_of(const struct adopter *adopter)
{
	return adopter->set->live->namespaces[0];
}

/* A valid name of the input, derived from another one. */
static char *name_from(struct arena *arena, const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char *name = arena_printf(arena, "%s%.60s", strspn(text, letters) ? "" : "x", text);
	for (char *at = name; *at; at++)
		if (!strchr(letters, *at) && !strchr("_.-", *at))
			*at = '-';
	return name;
}

/* The base itself, or with the lowest number from 2 on that makes it unique: a used name never
 * becomes free again. */
static const char *name_new(const struct observed_set *set, const char *what, const char *base,
			    name_used *used)
{
	const char *name = base;
	size_t *number = observed_place(set, "last %s %s", what, base);
	while (used(set, name)) {
		*number = *number ? *number + 1 : 2;
		name = arena_printf(set->arena, "%s-%zu", base, *number);
	}
	return name;
}

static bool network_name_used(const struct observed_set *set, const char *name)
{
	return observed_network_find(set, name) || *observed_place(set, "group called %s", name);
}

static const char *network_name(const struct adopter *adopter, const char *text)
{
	return name_new(adopter->set, "network", name_from(adopter->set->arena, text),
			network_name_used);
}

static bool container_name_used(const struct observed_set *set, const char *name)
{
	return observed_container_find(set, name);
}

/* The declared container of the namespace, or the name of a new one. */
static const char *container_name(const struct adopter *adopter, const struct live_ns *ns)
{
	const struct observed_set *set = adopter->set;
	const struct observed_container *found = observed_container_in(set, ns);
	enum source_kind kind;
	const char *source;
	if (found)
		return found->model.name;
	if (!origin_source(index_get(set->origins, &ns, sizeof(ns)), "", &kind, &source))
		source = ns->name;
	const char *slash = strrchr(source, '/');
	return name_new(set, "container", name_from(set->arena, slash ? slash + 1 : source),
			container_name_used);
}

/* The subnets of the link's permanent addresses, the first of each family; false: it has none. */
static bool subnets_of(const struct live_ns *ns, const struct live_link *link,
		       struct prefix subnets[N_FAMILIES])
{
	memset(subnets, 0, N_FAMILIES * sizeof(*subnets));
	each_addr_of (addr, ns, link->ifindex) {
		struct prefix *subnet = &subnets[addr->prefix.ip.family == AF_INET ? IPV4 : IPV6];
		if (addr->scope < RT_SCOPE_LINK && addr->flags & IFA_F_PERMANENT &&
		    !subnet->ip.family)
			*subnet = prefix_subnet(&addr->prefix);
	}
	return subnets[IPV4].ip.family || subnets[IPV6].ip.family;
}

static bool alike(const struct live_link *a, const struct live_link *b)
{
	return a->parent == b->parent && a->kind == b->kind && a->mode == b->mode &&
	       a->mtu == b->mtu && a->bcqueuelen == b->bcqueuelen;
}

/* The namespace and parent of a group of such links. */
static size_t *group_place(const struct observed_set *set, const struct live_link *link,
			   const struct prefix subnets[N_FAMILIES])
{
	char ipv4[PREFIX_TEXT_SIZE], ipv6[PREFIX_TEXT_SIZE];
	return observed_place(set, "group on %d, %d, %d, %u, %u, in %s and %s", link->parent,
			      link->kind, link->mode, link->mtu, link->bcqueuelen,
			      prefix_format(&subnets[IPV4], ipv4),
			      prefix_format(&subnets[IPV6], ipv6));
}

static const char *group_name(struct adopter *adopter, const struct live_link *link,
			      const struct prefix subnets[N_FAMILIES])
{
	struct observed_set *set = adopter->set;
	const struct live_link *parent = live_link_by_index(host_of(adopter), link->parent);
	size_t *place = group_place(set, link, subnets);
	if (adopter->groups && *place)
		return adopter->groups[*place - 1].name;
	const char *name = network_name(adopter, parent ? parent->name : "network");
	struct group *group = array_push(set->arena, adopter->groups, adopter->n_groups);
	*group = (struct group){
		.first = link, .subnets = {subnets[IPV4], subnets[IPV6]}, .name = name};
	*place = *observed_place(set, "group called %s", name) = adopter->n_groups;
	return name;
}

static void left(struct adopter *adopter, const struct live_ns *ns, const struct live_link *link,
		 const char *why)
{
	note_add(adopter->set->arena, adopter->notes, "%s %s in %s is not adopted: %s",
		 link->kind_name, link->name, ns->name, why);
}

/* That of the network, or a name of its own for a second link on it. */
static const char *attachment_name(struct adopter *adopter, const char *container,
				   const char *network)
{
	const struct observed_set *set = adopter->set;
	size_t *number = observed_place(set, "last attachment of %s to %s", container, network);
	const char *name = network;
	while (observed_attached(set, container, name)) {
		*number = *number ? *number + 1 : 2;
		name = arena_printf(set->arena, "%.*s-%zu", NAME_LENGTH_MAX - 6, network, *number);
	}
	return name;
}

static void link_take(struct adopter *adopter, const struct live_ns *ns,
		      const struct live_link *link)
{
	struct prefix subnets[N_FAMILIES];
	if (ns->host)
		return;
	if (!link->mode_known) {
		left(adopter, ns, link, "mvapply does not support its mode");
		return;
	}
	if (!subnets_of(ns, link, subnets)) {
		left(adopter, ns, link,
		     "it has no permanent address, and mvapply assigns one to each attachment");
		return;
	}
	const char *container = container_name(adopter, ns);
	const char *network = group_name(adopter, link, subnets);
	const char *name = attachment_name(adopter, container, network);
	observed_attachment(adopter->set, &(struct observed_names){network, container, name}, ns,
			    link);
}

/* Whether the host's address can be in the network: it has one of each family of the network. */
static bool fits(const struct group *group, const struct prefix subnets[N_FAMILIES])
{
	for (size_t family = 0; family < N_FAMILIES; family++) {
		const struct prefix *ours = &group->subnets[family], *its = &subnets[family];
		if (ours->ip.family != its->ip.family ||
		    (its->ip.family && !prefix_contains(ours, &its->ip)))
			return false;
	}
	return true;
}

/* The network of the containers on the same LAN, or a new one. */
static const char *host_network(struct adopter *adopter, const struct live_ns *ns,
				const struct live_link *link,
				const struct prefix subnets[N_FAMILIES])
{
	const struct live_link *parent = live_link_by_index(ns, link->parent);
	for (size_t i = 0; i < adopter->n_groups; i++) {
		struct group *group = &adopter->groups[i];
		if (group->host || !alike(group->first, link) || !fits(group, subnets))
			continue;
		group->host = true;
		return group->name;
	}
	return network_name(adopter, parent ? parent->name : link->name);
}

static void host_link_take(struct adopter *adopter, const struct live_ns *ns,
			   const struct live_link *link)
{
	struct prefix subnets[N_FAMILIES];
	if (!ns->host)
		return;
	if (!link->mode_known || link_mode_isolates(link->mode))
		left(adopter, ns, link, "the host's own link on a network is in mode bridge");
	else if (!subnets_of(ns, link, subnets))
		left(adopter, ns, link,
		     "it has no permanent address, and mvapply assigns one to each attachment");
	else
		observed_host(adopter->set, host_network(adopter, ns, link, subnets), link);
}

static void vlan_take(struct adopter *adopter, const struct live_ns *ns,
		      const struct live_link *link)
{
	if (!ns->host)
		left(adopter, ns, link, "mvapply supports VLAN links on the host only");
	else if (!observed_on(adopter->set, link))
		observed_parent(adopter->set, network_name(adopter, link->name), link);
}

static int namespace_compare(const void *a, const void *b)
{
	const struct live_ns *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

/* By name, so that the same host gives the same file: the links are found in any order. */
static void namespaces_sort(struct adopter *adopter)
{
	const struct live *live = adopter->set->live;
	adopter->namespaces =
		arena_alloc(adopter->set->arena, live->n_namespaces * sizeof(*adopter->namespaces));
	for (size_t i = 0; i < live->n_namespaces; i++)
		adopter->namespaces[i] = live->namespaces[i];
	qsort(adopter->namespaces, live->n_namespaces, sizeof(*adopter->namespaces),
	      namespace_compare);
}

typedef void link_visit(struct adopter *adopter, const struct live_ns *ns,
			const struct live_link *link);

static void each_untagged(struct adopter *adopter, bool vlans, link_visit *take)
{
	for (size_t i = 0; i < adopter->set->live->n_namespaces; i++) {
		const struct live_ns *ns = adopter->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++) {
			const struct live_link *link = &ns->links[k];
			bool kind =
				vlans ? link->kind == KIND_VLAN : link_type(link->kind)->has_driver;
			if (kind && link->tag.role == ROLE_NONE &&
			    link->parent_where == PARENT_HOST)
				take(adopter, ns, link);
		}
	}
}

void adopt_take(struct observed_set *set, struct notes *notes)
{
	struct adopter adopter = {.set = set, .notes = notes};
	set->adopting = true;
	namespaces_sort(&adopter);
	each_untagged(&adopter, false, link_take);
	each_untagged(&adopter, false, host_link_take);
	observed_resolve(set);
	each_untagged(&adopter, true, vlan_take);
}
