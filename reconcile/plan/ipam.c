/* Chooses the addresses that the file leaves open: design rule "Choosing an address". */
#include "reconcile/plan/internal.h"

enum { IPV4, IPV6, N_FAMILIES };
static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};

static const struct ip *explicit_ip(const struct slot *slot, size_t family)
{
	if (slot->attachment)
		return family == IPV4 ? &slot->attachment->ipv4 : &slot->attachment->ipv6;
	return family == IPV4 ? &slot->network->host.ipv4 : &slot->network->host.ipv6;
}

/* Stand for those that no slot has. */
static const struct slot gateway, aux_address;

const char *slot_label(struct planner *planner, const struct slot *slot)
{
	if (slot == &gateway || slot == &aux_address)
		return slot == &gateway ? "a gateway" : "an aux address";
	return slot->container ? arena_printf(planner->arena, "%s/%s", slot->container->name,
					      slot->network->name)
			       : arena_printf(planner->arena, "the host's own link on %s",
					      slot->network->name);
}

/* Gives who had it before, or NULL. */
static const struct slot *take(struct planner *planner, struct slot *slot, size_t family,
			       const struct ip *ip)
{
	slot->ip[family] = *ip;
	return taken_add(planner->taken, slot->net->domain, ip, slot);
}

static void take_explicit(struct planner *planner, struct slot *slot, size_t family)
{
	const struct ip *ip = explicit_ip(slot, family);
	if (!ip->family)
		return;
	const struct slot *owner = take(planner, slot, family, ip);
	char text[IP_TEXT_SIZE];
	if (owner)
		slot->verdict = (struct verdict){
			.action = ACTION_BLOCKED,
			.code = CODE_ADDRESS_TAKEN,
			.reason = arena_printf(planner->arena, "address %s is taken by %s",
					       ip_format(ip, text), slot_label(planner, owner)),
			.hint = "give one of the two another address",
		};
}

static bool reserved(const struct subnet *subnet, const struct ip *ip)
{
	if (ip_equal(&subnet->gateway, ip) || !prefix_usable(&subnet->prefix, ip))
		return true;
	for (size_t i = 0; i < subnet->n_aux; i++)
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	return false;
}

static bool free_for(const struct planner *planner, const struct slot *slot,
		     const struct subnet *subnet, const struct ip *ip)
{
	return !reserved(subnet, ip) && !taken_by(planner->taken, slot->net->domain, ip) &&
	       !taken_by(planner->strangers, slot->net->domain, ip);
}

static void take_lease(struct planner *planner, struct slot *slot, size_t family)
{
	if (!slot_leases(slot, family))
		return;
	slot->lease = slot->have ? live_lease(planner->live, slot->ns, slot->have) : NULL;
	if (slot->lease)
		take(planner, slot, family, &slot->lease->prefix.ip);
}

/* Whether the slot can keep the address that a link has: the file does not say another, and it is
 * in the range. A lease's belongs to the server, to whom it is given back when it is no longer
 * wanted. */
static bool is_candidate(const struct slot *slot, const struct live_link *link,
			 const struct live_addr *addr, size_t family)
{
	const struct ip *ip = &addr->prefix.ip;
	if (addr->ifindex != link->ifindex || ip->family != families[family] ||
	    (addr->valid && family == IPV4) || slot_leases(slot, family) ||
	    explicit_ip(slot, family)->family)
		return false;
	const struct subnet *subnet = network_subnet_of(slot->network, ip);
	return subnet && prefix_contains(&subnet->ip_range, ip);
}

/* Where the kernel has no IFA_PROTO, all addresses of a link with our mark count as ours. */
bool addr_is_ours(const struct planner *planner, const struct live_link *link,
		  const struct live_addr *addr)
{
	return addr->proto == MARK_PROTOCOL ||
	       (!planner->live->addr_proto && link->mark.role != ROLE_NONE);
}

static bool has_length(const struct slot *slot, const struct live_addr *addr)
{
	const struct ip *ip = &addr->prefix.ip;
	const unsigned len =
		slot->container ? network_subnet_of(slot->network, ip)->prefix.len : ip_bits(ip);
	return addr->prefix.len == len;
}

/* Which of a link's addresses are looked at. */
struct preference {
	bool ours;
	bool any_length; /* the prefix length may be another one than the subnet's */
};

/* An address of others' that has another prefix length would stay beside the new one, which IPv6
 * refuses (ipv6_add_addr gives EEXIST for a second one of the same bits). */
static const struct preference preferences[] = {
	{.ours = true},
	{.ours = true, .any_length = true},
	{.ours = false},
};

static bool is_preferred(const struct planner *planner, const struct slot *slot,
			 const struct live_link *link, const struct live_addr *addr,
			 const struct preference *preference)
{
	return addr_is_ours(planner, link, addr) == preference->ours &&
	       (preference->any_length || has_length(slot, addr));
}

/* Whose address it is, where several live links have one, as a container can give its own link any:
 * the host's own link's; then one's that is on the network's parent; then one's whose MAC comes of
 * the address, as a second on the parent cannot have that (macvlan_addr_busy); then the one's that
 * has had it for longer. */
struct keeper {
	const struct slot *slot;
	unsigned rank;
	uint32_t since; /* live_addr.created */
};

static struct keeper keeper_of(const struct planner *planner, const struct slot *slot,
			       const struct live_addr *addr)
{
	const unsigned on_parent = parent_of_link(planner, slot->have) == slot->parent;
	const unsigned of_address = mac_is_of_address(planner, slot, &addr->prefix.ip);
	return (struct keeper){.slot = slot,
			       .rank = slot->container ? 2 * on_parent + of_address : 4,
			       .since = addr->created};
}

/* The counter of the kernel wraps after 497 days. */
static bool comes_before(const struct keeper *one, const struct keeper *other)
{
	return one->rank != other->rank ? one->rank > other->rank
					: (int32_t)(one->since - other->since) < 0;
}

static void keeper_note(struct planner *planner, const struct slot *slot,
			const struct live_addr *addr)
{
	struct keeper *keeper = arena_alloc(planner->scratch, sizeof(*keeper));
	*keeper = keeper_of(planner, slot, addr);
	struct keeper *before = (struct keeper *)(uintptr_t)taken_add(
		planner->keepers, slot->net->domain, &addr->prefix.ip, keeper);
	if (before && comes_before(keeper, before))
		*before = *keeper;
}

static void keepers_find(struct planner *planner, struct slot *slot, size_t family)
{
	for (size_t i = 0; slot->have && i < slot->ns->n_addrs; i++)
		if (is_candidate(slot, slot->have, &slot->ns->addrs[i], family) &&
		    (addr_is_ours(planner, slot->have, &slot->ns->addrs[i]) ||
		     has_length(slot, &slot->ns->addrs[i])))
			keeper_note(planner, slot, &slot->ns->addrs[i]);
}

static bool keeps(const struct planner *planner, const struct slot *slot, const struct ip *ip)
{
	const struct keeper *keeper = taken_by(planner->keepers, slot->net->domain, ip);
	return !keeper || keeper->slot == slot;
}

/* The first of the link's addresses that is valid and as preferred. */
static void take_first(struct planner *planner, struct slot *slot, size_t family,
		       const struct live_ns *ns, const struct live_link *link,
		       const struct preference *preference)
{
	for (size_t i = 0; i < ns->n_addrs && !slot->ip[family].family; i++) {
		const struct live_addr *addr = &ns->addrs[i];
		const struct ip *ip = &addr->prefix.ip;
		if (is_candidate(slot, link, addr, family) &&
		    is_preferred(planner, slot, link, addr, preference) &&
		    keeps(planner, slot, ip) &&
		    free_for(planner, slot, network_subnet_of(slot->network, ip), ip))
			take(planner, slot, family, ip);
	}
}

/* What is live and still valid is kept, so that no attachment moves when others come and go, when
 * the subnet gets another prefix length, or when somebody gives the link one more address. */
static void take_live(struct planner *planner, struct slot *slot, size_t family)
{
	if (!slot->have)
		return;
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(planner, slot, family, slot->ns, slot->have, &preferences[i]);
}

/* While a container cannot be found, what a link with its mark has is set aside for it. */
static void take_kept(struct planner *planner, struct slot *slot, size_t family)
{
	for (size_t i = 0; slot->kept && i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(planner, slot, family, slot->kept->ns, slot->kept->link,
			   &preferences[i]);
}

/* Addresses that somebody claims are left alone, as they may well be in use, unless no other is
 * left: a container must not be able to use up a range for everybody. */
static bool choosable(const struct planner *planner, const struct slot *slot,
		      const struct subnet *subnet, const struct ip *ip, bool claimed)
{
	return free_for(planner, slot, subnet, ip) &&
	       (claimed || !address_claimant(planner, slot, ip));
}

/* The lowest free address of the subnet, from where the last search for this network ended. */
static bool take_lowest(struct planner *planner, struct slot *slot, size_t family, size_t index,
			bool claimed)
{
	const struct subnet *subnet = &slot->network->subnets[index];
	struct ip *cursor = &(claimed ? slot->net->claimed_cursors : slot->net->cursors)[index];
	const struct ip last = prefix_last(&subnet->ip_range);
	if (!cursor->family)
		*cursor = prefix_first(&subnet->ip_range);
	while (!choosable(planner, slot, subnet, cursor, claimed)) {
		if (ip_equal(cursor, &last))
			return false;
		*cursor = ip_next(*cursor);
	}
	take(planner, slot, family, cursor);
	return true;
}

/* The host gets the highest, out of the way of the containers. */
static bool take_highest(struct planner *planner, struct slot *slot, size_t family, size_t index,
			 bool claimed)
{
	const struct subnet *subnet = &slot->network->subnets[index];
	struct ip ip = prefix_last(&subnet->ip_range), first = prefix_first(&subnet->ip_range);
	while (!choosable(planner, slot, subnet, &ip, claimed)) {
		if (ip_equal(&ip, &first))
			return false;
		ip = ip_previous(ip);
	}
	take(planner, slot, family, &ip);
	return true;
}

/* Gives the last subnet of the family, which is full; NULL: there is none, or it has an address. */
static const struct subnet *take_of(struct planner *planner, struct slot *slot, size_t family,
				    bool claimed)
{
	const struct subnet *full = NULL;
	for (size_t i = 0; i < slot->network->n_subnets; i++) {
		const struct subnet *subnet = &slot->network->subnets[i];
		if (subnet->ip_range.ip.family != families[family])
			continue;
		full = subnet;
		if (slot->container ? take_lowest(planner, slot, family, i, claimed)
				    : take_highest(planner, slot, family, i, claimed))
			return NULL;
	}
	return full;
}

static void take_free(struct planner *planner, struct slot *slot, size_t family)
{
	if (slot_leases(slot, family) || !take_of(planner, slot, family, false))
		return;
	const struct subnet *full = take_of(planner, slot, family, true);
	if (!full || slot->verdict.action == ACTION_REFUSED)
		return;
	char text[PREFIX_TEXT_SIZE];
	slot->verdict = (struct verdict){
		.action = ACTION_BLOCKED,
		.code = CODE_SUBNET_FULL,
		.reason = arena_printf(planner->arena, "no free address in %s",
				       prefix_format(&full->ip_range, text)),
		.hint = "widen the network's ip_range or subnet, or add one to its subnets",
	};
}

/* Routers and aux addresses are everybody's on their LAN, whichever of its networks names them. */
static void reserve(struct planner *planner, const struct net *net)
{
	for (size_t i = 0; i < net->network->n_subnets; i++) {
		const struct subnet *subnet = &net->network->subnets[i];
		if (subnet->gateway.family)
			taken_add(planner->taken, net->domain, &subnet->gateway, &gateway);
		for (size_t k = 0; k < subnet->n_aux; k++)
			taken_add(planner->taken, net->domain, &subnet->aux[k].ip, &aux_address);
	}
}

static void each_slot(struct planner *planner,
		      void (*visit)(struct planner *, struct slot *, size_t family))
{
	for (size_t i = 0; i < planner->n_slots; i++)
		for (size_t family = 0; family < N_FAMILIES; family++)
			if (!planner->slots[i].ip[family].family)
				visit(planner, &planner->slots[i], family);
}

void addresses_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_nets; i++)
		planner->nets[i].domain = planner->nets[i].parent->domain;
	planner->taken = taken_new(planner->scratch, planner->n_slots);
	planner->keepers = taken_new(planner->scratch, planner->n_slots);
	for (size_t i = 0; i < planner->n_nets; i++)
		reserve(planner, &planner->nets[i]);
	each_slot(planner, take_explicit);
	each_slot(planner, keepers_find);
	each_slot(planner, take_live);
	each_slot(planner, take_lease);
	claims_of_attachments(planner);
	each_slot(planner, take_kept);
	each_slot(planner, take_free);
}
