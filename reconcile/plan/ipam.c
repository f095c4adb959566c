/* Chooses the addresses that the file leaves open: design rule "Choosing an address". */
#include "reconcile/plan/internal.h"

enum { IPV4, IPV6, N_FAMILIES };
static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};

static const struct ip *explicit_ip(const struct planned_attachment *planned, size_t family)
{
	if (planned->attachment)
		return family == IPV4 ? &planned->attachment->ipv4 : &planned->attachment->ipv6;
	return family == IPV4 ? &planned->network->host.ipv4 : &planned->network->host.ipv6;
}

/* Stand for those that no planned attachment has. */
static const struct planned_attachment gateway, aux_address;

const char *planned_label(struct planner *planner, const struct planned_attachment *planned)
{
	if (planned == &gateway || planned == &aux_address)
		return planned == &gateway ? "a gateway" : "an aux address";
	return planned->container ? arena_printf(planner->arena, "%s/%s", planned->container->name,
						 planned->network->name)
				  : arena_printf(planner->arena, "the host's own link on %s",
						 planned->network->name);
}

/* Gives who had it before, or NULL. */
static const struct planned_attachment *take(struct planner *planner,
					     struct planned_attachment *planned, size_t family,
					     const struct ip *ip)
{
	planned->ip[family] = *ip;
	return address_set_add(planner->in_use, planned->net->domain, ip, planned);
}

static void take_explicit(struct planner *planner, struct planned_attachment *planned,
			  size_t family)
{
	const struct ip *ip = explicit_ip(planned, family);
	if (!ip->family)
		return;
	const struct planned_attachment *owner = take(planner, planned, family, ip);
	char text[IP_TEXT_SIZE];
	if (owner)
		planned->check_result = (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_ADDRESS_TAKEN,
			.reason = arena_printf(planner->arena, "address %s is taken by %s",
					       ip_format(ip, text), planned_label(planner, owner)),
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

static bool free_for(const struct planner *planner, const struct planned_attachment *planned,
		     const struct subnet *subnet, const struct ip *ip)
{
	return !reserved(subnet, ip) &&
	       !address_set_holder(planner->in_use, planned->net->domain, ip) &&
	       !address_set_holder(planner->unmanaged_addresses, planned->net->domain, ip);
}

static void take_lease(struct planner *planner, struct planned_attachment *planned, size_t family)
{
	if (!planned_leases(planned, family))
		return;
	planned->lease =
		planned->current ? live_lease(planner->live, planned->ns, planned->current) : NULL;
	if (planned->lease)
		take(planner, planned, family, &planned->lease->prefix.ip);
}

/* Whether the planned attachment can keep the address that a link has: the file does not say
 * another, and it is in the range. A lease's belongs to the server, to whom it is given back when
 * it is no longer wanted. */
static bool is_candidate(const struct planned_attachment *planned, const struct live_link *link,
			 const struct live_addr *addr, size_t family)
{
	const struct ip *ip = &addr->prefix.ip;
	if (addr->ifindex != link->ifindex || ip->family != families[family] ||
	    (addr->valid && family == IPV4) || planned_leases(planned, family) ||
	    explicit_ip(planned, family)->family)
		return false;
	const struct subnet *subnet = network_subnet_of(planned->network, ip);
	return subnet && prefix_contains(&subnet->ip_range, ip);
}

/* Where the kernel has no IFA_PROTO, all addresses of a link with our mark count as ours. */
bool addr_is_ours(const struct planner *planner, const struct live_link *link,
		  const struct live_addr *addr)
{
	return addr->proto == MARK_PROTOCOL ||
	       (!planner->live->addr_proto && link->mark.role != ROLE_NONE);
}

static bool has_length(const struct planned_attachment *planned, const struct live_addr *addr)
{
	const struct ip *ip = &addr->prefix.ip;
	const unsigned len = planned->container
				     ? network_subnet_of(planned->network, ip)->prefix.len
				     : ip_bits(ip);
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

static bool is_preferred(const struct planner *planner, const struct planned_attachment *planned,
			 const struct live_link *link, const struct live_addr *addr,
			 const struct preference *preference)
{
	return addr_is_ours(planner, link, addr) == preference->ours &&
	       (preference->any_length || has_length(planned, addr));
}

/* Whose address it is, where several live links have one, as a container can give its own link any:
 * the host's own link's; then one's that is on the network's parent; then one's whose MAC comes of
 * the address, as a second on the parent cannot have that (macvlan_addr_busy); then the one's that
 * has had it for longer. */
struct keeper {
	const struct planned_attachment *planned;
	unsigned rank;
	uint32_t since; /* live_addr.created */
};

static struct keeper keeper_of(const struct planner *planner,
			       const struct planned_attachment *planned,
			       const struct live_addr *addr)
{
	const unsigned on_parent = parent_of_link(planner, planned->current) == planned->parent;
	const unsigned of_address = mac_is_of_address(planner, planned, &addr->prefix.ip);
	return (struct keeper){.planned = planned,
			       .rank = planned->container ? 2 * on_parent + of_address : 4,
			       .since = addr->created};
}

/* The counter of the kernel wraps after 497 days. */
static bool comes_before(const struct keeper *one, const struct keeper *other)
{
	return one->rank != other->rank ? one->rank > other->rank
					: (int32_t)(one->since - other->since) < 0;
}

static void keeper_note(struct planner *planner, const struct planned_attachment *planned,
			const struct live_addr *addr)
{
	struct keeper *keeper = arena_alloc(planner->scratch, sizeof(*keeper));
	*keeper = keeper_of(planner, planned, addr);
	struct keeper *before = (struct keeper *)(uintptr_t)address_set_add(
		planner->keepers, planned->net->domain, &addr->prefix.ip, keeper);
	if (before && comes_before(keeper, before))
		*before = *keeper;
}

static void keepers_find(struct planner *planner, struct planned_attachment *planned, size_t family)
{
	for (size_t i = 0; planned->current && i < planned->ns->n_addrs; i++)
		if (is_candidate(planned, planned->current, &planned->ns->addrs[i], family) &&
		    (addr_is_ours(planner, planned->current, &planned->ns->addrs[i]) ||
		     has_length(planned, &planned->ns->addrs[i])))
			keeper_note(planner, planned, &planned->ns->addrs[i]);
}

static bool keeps(const struct planner *planner, const struct planned_attachment *planned,
		  const struct ip *ip)
{
	const struct keeper *keeper =
		address_set_holder(planner->keepers, planned->net->domain, ip);
	return !keeper || keeper->planned == planned;
}

/* The first of the link's addresses that is valid and as preferred. */
static void take_first(struct planner *planner, struct planned_attachment *planned, size_t family,
		       const struct live_ns *ns, const struct live_link *link,
		       const struct preference *preference)
{
	for (size_t i = 0; i < ns->n_addrs && !planned->ip[family].family; i++) {
		const struct live_addr *addr = &ns->addrs[i];
		const struct ip *ip = &addr->prefix.ip;
		if (is_candidate(planned, link, addr, family) &&
		    is_preferred(planner, planned, link, addr, preference) &&
		    keeps(planner, planned, ip) &&
		    free_for(planner, planned, network_subnet_of(planned->network, ip), ip))
			take(planner, planned, family, ip);
	}
}

/* What is live and still valid is kept, so that no attachment moves when others come and go, when
 * the subnet gets another prefix length, or when somebody gives the link one more address. */
static void take_live(struct planner *planner, struct planned_attachment *planned, size_t family)
{
	if (!planned->current)
		return;
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(planner, planned, family, planned->ns, planned->current,
			   &preferences[i]);
}

/* While a container cannot be found, what a link with its mark has is set aside for it. */
static void take_kept(struct planner *planner, struct planned_attachment *planned, size_t family)
{
	for (size_t i = 0; planned->kept && i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(planner, planned, family, planned->kept->ns, planned->kept->link,
			   &preferences[i]);
}

/* Where an attachment takes the place of one that leaves the files, in the same namespace, as where
 * its network has a new name, it takes that one's address, too. */
static void take_former(struct planner *planner, const struct managed_link *managed,
			const struct parent *parent, const struct live_addr *addr)
{
	for (size_t i = 0; i < managed->candidates->count; i++) {
		struct planned_attachment *planned = managed->candidates->planned_all[i];
		const size_t family = addr->prefix.ip.family == AF_INET ? IPV4 : IPV6;
		if (planned->current || planned->kept || planned->ip[family].family ||
		    planned->parent != parent ||
		    !is_candidate(planned, managed->link, addr, family) ||
		    !free_for(planner, planned,
			      network_subnet_of(planned->network, &addr->prefix.ip),
			      &addr->prefix.ip))
			continue;
		take(planner, planned, family, &addr->prefix.ip);
		return;
	}
}

static void take_all_former(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_managed; i++) {
		const struct managed_link *managed = &planner->managed[i];
		if (!managed->candidates || managed->placement != PLACEMENT_OWN)
			continue;
		const struct parent *parent = parent_of_link(planner, managed->link);
		each_addr_of (addr, managed->ns, managed->link->ifindex)
			if (addr_is_ours(planner, managed->link, addr))
				take_former(planner, managed, parent, addr);
	}
}

/* Addresses that somebody claims are left alone, as they may well be in use, unless no other is
 * left: a container must not be able to use up a range for everybody. */
static bool choosable(const struct planner *planner, const struct planned_attachment *planned,
		      const struct subnet *subnet, const struct ip *ip, bool claimed)
{
	return free_for(planner, planned, subnet, ip) &&
	       (claimed || !address_claimant(planner, planned, ip));
}

/* The lowest free address of the subnet, from where the last search for this network ended. */
static bool take_lowest(struct planner *planner, struct planned_attachment *planned, size_t family,
			size_t index, bool claimed)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	struct ip *cursor =
		&(claimed ? planned->net->claimed_cursors : planned->net->cursors)[index];
	const struct ip last = prefix_last(&subnet->ip_range);
	if (!cursor->family)
		*cursor = prefix_first(&subnet->ip_range);
	while (!choosable(planner, planned, subnet, cursor, claimed)) {
		if (ip_equal(cursor, &last))
			return false;
		*cursor = ip_next(*cursor);
	}
	take(planner, planned, family, cursor);
	return true;
}

/* The host gets the highest, out of the way of the containers. */
static bool take_highest(struct planner *planner, struct planned_attachment *planned, size_t family,
			 size_t index, bool claimed)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	struct ip ip = prefix_last(&subnet->ip_range), first = prefix_first(&subnet->ip_range);
	while (!choosable(planner, planned, subnet, &ip, claimed)) {
		if (ip_equal(&ip, &first))
			return false;
		ip = ip_previous(ip);
	}
	take(planner, planned, family, &ip);
	return true;
}

/* Gives the last subnet of the family, which is full; NULL: there is none, or it has an address. */
static const struct subnet *take_of(struct planner *planner, struct planned_attachment *planned,
				    size_t family, bool claimed)
{
	const struct subnet *full = NULL;
	for (size_t i = 0; i < planned->network->n_subnets; i++) {
		const struct subnet *subnet = &planned->network->subnets[i];
		if (subnet->ip_range.ip.family != families[family])
			continue;
		full = subnet;
		if (planned->container ? take_lowest(planner, planned, family, i, claimed)
				       : take_highest(planner, planned, family, i, claimed))
			return NULL;
	}
	return full;
}

static void take_free(struct planner *planner, struct planned_attachment *planned, size_t family)
{
	if (planned_leases(planned, family) || !take_of(planner, planned, family, false))
		return;
	const struct subnet *full = take_of(planner, planned, family, true);
	if (!full || planned->check_result.action == ACTION_REFUSED)
		return;
	char text[PREFIX_TEXT_SIZE];
	planned->check_result = (struct check_result){
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
			address_set_add(planner->in_use, net->domain, &subnet->gateway, &gateway);
		for (size_t k = 0; k < subnet->n_aux; k++)
			address_set_add(planner->in_use, net->domain, &subnet->aux[k].ip,
					&aux_address);
	}
}

static void each_slot(struct planner *planner,
		      void (*visit)(struct planner *, struct planned_attachment *, size_t family))
{
	for (size_t i = 0; i < planner->n_planned; i++)
		for (size_t family = 0; family < N_FAMILIES; family++)
			if (!planner->planned_all[i].ip[family].family)
				visit(planner, &planner->planned_all[i], family);
}

void addresses_choose(struct planner *planner)
{
	for (size_t i = 0; i < planner->n_nets; i++)
		planner->nets[i].domain = planner->nets[i].parent->domain;
	planner->in_use = address_set_new(planner->scratch, planner->n_planned);
	planner->keepers = address_set_new(planner->scratch, planner->n_planned);
	for (size_t i = 0; i < planner->n_nets; i++)
		reserve(planner, &planner->nets[i]);
	each_slot(planner, take_explicit);
	each_slot(planner, keepers_find);
	each_slot(planner, take_live);
	each_slot(planner, take_lease);
	claims_of_attachments(planner);
	each_slot(planner, take_kept);
	take_all_former(planner);
	each_slot(planner, take_free);
}
