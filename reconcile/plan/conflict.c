/* Live links and names that are not ours, and where they conflict with an attachment. */
#include "reconcile/plan/internal.h"

#include <string.h>

bool link_unmanaged(const struct planner *planner, const struct live_link *link)
{
	if (link->mark.role == ROLE_NONE)
		return !link_adopted(planner, link);
	return !managed_of_link(planner, link) ||
	       (link->mark.role != ROLE_VLAN && !desired_set(planner, link->mark.set));
}

struct parent *parent_of_link(const struct planner *planner, const struct live_link *link)
{
	for (size_t i = 0; link->parent_where == PARENT_HOST && i < planner->n_parents; i++)
		if (planner->parents[i]->link && planner->parents[i]->link->ifindex == link->parent)
			return planner->parents[i];
	return NULL;
}

/* The kind by which the kernel tells what may share a parent: macvtap is a macvlan to it, and
 * ipvtap an ipvlan. KIND_OTHER: neither. */
static enum link_kind port_kind(const struct live_link *link)
{
	if (link->kind == KIND_MACVLAN || strcmp(link->kind_name, "macvtap") == 0)
		return KIND_MACVLAN;
	if (link->kind == KIND_IPVLAN || strcmp(link->kind_name, "ipvtap") == 0)
		return KIND_IPVLAN;
	return KIND_OTHER;
}

static bool is_passthru(const struct live_link *link)
{
	return link->kind == KIND_MACVLAN && link->mode_known && link->mode == MODE_PASSTHRU;
}

/* What is marked and not wanted leaves in this run, and is in nobody's way. */
static bool stays(const struct planner *planner, const struct live_link *link)
{
	const struct managed_link *managed = managed_of_link(planner, link);
	return link_unmanaged(planner, link) || (managed && managed->kept);
}

static void unmanaged_add(struct planner *planner, const struct live_ns *ns,
			  const struct live_link *link)
{
	struct parent *parent =
		port_kind(link) == KIND_OTHER ? NULL : parent_of_link(planner, link);
	if (!parent)
		return;
	parent->occupied = true;
	if (stays(planner, link))
		*array_push(planner->scratch, planner->unmanaged, planner->n_unmanaged) =
			(struct unmanaged){.parent = parent, .ns = ns, .link = link};
}

static void first(const struct unmanaged **place, const struct unmanaged *unmanaged)
{
	if (!*place)
		*place = unmanaged;
}

static void parent_users_note(struct parent *parent, const struct unmanaged *unmanaged)
{
	struct parent_users *users = unmanaged->ns->host ? &parent->facts : &parent->claims;
	first(port_kind(unmanaged->link) == KIND_MACVLAN ? &users->macvlan : &users->ipvlan,
	      unmanaged);
	if (is_passthru(unmanaged->link))
		first(&users->passthru, unmanaged);
}

void unmanaged_index(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_parents; i++)
		planner->parents[i]->domain = i;
	for (size_t i = 0; i < planner->live->n_namespaces; i++) {
		const struct live_ns *ns = planner->live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			unmanaged_add(planner, ns, &ns->links[k]);
	}
	for (size_t i = 0; i < planner->n_unmanaged; i++)
		parent_users_note(planner->parents[planner->unmanaged[i].parent->domain],
				  &planner->unmanaged[i]);
}

static const char *made_by(struct planner *planner, const struct live_link *link)
{
	if (link->mark.role == ROLE_NONE)
		return "mvapply did not make";
	return link->mark.set
		       ? arena_printf(planner->arena, "belongs to the set \"%s\"", link->mark.set)
		       : "belongs to another set";
}

struct check_result conflict_denied(const struct live_ns *where, enum code code, const char *reason,
				    const char *hint)
{
	return (struct check_result){.action = where->host ? ACTION_REFUSED : ACTION_BLOCKED,
				     .code = code,
				     .reason = reason,
				     .hint = hint};
}

static const struct check_result fine = {.action = ACTION_CREATE};

struct check_result conflict_held(const struct planner *planner, const struct live_ns *ns,
				  const struct live_link *link, const char *what)
{
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_HELD,
		.reason =
			arena_printf(planner->arena, "%s in %s holds its %s and cannot be changed",
				     link->name, ns->name, what),
		.hint = "mend first what keeps that one as it is",
	};
}

bool conflict_is_kept(const struct planner *planner, const struct live_link *link)
{
	const struct managed_link *managed = link ? managed_of_link(planner, link) : NULL;
	return managed && managed->kept;
}

static struct check_result check_name(struct planner *planner,
				      const struct planned_attachment *planned)
{
	const struct live_link *link = live_link_by_name(planned->ns, planned->name);
	if (conflict_is_kept(planner, link))
		return conflict_held(planner, planned->ns, link, "name");
	if (!link || link == planned->current || !link_unmanaged(planner, link))
		return fine;
	return conflict_denied(
		planned->ns, CODE_LINK_FOREIGN,
		arena_printf(planner->arena, "%s has a link %s (%s) that %s", planned->ns->name,
			     planned->name, *link->kind_name ? link->kind_name : "device",
			     made_by(planner, link)),
		"give the attachment another interface_name, or remove that link; --adopt "
		"takes over a macvlan or ipvlan on the same parent");
}

/* macvlan_addr_busy lets no two links of a parent have one MAC and be up. */
static struct check_result check_mac(struct planner *planner,
				     const struct planned_attachment *planned)
{
	char text[MAC_TEXT_SIZE];
	if (!planned->mac.set || planned->network->mode == MODE_PASSTHRU ||
	    mac_is_live(planned, &planned->mac))
		return fine;
	const struct unmanaged *holder = mac_holder(planner, planned, &planned->mac);
	if (!holder)
		return fine;
	return conflict_denied(
		holder->ns, CODE_MAC_FOREIGN,
		arena_printf(planner->arena, "%s has the MAC %s already",
			     unmanaged_label(planner, holder), mac_format(&planned->mac, text)),
		"give the attachment another mac_address, or remove that link; --adopt takes "
		"over an unmarked link in the container itself");
}

static bool has_address(const struct planned_attachment *planned, const struct ip *ip)
{
	for (size_t i = 0; planned->current && i < planned->ns->n_addrs; i++)
		if (planned->ns->addrs[i].ifindex == planned->current->ifindex &&
		    ip_equal(&planned->ns->addrs[i].prefix.ip, ip))
			return true;
	return false;
}

/* Who has the address so that it cannot be used: the host, or where the LAN is asked before an
 * address is used, anybody else. What is on the same parent does not hear that question. */
static const struct unmanaged *address_holder(const struct planner *planner,
					      const struct planned_attachment *planned,
					      const struct ip *ip)
{
	const struct unmanaged *fact =
		address_set_holder(planner->unmanaged_addresses, planned->net->domain, ip);
	const bool asked = planned->desired->probe && !has_address(planned, ip);
	const struct unmanaged *claim = asked ? address_claimant(planner, planned, ip) : NULL;
	if (fact)
		return fact;
	return claim && !claim->planned ? claim : NULL;
}

static struct check_result check_address(struct planner *planner,
					 const struct planned_attachment *planned)
{
	char text[IP_TEXT_SIZE];
	for (size_t i = 0; i < sizeof(planned->ip) / sizeof(planned->ip[0]); i++) {
		const struct unmanaged *holder =
			planned->ip[i].family ? address_holder(planner, planned, &planned->ip[i])
					      : NULL;
		if (holder)
			return conflict_denied(
				holder->ns, CODE_ADDRESS_FOREIGN,
				arena_printf(planner->arena, "%s has the address %s already",
					     unmanaged_label(planner, holder),
					     ip_format(&planned->ip[i], text)),
				"give the attachment another address, or remove that one");
	}
	return fine;
}

/* The kernel keeps one receive handler a link: macvlan or ipvlan, and passthru alone. */
static bool excludes(const struct planned_attachment *planned, const struct live_link *link)
{
	static const enum link_kind kinds[] = {
		[DRIVER_MACVLAN] = KIND_MACVLAN, [DRIVER_IPVLAN] = KIND_IPVLAN};
	return port_kind(link) != kinds[planned->network->driver] ||
	       planned->network->mode == MODE_PASSTHRU || is_passthru(link);
}

/* The one of a company that the planned attachment cannot be with, or NULL. */
static const struct unmanaged *parent_users_excluding(const struct planned_attachment *planned,
						      const struct parent_users *users)
{
	const struct unmanaged *const all[] = {users->macvlan, users->ipvlan, users->passthru};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] && excludes(planned, all[i]->link))
			return all[i];
	return NULL;
}

static struct check_result check_company(struct planner *planner,
					 const struct planned_attachment *planned)
{
	const struct unmanaged *unmanaged =
		parent_users_excluding(planned, &planned->parent->facts);
	if (!unmanaged)
		unmanaged = parent_users_excluding(planned, &planned->parent->claims);
	if (!unmanaged)
		return fine;
	return conflict_denied(
		unmanaged->ns, CODE_PARENT_COMPANY,
		arena_printf(planner->arena, "parent %s carries %s (%s%s) already",
			     planned->parent->name, unmanaged_label(planner, unmanaged),
			     unmanaged->link->kind_name,
			     is_passthru(unmanaged->link) ? " passthru" : ""),
		"a parent carries either macvlans or ipvlans, and passthru has it alone: "
		"use another parent, or remove that link");
}

/* The attachments of ours that have to stay as they are, and so hold on to their name, MAC,
 * addresses, routes and parent. */
struct holders {
	const struct planned_attachment **planned_all;
	size_t count;
};

/* A link that no planned attachment wants, and that stays for want of its replacement. */
static const struct planned_attachment *holder_of(const struct planner *planner,
						  struct managed_link *managed)
{
	struct planned_attachment *planned = arena_alloc(planner->scratch, sizeof(*planned));
	*planned = *managed->replacement;
	planned->ns = managed->ns;
	planned->managed = managed;
	planned->current = managed->link;
	return planned;
}

static struct holders holders_find(const struct planner *planner)
{
	struct holders holders = {0};
	for (size_t i = 0; i < planner->n_planned; i++)
		if (planner->planned_all[i].check_result.action != ACTION_CREATE &&
		    planner->planned_all[i].current)
			*array_push(planner->scratch, holders.planned_all, holders.count) =
				&planner->planned_all[i];
	for (size_t i = 0; i < planner->n_managed; i++)
		if (planner->managed[i].replacement &&
		    planner->managed[i].replacement->check_result.action != ACTION_CREATE)
			*array_push(planner->scratch, holders.planned_all, holders.count) =
				holder_of(planner, &planner->managed[i]);
	return holders;
}

/* What of the planned attachment's one that stays as it is has, or NULL. A container's link counts
 * with no address: a container can give it any. */
static const char *held_by(const struct planned_attachment *planned,
			   const struct planned_attachment *other)
{
	const struct live_link *parent = planned->parent->link, *current = other->current;
	if (other->ns == planned->ns && strcmp(current->name, planned->name) == 0)
		return "name";
	if (other->ns == planned->ns && conflict_holds_route(planned, other))
		return "route";
	if (!parent || !live_link_on(current, parent->ifindex))
		return NULL;
	if (excludes(planned, current))
		return "parent";
	if (!other->container &&
	    (has_address(other, &planned->ip[0]) || has_address(other, &planned->ip[1])))
		return "address";
	return planned->mac.set && mac_equal(&current->mac, &planned->mac) &&
			       !mac_is_live(planned, &planned->mac)
		       ? "MAC"
		       : NULL;
}

static struct check_result check_held(const struct planner *planner,
				      const struct planned_attachment *planned,
				      const struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++) {
		const struct planned_attachment *other = holders->planned_all[i];
		const char *what = held_by(planned, other);
		if (what)
			return conflict_held(planner, other->ns, other->current, what);
	}
	return fine;
}

static struct check_result (*const checks[])(struct planner *,
					     const struct planned_attachment *) = {
	check_twice,
	check_name,
	check_company,
	check_mac,
	check_address,
	conflict_check_routes,
	netns_groups_check_routes,
};

static bool held_find(struct planner *planner)
{
	bool found = false;
	const struct holders holders = holders_find(planner);
	macs_yield(planner, holders.planned_all, holders.count);
	for (size_t i = 0; i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		if (planned->check_result.action != ACTION_CREATE)
			continue;
		planned->check_result = check_held(planner, planned, &holders);
		found |= planned->check_result.action != ACTION_CREATE;
	}
	return found;
}

void conflicts_find(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_planned; i++) {
		struct planned_attachment *planned = &planner->planned_all[i];
		for (size_t k = 0; planned->check_result.action == ACTION_CREATE &&
				   k < sizeof(checks) / sizeof(checks[0]);
		     k++)
			planned->check_result = checks[k](planner, planned);
	}
	/* One that is held up holds up those that wait for what it has. */
	while (held_find(planner))
		;
}
