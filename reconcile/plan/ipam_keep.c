#include "reconcile/plan/ipam_keep.h"

#include "reconcile/plan/derived_mac.h"

#include <sys/socket.h>

/* Whether the planned attachment can keep the address of a link: the file sets no other address,
 * and the range contains it. A leased address belongs to the server, and is released when it is no
 * longer needed. */
static bool is_candidate(const struct planned_attachment *planned, const struct live_link *link,
			 const struct live_addr *addr, size_t slot)
{
	const struct ip *ip = &addr->prefix.ip;
	const struct address_request *request = &planned->requests[slot];
	if (addr->ifindex != link->ifindex || ip->family != request_family(planned, slot) ||
	    (addr->valid && ip->family == AF_INET) || live_addr_autoconf(addr) || request->lease ||
	    request->fixed || !prefix_contains(&request->within, ip))
		return false;
	const struct subnet *subnet = network_subnet_of(planned->network, ip);
	return subnet && ip_ranges_contain(&subnet->pool, ip);
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

/* Before Linux 5.18 all addresses of an adopted link will count as managed, too. */
static bool will_be_managed(const struct ipam *ipam, const struct planned_attachment *planned,
			    const struct live_link *link, const struct live_addr *addr)
{
	const struct live *live = ipam->matched->input->live;
	return addr_is_managed(live, link, addr) || (!live->addr_proto && link == planned->current);
}

static bool is_preferred(const struct ipam *ipam, const struct planned_attachment *planned,
			 const struct live_link *link, const struct live_addr *addr,
			 const struct preference *preference)
{
	return will_be_managed(ipam, planned, link, addr) == preference->managed &&
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
	struct keeper *keeper = arena_alloc(ipam->arena, sizeof(*keeper));
	*keeper = keeper_of(ipam, planned, addr);
	struct keeper *before = (struct keeper *)(uintptr_t)address_set_add(
		ipam->keepers, planned->parent->number, &addr->prefix.ip, keeper);
	if (before && comes_before(keeper, before))
		*before = *keeper;
}

void keepers_find(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot)
{
	for (size_t i = 0; planned->current && i < planned->ns->n_addrs; i++)
		if (is_candidate(planned, planned->current, &planned->ns->addrs[i], slot) &&
		    (will_be_managed(ipam, planned, planned->current, &planned->ns->addrs[i]) ||
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

/* The kernel lists the IPv4 addresses of a link from the oldest on, and the IPv6 addresses from the
 * newest on (ipv6_link_dev_addr): of two of the same age, the one that it had before. */
static bool is_older(const struct live_addr *addr, const struct live_addr *before)
{
	const int32_t since = (int32_t)(addr->created - before->created);
	return since < 0 || (since == 0 && addr->prefix.ip.family == AF_INET6);
}

/* The oldest of the link's addresses that is valid and preferred: another program's address, which
 * has no mark of its own before Linux 5.18, came later. */
static void take_oldest(const struct ipam *ipam, const struct planned_attachment *planned,
			size_t slot, const struct live_ns *ns, const struct live_link *link,
			const struct preference *preference)
{
	const struct live_addr *oldest = NULL;
	if (assigned_to(ipam, planned)->ips[slot].ip.family)
		return;
	for (size_t i = 0; i < ns->n_addrs; i++) {
		const struct live_addr *addr = &ns->addrs[i];
		const struct ip *ip = &addr->prefix.ip;
		if (is_candidate(planned, link, addr, slot) &&
		    is_preferred(ipam, planned, link, addr, preference) &&
		    keeps(ipam, planned, ip) &&
		    free_for(ipam, planned, network_subnet_of(planned->network, ip), ip) &&
		    (!oldest || is_older(addr, oldest)))
			oldest = addr;
	}
	if (oldest)
		take(ipam, planned, slot, &oldest->prefix.ip);
}

void take_live(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot)
{
	if (!planned->current)
		return;
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_oldest(ipam, planned, slot, planned->ns, planned->current, &preferences[i]);
}

void take_kept(const struct ipam *ipam, const struct planned_attachment *planned, size_t slot)
{
	for (size_t i = 0; planned->kept && i < sizeof(preferences) / sizeof(preferences[0]); i++)
		take_oldest(ipam, planned, slot, planned->kept->ns, planned->kept->link,
			    &preferences[i]);
}

static bool take_former_for(const struct ipam *ipam, const struct planned_attachment *planned,
			    size_t slot, const struct managed_link *managed,
			    const struct live_addr *addr)
{
	const struct ip *ip = &addr->prefix.ip;
	if (assigned_to(ipam, planned)->ips[slot].ip.family ||
	    !is_candidate(planned, managed->link, addr, slot) ||
	    !free_for(ipam, planned, network_subnet_of(planned->network, ip), ip))
		return false;
	take(ipam, planned, slot, ip);
	return true;
}

static bool take_former_as(const struct ipam *ipam, const struct planned_attachment *planned,
			   const struct managed_link *managed, const struct live_addr *addr)
{
	if (planned->current || planned->kept ||
	    planned->parent != parent_of_link(ipam->matched->parents, managed->link))
		return false;
	for (size_t slot = 0; slot < planned->n_requests; slot++)
		if (take_former_for(ipam, planned, slot, managed, addr))
			return true;
	return false;
}

/* An address of a stale link, for the first attachment in its namespace that can have it; of the
 * host's own link, for the one that replaces it. */
static void take_former(const struct ipam *ipam, const struct managed_link *managed,
			const struct live_addr *addr)
{
	const struct managed_use *use = &ipam->matched->attachments->uses[managed->number];
	if (use->replacement && !use->replacement->container)
		(void)take_former_as(ipam, use->replacement, managed, addr);
	for (size_t i = 0; use->candidates && i < use->candidates->count; i++)
		if (take_former_as(ipam, use->candidates->planned_all[i], managed, addr))
			return;
}

static const struct live_addr *oldest_of(const struct live *live,
					 const struct managed_link *managed, sa_family_t family)
{
	const struct live_addr *oldest = NULL;
	each_addr_of (addr, managed->ns, managed->link->ifindex)
		if (addr->prefix.ip.family == family && !ip_is_link_local(&addr->prefix.ip) &&
		    addr_is_managed(live, managed->link, addr) &&
		    (!oldest || is_older(addr, oldest)))
			oldest = addr;
	return oldest;
}

void take_all_former(const struct ipam *ipam)
{
	const struct matched *matched = ipam->matched;
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	for (size_t i = 0; i < matched->managed->count; i++) {
		const struct managed_link *managed = &matched->managed->links[i];
		if (managed->placement != PLACEMENT_OWN)
			continue;
		for (size_t k = 0; k < 2; k++) {
			const struct live_addr *oldest =
				oldest_of(matched->input->live, managed, families[k]);
			if (oldest)
				take_former(ipam, managed, oldest);
		}
		each_addr_of (addr, managed->ns, managed->link->ifindex)
			if (addr_is_managed(matched->input->live, managed->link, addr))
				take_former(ipam, managed, addr);
	}
}
