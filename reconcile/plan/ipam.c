/* Chooses the addresses that the file leaves open. */
#include "reconcile/plan/ipam.h"

#include "reconcile/plan/derived_mac.h"
#include "schema/driver.h"

static const uint8_t families[N_FAMILIES] = {[IPV4] = AF_INET, [IPV6] = AF_INET6};

static const struct ip *explicit_ip(const struct planned_attachment *planned, size_t family)
{
	if (planned->attachment)
		return family == IPV4 ? &planned->attachment->ipv4 : &planned->attachment->ipv6;
	return family == IPV4 ? &planned->network->host.ipv4 : &planned->network->host.ipv6;
}

/* Holders that are not planned attachments. */
static const struct planned_attachment gateway, aux_address;

static const char *owner_label(const struct plan_input *input,
			       const struct planned_attachment *owner)
{
	if (owner == &gateway || owner == &aux_address)
		return owner == &gateway ? "a gateway" : "an aux address";
	return planned_label(input, owner);
}

/* The addresses during selection. */
struct ipam {
	const struct matched *matched;
	const struct unmanaged_index *unmanaged;
	struct assigned_address *assigned; /* by planned_attachment.number */
	struct address_set *in_use;        /* of the desired state: struct planned_attachment */
	struct address_set *in_namespace;  /* the same, by namespace instead of parent */
	struct address_set *keepers;       /* of live attachments: struct keeper */
	const struct address_set *attachment_claims; /* set after live addresses were assigned */
	/* For each network and subnet: the lowest address that may be free, and the lowest that may
	 * be only claimed; family 0: not searched yet. */
	struct ip **cursors, **claimed_cursors;
};

static struct assigned_address *assigned_to(const struct ipam *ipam,
					    const struct planned_attachment *planned)
{
	return &ipam->assigned[planned->number];
}

/* The domain of the namespace in `in_namespace`: its group's number; the host's comes last. */
static size_t namespace_of(const struct ipam *ipam, const struct planned_attachment *planned)
{
	const struct netns_groups *groups = &ipam->matched->attachments->groups;
	return planned->netns_group ? (size_t)(planned->netns_group - groups->all) : groups->count;
}

/* Returns the earlier holder, or NULL. */
static const struct planned_attachment *take(const struct ipam *ipam,
					     const struct planned_attachment *planned,
					     size_t family, const struct ip *ip)
{
	assigned_to(ipam, planned)->ip[family] = *ip;
	address_set_add(ipam->in_namespace, namespace_of(ipam, planned), ip, planned);
	return address_set_add(ipam->in_use, planned->parent->number, ip, planned);
}

static void take_explicit(const struct ipam *ipam, const struct planned_attachment *planned,
			  size_t family)
{
	const struct ip *ip = explicit_ip(planned, family);
	if (!ip->family)
		return;
	const struct planned_attachment *owner = take(ipam, planned, family, ip);
	char text[IP_TEXT_SIZE];
	if (owner)
		assigned_to(ipam, planned)->check_result = (struct check_result){
			.action = ACTION_BLOCKED,
			.code = CODE_ADDRESS_IN_USE,
			.reason = arena_printf(
				ipam->matched->input->arena, "address %s is already used by %s",
				ip_format(ip, text), owner_label(ipam->matched->input, owner)),
			.hint = "give one of the two attachments another address",
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

static bool free_for(const struct ipam *ipam, const struct planned_attachment *planned,
		     const struct subnet *subnet, const struct ip *ip)
{
	return !reserved(subnet, ip) &&
	       !address_set_holder(ipam->in_use, planned->parent->number, ip) &&
	       !address_set_holder(ipam->unmanaged->addresses, planned->parent->number, ip);
}

static void take_lease(const struct ipam *ipam, const struct planned_attachment *planned,
		       size_t family)
{
	if (!planned_leases(planned, family) || !planned->current)
		return;
	const struct live_addr *lease =
		live_lease(ipam->matched->input->live, planned->ns, planned->current);
	assigned_to(ipam, planned)->lease = lease;
	if (lease)
		take(ipam, planned, family, &lease->prefix.ip);
}

/* Whether the planned attachment can keep the address of a link: the file sets no other address,
 * and the range contains it. A leased address belongs to the server, and is released when it is no
 * longer needed. */
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

static bool has_length(const struct planned_attachment *planned, const struct live_addr *addr)
{
	const struct ip *ip = &addr->prefix.ip;
	const unsigned len = planned->container
				     ? network_subnet_of(planned->network, ip)->prefix.len
				     : ip_bits(ip);
	return addr->prefix.len == len;
}

/* The addresses of a link to consider. */
struct preference {
	bool managed;
	bool any_length; /* the prefix length may differ from the subnet's */
};

/* An unmanaged address with another prefix length would remain beside the new one, which IPv6
 * refuses (ipv6_add_addr gives EEXIST for a second one of the same bits). */
static const struct preference preferences[] = {
	{.managed = true},
	{.managed = true, .any_length = true},
	{.managed = false},
};

static bool is_preferred(const struct ipam *ipam, const struct planned_attachment *planned,
			 const struct live_link *link, const struct live_addr *addr,
			 const struct preference *preference)
{
	return addr_is_managed(ipam->matched->input->live, link, addr) == preference->managed &&
	       (preference->any_length || has_length(planned, addr));
}

/* The precedence among several live links with the address, as a container can give its own link
 * any: the host's own link; then a link on the network's parent; then a link whose MAC is derived
 * from the address, which a second link on the parent cannot have (macvlan_addr_busy); then the
 * link that has had the address for longer. */
struct keeper {
	const struct planned_attachment *planned;
	unsigned rank;
	uint32_t since; /* live_addr.created */
};

static struct keeper keeper_of(const struct ipam *ipam, const struct planned_attachment *planned,
			       const struct live_addr *addr)
{
	const unsigned on_parent =
		parent_of_link(ipam->matched->parents, planned->current) == planned->parent;
	const unsigned of_address =
		mac_is_of_address(ipam->matched->input, planned, &addr->prefix.ip);
	return (struct keeper){.planned = planned,
			       .rank = planned->container ? 2 * on_parent + of_address : 4,
			       .since = addr->created};
}

/* The kernel's counter wraps after 497 days. */
static bool comes_before(const struct keeper *one, const struct keeper *other)
{
	return one->rank != other->rank ? one->rank > other->rank
					: (int32_t)(one->since - other->since) < 0;
}

static void keeper_note(const struct ipam *ipam, const struct planned_attachment *planned,
			const struct live_addr *addr)
{
	struct keeper *keeper = arena_alloc(ipam->matched->input->scratch, sizeof(*keeper));
	*keeper = keeper_of(ipam, planned, addr);
	struct keeper *before = (struct keeper *)(uintptr_t)address_set_add(
		ipam->keepers, planned->parent->number, &addr->prefix.ip, keeper);
	if (before && comes_before(keeper, before))
		*before = *keeper;
}

static void keepers_find(const struct ipam *ipam, const struct planned_attachment *planned,
			 size_t family)
{
	for (size_t i = 0; planned->current && i < planned->ns->n_addrs; i++)
		if (is_candidate(planned, planned->current, &planned->ns->addrs[i], family) &&
		    (addr_is_managed(ipam->matched->input->live, planned->current,
				     &planned->ns->addrs[i]) ||
		     has_length(planned, &planned->ns->addrs[i])))
			keeper_note(ipam, planned, &planned->ns->addrs[i]);
}

static bool keeps(const struct ipam *ipam, const struct planned_attachment *planned,
		  const struct ip *ip)
{
	const struct keeper *keeper =
		address_set_holder(ipam->keepers, planned->parent->number, ip);
	return !keeper || keeper->planned == planned;
}

/* The first of the link's addresses that is valid and preferred. */
static void take_first(const struct ipam *ipam, const struct planned_attachment *planned,
		       size_t family, const struct live_ns *ns, const struct live_link *link,
		       const struct preference *preference)
{
	for (size_t i = 0; i < ns->n_addrs && !assigned_to(ipam, planned)->ip[family].family; i++) {
		const struct live_addr *addr = &ns->addrs[i];
		const struct ip *ip = &addr->prefix.ip;
		if (is_candidate(planned, link, addr, family) &&
		    is_preferred(ipam, planned, link, addr, preference) &&
		    keeps(ipam, planned, ip) &&
		    free_for(ipam, planned, network_subnet_of(planned->network, ip), ip))
			take(ipam, planned, family, ip);
	}
}

/* A live address that is still valid is kept, so that no attachment moves when others are added or
 * removed, when the subnet gets another prefix length, or when the link gets one more address. */
static void take_live(const struct ipam *ipam, const struct planned_attachment *planned,
		      size_t family)
{
	if (!planned->current)
		return;
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(ipam, planned, family, planned->ns, planned->current, &preferences[i]);
}

/* While a container cannot be found, the address of a link with its owner tag is reserved for
 * it. */
static void take_kept(const struct ipam *ipam, const struct planned_attachment *planned,
		      size_t family)
{
	for (size_t i = 0; planned->kept && i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_first(ipam, planned, family, planned->kept->ns, planned->kept->link,
			   &preferences[i]);
}

static const struct netns_group *candidates_of(const struct ipam *ipam,
					       const struct managed_link *managed)
{
	return ipam->matched->attachments->uses[managed->number].candidates;
}

/* An attachment that replaces a removed one in the same namespace, for example of a renamed
 * network, gets its address, too. */
static void take_former(const struct ipam *ipam, const struct managed_link *managed,
			const struct parent *parent, const struct live_addr *addr)
{
	const struct netns_group *candidates = candidates_of(ipam, managed);
	for (size_t i = 0; i < candidates->count; i++) {
		const struct planned_attachment *planned = candidates->planned_all[i];
		const size_t family = addr->prefix.ip.family == AF_INET ? IPV4 : IPV6;
		if (planned->current || planned->kept ||
		    assigned_to(ipam, planned)->ip[family].family || planned->parent != parent ||
		    !is_candidate(planned, managed->link, addr, family) ||
		    !free_for(ipam, planned, network_subnet_of(planned->network, &addr->prefix.ip),
			      &addr->prefix.ip))
			continue;
		take(ipam, planned, family, &addr->prefix.ip);
		return;
	}
}

static void take_all_former(const struct ipam *ipam)
{
	const struct matched *matched = ipam->matched;
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (!candidates_of(ipam, managed) || managed->placement != PLACEMENT_OWN)
			continue;
		const struct parent *parent = parent_of_link(matched->parents, managed->link);
		each_addr_of (addr, managed->ns, managed->link->ifindex)
			if (addr_is_managed(matched->input->live, managed->link, addr))
				take_former(ipam, managed, parent, addr);
	}
}

/* Whether the address is kept for a router of the LAN that the file does not declare. Routers have
 * the first address of their subnet, or the last one of an IPv4 subnet with more than two. With an
 * ip_range, the file says which addresses are free. */
static bool is_routers(const struct planned_attachment *planned, const struct subnet *subnet,
		       const struct ip *ip)
{
	const struct prefix *prefix = &subnet->prefix;
	if (subnet->gateway.family || subnet->has_range || !planned->network->parent ||
	    link_mode_routes(planned->network->mode) || prefix->len + 2U > ip_bits(ip))
		return false;
	const struct ip before = ip_previous(*ip), after = ip_next(*ip);
	return !prefix_usable(prefix, &before) ||
	       (ip->family == AF_INET && prefix->len < 30 && !prefix_usable(prefix, &after));
}

/* Claimed addresses are used last: they may be in use, but a container must not be able to exhaust
 * a range. */
static bool choosable(const struct ipam *ipam, const struct planned_attachment *planned,
		      const struct subnet *subnet, const struct ip *ip, bool claimed)
{
	return free_for(ipam, planned, subnet, ip) && !is_routers(planned, subnet, ip) &&
	       (claimed || !address_claimant(ipam->matched, ipam->unmanaged,
					     ipam->attachment_claims, planned, ip));
}

/* Whether another link in the namespace has the address, on whichever parent. */
static bool in_namespace(const struct ipam *ipam, const struct planned_attachment *planned,
			 const struct ip *ip)
{
	return address_set_holder(ipam->in_namespace, namespace_of(ipam, planned), ip) != NULL;
}

/* The lowest address from `*ip` on that is choosable, or false. */
static bool next_choosable(const struct ipam *ipam, const struct planned_attachment *planned,
			   const struct subnet *subnet, struct ip *ip, bool claimed)
{
	const struct ip last = prefix_last(&subnet->ip_range);
	while (!choosable(ipam, planned, subnet, ip, claimed)) {
		if (ip_equal(ip, &last))
			return false;
		*ip = ip_next(*ip);
	}
	return true;
}

/* The lowest free address of the subnet, starting where the last search for this network ended.
 * Other namespaces can use an address that only this namespace excludes. */
static bool take_lowest(const struct ipam *ipam, const struct planned_attachment *planned,
			size_t family, size_t index, bool claimed)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	const struct ip last = prefix_last(&subnet->ip_range);
	struct ip *cursor = &(claimed ? ipam->claimed_cursors
				      : ipam->cursors)[planned->resolved->number][index];
	if (!cursor->family)
		*cursor = prefix_first(&subnet->ip_range);
	if (!next_choosable(ipam, planned, subnet, cursor, claimed))
		return false;
	struct ip ip = *cursor;
	while (in_namespace(ipam, planned, &ip)) {
		if (ip_equal(&ip, &last))
			return false;
		ip = ip_next(ip);
		if (!next_choosable(ipam, planned, subnet, &ip, claimed))
			return false;
	}
	take(ipam, planned, family, &ip);
	return true;
}

/* The host gets the highest address, so that it does not take one from the containers' end. */
static bool take_highest(const struct ipam *ipam, const struct planned_attachment *planned,
			 size_t family, size_t index, bool claimed)
{
	const struct subnet *subnet = &planned->network->subnets[index];
	struct ip ip = prefix_last(&subnet->ip_range), first = prefix_first(&subnet->ip_range);
	while (!choosable(ipam, planned, subnet, &ip, claimed) ||
	       in_namespace(ipam, planned, &ip)) {
		if (ip_equal(&ip, &first))
			return false;
		ip = ip_previous(ip);
	}
	take(ipam, planned, family, &ip);
	return true;
}

/* Returns the last subnet of the family, which is full; NULL: there is none, or it has a free
 * address. */
static const struct subnet *take_of(const struct ipam *ipam,
				    const struct planned_attachment *planned, size_t family,
				    bool claimed)
{
	const struct subnet *full = NULL;
	for (size_t i = 0; i < planned->network->n_subnets; i++) {
		const struct subnet *subnet = &planned->network->subnets[i];
		if (subnet->ip_range.ip.family != families[family])
			continue;
		full = subnet;
		if (planned->container ? take_lowest(ipam, planned, family, i, claimed)
				       : take_highest(ipam, planned, family, i, claimed))
			return NULL;
	}
	return full;
}

static void take_free(const struct ipam *ipam, const struct planned_attachment *planned,
		      size_t family)
{
	if (planned_leases(planned, family))
		return;
	const struct subnet *full = take_of(ipam, planned, family, false);
	if (full)
		full = take_of(ipam, planned, family, true);
	assigned_to(ipam, planned)->chosen[family] =
		assigned_to(ipam, planned)->ip[family].family != 0;
	if (!full || assigned_to(ipam, planned)->check_result.action == ACTION_REFUSED)
		return;
	char text[PREFIX_TEXT_SIZE];
	assigned_to(ipam, planned)->check_result = (struct check_result){
		.action = ACTION_BLOCKED,
		.code = CODE_SUBNET_FULL,
		.reason = arena_printf(ipam->matched->input->arena, "no free address in %s",
				       prefix_format(&full->ip_range, text)),
		.hint = "widen the network's ip_range or subnet, or add one to its subnets",
	};
}

/* Routers and aux addresses are reserved on the whole LAN, whichever of its networks names them. */
static void reserve(const struct ipam *ipam, const struct resolved_network *resolved)
{
	const size_t domain = resolved->parent->number;
	for (size_t i = 0; i < resolved->network->n_subnets; i++) {
		const struct subnet *subnet = &resolved->network->subnets[i];
		if (subnet->gateway.family)
			address_set_add(ipam->in_use, domain, &subnet->gateway, &gateway);
		for (size_t k = 0; k < subnet->n_aux; k++)
			address_set_add(ipam->in_use, domain, &subnet->aux[k].ip, &aux_address);
	}
}

/* Visits each attachment and family without an address. */
static void each_open(const struct ipam *ipam,
		      void (*visit)(const struct ipam *, const struct planned_attachment *,
				    size_t family))
{
	const struct attachments *attachments = ipam->matched->attachments;
	for (size_t i = 0; i < attachments->count; i++)
		for (size_t family = 0; family < N_FAMILIES; family++)
			if (!ipam->assigned[i].ip[family].family)
				visit(ipam, &attachments->planned[i], family);
}

static struct ip **cursors_make(const struct matched *matched)
{
	const struct parents *parents = matched->parents;
	struct arena *arena = matched->input->scratch;
	struct ip **cursors = arena_alloc(arena, (parents->n_networks + 1) * sizeof(*cursors));
	for (size_t i = 0; i < parents->n_networks; i++)
		cursors[i] = arena_alloc(arena, parents->networks[i].network->n_subnets *
							sizeof(struct ip));
	return cursors;
}

static struct ipam ipam_make(const struct matched *matched, const struct unmanaged_index *unmanaged)
{
	const struct attachments *attachments = matched->attachments;
	struct arena *arena = matched->input->scratch;
	const struct ipam ipam = {
		.matched = matched,
		.unmanaged = unmanaged,
		.assigned = arena_alloc(arena,
					(attachments->count + 1) * sizeof(struct assigned_address)),
		.in_use = address_set_new(arena, attachments->count),
		.in_namespace = address_set_new(arena, attachments->count),
		.keepers = address_set_new(arena, attachments->count),
		.cursors = cursors_make(matched),
		.claimed_cursors = cursors_make(matched)};
	for (size_t i = 0; i < attachments->count; i++)
		ipam.assigned[i].check_result = attachments->planned[i].check_result;
	for (size_t i = 0; i < matched->parents->n_networks; i++)
		reserve(&ipam, &matched->parents->networks[i]);
	return ipam;
}

static const struct ip *kept_of(const void *data, const struct planned_attachment *planned)
{
	return assigned_to(data, planned)->ip;
}

struct addresses addresses_choose(const struct matched *matched,
				  const struct unmanaged_index *unmanaged)
{
	struct ipam ipam = ipam_make(matched, unmanaged);
	each_open(&ipam, take_explicit);
	each_open(&ipam, keepers_find);
	each_open(&ipam, take_live);
	each_open(&ipam, take_lease);
	ipam.attachment_claims = attachment_claims(matched, kept_of, &ipam);
	each_open(&ipam, take_kept);
	take_all_former(&ipam);
	each_open(&ipam, take_free);
	return (struct addresses){.assigned = ipam.assigned,
				  .attachment_claims = ipam.attachment_claims};
}

const struct unmanaged *address_claimant(const struct matched *matched,
					 const struct unmanaged_index *unmanaged,
					 const struct address_set *attachment_claims,
					 const struct planned_attachment *planned,
					 const struct ip *ip)
{
	const size_t domain = planned->parent->number;
	const struct unmanaged *claim = address_set_holder(unmanaged->claims, domain, ip);
	if (!claim)
		claim = address_set_holder(attachment_claims, domain, ip);
	if (!claim || claim->planned == planned)
		return NULL;
	const struct netns_group *candidates =
		claim->leaving ? matched->attachments->uses[claim->leaving->number].candidates
			       : NULL;
	return claim->leaving && candidates == planned->netns_group ? NULL : claim;
}
