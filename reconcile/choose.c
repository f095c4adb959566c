/* Chooses the addresses that the file leaves open: design rule "Choosing an address". */
#include "reconcile/planner.h"

enum { IPV4, IPV6, N_FAMILIES };
static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};

static const struct ip *explicit_ip(const struct slot *slot, size_t family)
{
	if (slot->attachment)
		return family == IPV4 ? &slot->attachment->ipv4 : &slot->attachment->ipv6;
	return family == IPV4 ? &slot->network->host.ipv4 : &slot->network->host.ipv6;
}

static size_t domain_of(const struct planner *planner, const struct parent *parent)
{
	size_t domain = 0;
	while (planner->parents[domain] != parent)
		domain++;
	return domain;
}

/* Stand for those that no slot has. */
static const struct slot gateway, aux_address;

static const char *slot_label(struct planner *planner, const struct slot *slot)
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
	slot->lease = slot->have ? live_lease(planner->live, slot->have_ns, slot->have) : NULL;
	if (slot->lease)
		take(planner, slot, family, &slot->lease->prefix.ip);
}

/* A lease's belongs to the server, to whom it is given back when it is no longer wanted. */
static bool is_candidate(const struct slot *slot, const struct live_addr *addr, size_t family)
{
	return addr->ifindex == slot->have->ifindex && addr->prefix.ip.family == families[family] &&
	       !(addr->valid && families[family] == AF_INET);
}

/* Where the kernel has no IFA_PROTO, all addresses of a link with our mark count as ours. */
static bool is_ours(const struct planner *planner, const struct slot *slot,
		    const struct live_addr *addr)
{
	return addr->proto == MARK_PROTOCOL ||
	       (!planner->live->addr_proto && slot->have->mark.role != ROLE_NONE);
}

static bool has_length(const struct slot *slot, const struct subnet *subnet,
		       const struct live_addr *addr)
{
	const unsigned len = slot->container ? subnet->prefix.len : ip_bits(&addr->prefix.ip);
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

/* The first of the link's addresses that is valid and as preferred. */
static void take_first(struct planner *planner, struct slot *slot, size_t family,
		       const struct preference *preference)
{
	for (size_t i = 0; slot->have && i < slot->have_ns->n_addrs; i++) {
		const struct live_addr *addr = &slot->have_ns->addrs[i];
		if (!is_candidate(slot, addr, family) || slot->ip[family].family ||
		    is_ours(planner, slot, addr) != preference->ours)
			continue;
		const struct subnet *subnet = network_subnet_of(slot->network, &addr->prefix.ip);
		if (subnet && prefix_contains(&subnet->ip_range, &addr->prefix.ip) &&
		    (preference->any_length || has_length(slot, subnet, addr)) &&
		    free_for(planner, slot, subnet, &addr->prefix.ip))
			take(planner, slot, family, &addr->prefix.ip);
	}
}

/* What is live and still valid is kept, so that no attachment moves when others come and go, when
 * the subnet gets another prefix length, or when somebody gives the link one more address. */
static void take_live(struct planner *planner, struct slot *slot, size_t family)
{
	if (slot_leases(slot, family)) {
		take_lease(planner, slot, family);
		return;
	}
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(planner, slot, family, &preferences[i]);
}

/* The lowest free address of the subnet, from where the last search for this network ended. */
static bool take_lowest(struct planner *planner, struct slot *slot, size_t family, size_t index)
{
	const struct subnet *subnet = &slot->network->subnets[index];
	struct ip *cursor = &slot->net->cursors[index], last = prefix_last(&subnet->ip_range);
	if (!cursor->family)
		*cursor = prefix_first(&subnet->ip_range);
	while (!free_for(planner, slot, subnet, cursor)) {
		if (ip_equal(cursor, &last))
			return false;
		*cursor = ip_next(*cursor);
	}
	take(planner, slot, family, cursor);
	return true;
}

/* The host gets the highest, out of the way of the containers. */
static bool take_highest(struct planner *planner, struct slot *slot, size_t family, size_t index)
{
	const struct subnet *subnet = &slot->network->subnets[index];
	struct ip ip = prefix_last(&subnet->ip_range), first = prefix_first(&subnet->ip_range);
	while (!free_for(planner, slot, subnet, &ip)) {
		if (ip_equal(&ip, &first))
			return false;
		ip = ip_previous(ip);
	}
	take(planner, slot, family, &ip);
	return true;
}

static void take_free(struct planner *planner, struct slot *slot, size_t family)
{
	const struct subnet *full = NULL;
	if (slot_leases(slot, family))
		return;
	for (size_t i = 0; i < slot->network->n_subnets; i++) {
		const struct subnet *subnet = &slot->network->subnets[i];
		if (subnet->ip_range.ip.family != families[family])
			continue;
		full = subnet;
		if (slot->container ? take_lowest(planner, slot, family, i)
				    : take_highest(planner, slot, family, i))
			return;
	}
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

/* Addresses of links that are not ours, in the same broadcast domain, and of the parent itself. */
static void strangers_take(struct planner *planner, const struct live_ns *ns, int ifindex,
			   const struct parent *parent, const char *who)
{
	size_t domain = domain_of(planner, parent);
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (ns->addrs[i].ifindex == ifindex)
			taken_add(planner->strangers, domain, &ns->addrs[i].prefix.ip, who);
}

static void strangers_find(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_foreign; i++) {
		const struct foreign *foreign = &planner->foreign[i];
		strangers_take(planner, foreign->ns, foreign->link->ifindex, foreign->parent,
			       foreign->who);
	}
	for (size_t i = 0; i < planner->n_parents; i++) {
		const struct parent *parent = planner->parents[i];
		if (parent->link)
			strangers_take(planner, planner->live->spaces[0], parent->link->ifindex,
				       parent, parent->name);
	}
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
		planner->nets[i].domain = domain_of(planner, planner->nets[i].parent);
	planner->taken = taken_new(planner->scratch, planner->n_slots);
	planner->strangers = taken_new(planner->scratch, planner->n_foreign);
	strangers_find(planner);
	for (size_t i = 0; i < planner->n_nets; i++)
		reserve(planner, &planner->nets[i]);
	each_slot(planner, take_explicit);
	each_slot(planner, take_live);
	each_slot(planner, take_free);
}
