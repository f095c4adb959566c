/* Conflicts of the MACs, addresses and parents of attachments. */
#include "reconcile/plan/conflict.h"

#include "kernel/link_kind.h"
#include "reconcile/plan/address_claimant.h"
#include "reconcile/plan/derived_mac.h"

#include <string.h>

struct check_result conflict_denied(const struct live_ns *where, enum code code, const char *reason,
				    const char *hint)
{
	return (struct check_result){.action = where->host ? ACTION_REFUSED : ACTION_BLOCKED,
				     .code = code,
				     .reason = reason,
				     .hint = hint};
}

struct check_result conflict_with_holder(const struct plan_input *input, const struct live_ns *ns,
					 const struct live_link *link, const char *what)
{
	return (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_IDENTITY_IN_USE,
		.reason = arena_printf(input->arena, "%s in %s has its %s and cannot be changed",
				       link->name, ns->name, what),
		.hint = "resolve the error of that link first",
	};
}

bool probe_is_needed(const struct plan_input *input, const struct planned_attachment *planned)
{
	const struct network *network = planned->network;
	return (network->probe || input->options->probe) && network->parent &&
	       !link_mode_routes(network->mode);
}

static const struct assigned_address *addresses_of(const struct conflict_finder *finder,
						   const struct planned_attachment *planned)
{
	return &finder->assigned->addresses->assigned[planned->number];
}

static bool has_address(const struct live_ns *ns, const struct live_link *link, const struct ip *ip)
{
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == link->ifindex && ip_equal(&ns->addrs[i].prefix.ip, ip))
			return true;
	return false;
}

/* Whether its live link, if there is one, has the address. */
static bool keeps_address(const struct planned_attachment *planned, const struct ip *ip)
{
	return planned->current && has_address(planned->ns, planned->current, ip);
}

/* The first of the addresses that the link has, too; NULL: it has none. */
static const struct ip *address_on(const struct assigned_address *address, const struct live_ns *ns,
				   const struct live_link *link)
{
	for (size_t i = 0; i < address->count; i++)
		if (address->ips[i].ip.family && has_address(ns, link, &address->ips[i].ip))
			return &address->ips[i].ip;
	return NULL;
}

static const char *address_hint(const struct planned_attachment *planned,
				const struct unmanaged *holder)
{
	const enum role role = holder->link->tag.role;
	if (conflict_is_engine_link(planned, holder->ns, holder->link))
		return HINT_ENGINE_LINK;
	return role == ROLE_ATTACH || role == ROLE_HOST
		       ? "give one of the two attachments another address"
		       : "give the attachment another address, or remove the address from that "
			 "link";
}

static struct check_result address_denied(const struct conflict_finder *finder,
					  const struct planned_attachment *planned,
					  const struct unmanaged *holder, const struct ip *ip)
{
	const struct plan_input *input = finder->assigned->input;
	char text[IP_TEXT_SIZE];
	return conflict_denied(holder->ns, CODE_ADDRESS_UNMANAGED,
			       arena_printf(input->arena, "%s already has the address %s",
					    unmanaged_label(input, holder), ip_format(ip, text)),
			       address_hint(planned, holder));
}

/* The address of the attachment that the holder of its MAC has, too: most MACs come of an address.
 * NULL: it has none. */
static const struct ip *address_of_holder(const struct conflict_finder *finder,
					  const struct planned_attachment *planned,
					  const struct unmanaged *holder)
{
	return address_on(addresses_of(finder, planned), holder->ns, holder->link);
}

/* macvlan_addr_busy refuses a second link with the same MAC on a parent while both are up. */
static struct check_result check_mac(const struct conflict_finder *finder,
				     const struct planned_attachment *planned)
{
	const struct plan_input *input = finder->assigned->input;
	const struct mac *mac = &finder->checked[planned->number].mac;
	char text[MAC_TEXT_SIZE];
	if (!mac->set || planned->network->mode == MODE_PASSTHRU || mac_is_live(planned, mac))
		return CHECK_FINE;
	const struct unmanaged *holder =
		mac_holder(finder->assigned->unmanaged, NULL, planned, mac);
	if (!holder)
		return CHECK_FINE;
	const struct ip *ip = address_of_holder(finder, planned, holder);
	if (ip)
		return address_denied(finder, planned, holder, ip);
	return conflict_denied(
		holder->ns, CODE_MAC_UNMANAGED,
		arena_printf(input->arena, "%s already has the MAC address %s",
			     unmanaged_label(input, holder), mac_format(mac, text)),
		conflict_is_engine_link(planned, holder->ns, holder->link)
			? HINT_ENGINE_LINK
			: "set another mac_address, or remove that link; --adopt takes over an "
			  "unmanaged link in the container itself");
}

/* The holder of an address that therefore cannot be used: the host, or, if the LAN is not probed
 * for it, any other link. Links on the same parent do not receive the probe. */
static const struct unmanaged *address_holder(const struct conflict_finder *finder,
					      const struct planned_attachment *planned,
					      const struct ip *ip)
{
	const struct assigned *assigned = finder->assigned;
	const struct unmanaged *fact =
		address_set_holder(assigned->unmanaged->addresses, planned->parent->number, ip);
	const bool probed =
		probe_is_needed(assigned->input, planned) && !keeps_address(planned, ip);
	const struct unmanaged *claim =
		probed ? address_claimant(assigned->matched, assigned->unmanaged,
					  assigned->addresses->attachment_claims, planned, ip)
		       : NULL;
	if (fact)
		return fact;
	/* Whether the host's own link stays, says check_holder. */
	return claim && !claim->planned && !claim->ns->host ? claim : NULL;
}

/* A veth parent's peer names the parent as its link, too, but is not on it. */
static bool is_on_parent(const struct matched *matched, const struct live_link *link,
			 const struct parent *parent)
{
	enum driver handler;
	return link_handler(link, &handler) && parent_of_link(matched->parents, link) == parent;
}

/* Another live link that has the address, in a partial run; or NULL. */
static const struct unmanaged *address_occupant(const struct conflict_finder *finder,
						const struct planned_attachment *planned,
						const struct ip *ip)
{
	const struct matched *matched = finder->assigned->matched;
	const struct live *live = matched->input->live;
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++) {
			const struct live_ns *ns = live->namespaces[i];
			const struct live_link *link = &ns->links[k];
			if (!is_on_parent(matched, link, planned->parent) ||
			    !has_address(ns, link, ip) || !link_prevents(matched, planned, link))
				continue;
			struct unmanaged *occupant =
				arena_alloc(matched->input->scratch, sizeof(*occupant));
			*occupant = (struct unmanaged){
				.parent = planned->parent, .ns = ns, .link = link};
			return occupant;
		}
	return NULL;
}

/* A live attachment that has the address keeps it: those of the other containers are not compared
 * with all links. */
static bool is_chosen_in_part(const struct conflict_finder *finder,
			      const struct planned_attachment *planned, const struct ip *ip)
{
	return ip->family && finder->assigned->input->options->partial &&
	       !keeps_address(planned, ip);
}

static struct check_result check_address(const struct conflict_finder *finder,
					 const struct planned_attachment *planned)
{
	const struct assigned_address *address = addresses_of(finder, planned);
	for (size_t i = 0; i < address->count; i++) {
		const struct ip *ip = &address->ips[i].ip;
		const struct unmanaged *holder =
			ip->family ? address_holder(finder, planned, ip) : NULL;
		if (!holder && is_chosen_in_part(finder, planned, ip))
			holder = address_occupant(finder, planned, ip);
		if (holder)
			return address_denied(finder, planned, holder, ip);
	}
	return CHECK_FINE;
}

/* The kernel has one receive handler per link: macvlan or ipvlan; passthru excludes all others. */
static bool excludes(const struct planned_attachment *planned, const struct live_link *link)
{
	enum driver handler;
	return !link_handler(link, &handler) ||
	       handler != driver_info(planned->network->driver)->handler ||
	       planned->network->mode == MODE_PASSTHRU || is_passthru(link);
}

/* A link on the parent with which the planned attachment cannot share it, or NULL. */
static const struct unmanaged *parent_users_excluding(const struct planned_attachment *planned,
						      const struct parent_users *users)
{
	for (size_t i = 0; i < N_DRIVERS; i++)
		if (users->of_handler[i] && excludes(planned, users->of_handler[i]->link))
			return users->of_handler[i];
	return users->passthru && excludes(planned, users->passthru->link) ? users->passthru : NULL;
}

static struct check_result check_sharing(const struct conflict_finder *finder,
					 const struct planned_attachment *planned)
{
	const struct plan_input *input = finder->assigned->input;
	const struct parent_ports *ports =
		&finder->assigned->unmanaged->ports[planned->parent->number];
	const struct unmanaged *unmanaged = parent_users_excluding(planned, &ports->facts);
	if (!unmanaged)
		unmanaged = parent_users_excluding(planned, &ports->claims);
	if (!unmanaged)
		return CHECK_FINE;
	return conflict_denied(
		unmanaged->ns, CODE_PARENT_UNMANAGED,
		arena_printf(input->arena, "parent %s already carries %s (%s%s)",
			     planned->parent->name, unmanaged_label(input, unmanaged),
			     unmanaged->link->kind_name,
			     is_passthru(unmanaged->link) ? " passthru" : ""),
		"a parent carries either macvlan or ipvlan links, and passthru requires a parent "
		"of its own: use another parent, or remove that link");
}

/* A managed link that has to stay unchanged, and so keeps its name, MAC, addresses, routes and
 * parent. */
struct holder {
	const struct live_ns *ns;
	const struct live_link *link;
	bool container;
};

struct holders {
	struct holder *all;
	size_t count;
};

/* Links whose attachment cannot be created, and stale links that stay because their replacement
 * cannot be created. */
static struct holders holders_find(const struct conflict_finder *finder)
{
	const struct matched *matched = finder->assigned->matched;
	struct arena *scratch = matched->input->scratch;
	struct holders holders = {0};
	for (size_t i = 0; i < matched->attachments->count; i++) {
		const struct planned_attachment *planned = &matched->attachments->planned[i];
		if (finder->checked[i].check_result.action != ACTION_CREATE && planned->current)
			*array_push(scratch, holders.all, holders.count) =
				(struct holder){planned->ns, planned->current, planned->container};
	}
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		const struct planned_attachment *replacement =
			matched->attachments->uses[i].replacement;
		if (replacement &&
		    finder->checked[replacement->number].check_result.action != ACTION_CREATE)
			*array_push(scratch, holders.all, holders.count) =
				(struct holder){managed->ns, managed->link, replacement->container};
	}
	return holders;
}

/* Whether the link excludes its addresses from the attachment. A container's link does so only on
 * ipvlan, where the kernel refuses a second link with an address (ipvlan_addr_busy): otherwise a
 * container could keep any address from others. */
static bool holds_addresses(const struct planned_attachment *planned, const struct holder *other)
{
	return !other->container || planned->network->driver == DRIVER_IPVLAN;
}

/* The object of the attachment that the link already has on its parent, or NULL. */
static const char *holding_on_parent(const struct conflict_finder *finder,
				     const struct planned_attachment *planned,
				     const struct holder *other)
{
	const struct mac *mac = &finder->checked[planned->number].mac;
	if (excludes(planned, other->link))
		return "parent";
	if (holds_addresses(planned, other) &&
	    address_on(addresses_of(finder, planned), other->ns, other->link))
		return "address";
	return mac->set && mac_equal(&other->link->mac, mac) && !mac_is_live(planned, mac) ? "MAC"
											   : NULL;
}

static const char *holding_of(const struct conflict_finder *finder,
			      const struct planned_attachment *planned, const struct holder *other)
{
	const struct live_link *parent = planned->parent->link;
	if (other->ns == planned->ns &&
	    strcmp(other->link->name, conflict_name_of(finder, planned)) == 0)
		return "name";
	if (other->ns == planned->ns && conflict_has_route(finder, planned, other->link))
		return "route";
	return parent && live_link_on(other->link, parent->ifindex)
		       ? holding_on_parent(finder, planned, other)
		       : NULL;
}

static struct check_result check_holder(const struct conflict_finder *finder,
					const struct planned_attachment *planned,
					const struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++) {
		const struct holder *other = &holders->all[i];
		const char *what = holding_of(finder, planned, other);
		if (what)
			return conflict_with_holder(finder->assigned->input, other->ns, other->link,
						    what);
	}
	return CHECK_FINE;
}

static const struct address_set *macs_kept(const struct conflict_finder *finder,
					   const struct holders *holders)
{
	const struct matched *matched = finder->assigned->matched;
	struct arena *scratch = matched->input->scratch;
	struct address_set *macs = address_set_new(scratch, holders->count);
	for (size_t i = 0; i < holders->count; i++) {
		struct unmanaged *unmanaged = arena_alloc(scratch, sizeof(*unmanaged));
		*unmanaged = (struct unmanaged){
			.parent = parent_of_link(matched->parents, holders->all[i].link),
			.ns = holders->all[i].ns,
			.link = holders->all[i].link};
		if (unmanaged->parent)
			mac_hold(macs, unmanaged);
	}
	return macs;
}

/* Chooses another MAC for attachments whose chosen MAC has a holder. */
static void macs_yield(const struct conflict_finder *finder, const struct holders *holders)
{
	const struct assigned *assigned = finder->assigned;
	const struct address_set *kept_macs = macs_kept(finder, holders);
	for (size_t i = 0; holders->count && i < assigned->attachments->count; i++) {
		const struct planned_attachment *planned = &assigned->attachments->planned[i];
		struct checked_attachment *checked = &finder->checked[i];
		if (checked->check_result.action == ACTION_CREATE && mac_chosen(planned))
			checked->mac =
				mac_free(assigned->input, assigned->unmanaged, kept_macs, planned,
					 assigned_primary(addresses_of(finder, planned), AF_INET));
	}
}

static struct check_result (*const checks[])(const struct conflict_finder *,
					     const struct planned_attachment *) = {
	/* Before the MAC, which may be derived from the address. */
	check_twice, check_name,         check_sharing, check_address,
	check_mac,   check_typed_routes, check_routes,  check_routes_of_group,
};

static void planned_check(const struct conflict_finder *finder,
			  const struct planned_attachment *planned)
{
	struct check_result *check_result = &finder->checked[planned->number].check_result;
	for (size_t i = 0;
	     check_result->action == ACTION_CREATE && i < sizeof(checks) / sizeof(checks[0]); i++)
		*check_result = checks[i](finder, planned);
}

static bool kept_find(const struct conflict_finder *finder)
{
	const struct attachments *attachments = finder->assigned->attachments;
	const struct holders holders = holders_find(finder);
	bool found = false;
	macs_yield(finder, &holders);
	for (size_t i = 0; i < attachments->count; i++) {
		struct check_result *check_result = &finder->checked[i].check_result;
		if (check_result->action != ACTION_CREATE)
			continue;
		*check_result = check_holder(finder, &attachments->planned[i], &holders);
		found |= check_result->action != ACTION_CREATE;
	}
	return found;
}

static struct checked_attachment checked_new(const struct assigned *assigned, size_t number)
{
	const struct assigned_name *name = &assigned->names->assigned[number];
	const struct assigned_routes *routes = &assigned->routes->assigned[number];
	return (struct checked_attachment){.check_result = name->check_result,
					   .mac = name->mac,
					   .routes = routes->routes,
					   .n_routes = routes->count,
					   .gateway = routes->dhcp.gateway};
}

struct conflicts conflicts_find(const struct assigned *assigned)
{
	const size_t count = assigned->attachments->count;
	const struct conflict_finder finder = {
		.assigned = assigned,
		.checked = arena_alloc(assigned->input->scratch,
				       (count + 1) * sizeof(struct checked_attachment))};
	for (size_t i = 0; i < count; i++)
		finder.checked[i] = checked_new(assigned, i);
	for (size_t i = 0; i < count; i++)
		planned_check(&finder, &assigned->attachments->planned[i]);
	/* A blocked attachment blocks those that wait for what its link holds. */
	while (kept_find(&finder))
		;
	return (struct conflicts){.checked = finder.checked};
}

bool attachment_is_made(const struct conflicts *conflicts, const struct planned_attachment *planned)
{
	return conflicts->checked[planned->number].check_result.action == ACTION_CREATE;
}
