/* The addresses of a network's attachments, and their subnets. */
#include "convert/observed_vote.h"

#include "dhcp/resolv_conf.h"
#include "schema/driver.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { IPV4, IPV6, N_FAMILIES };

static const char *const family_names[] = {[IPV4] = "IPv4", [IPV6] = "IPv6"};
static struct subnet *subnet_around(const struct observed_network *network,
				    const struct prefix *prefix)
{
	size_t number;
	return prefix_tree_find(&network->subnets, prefix, &number)
		       ? &network->model.subnets[number]
		       : NULL;
}

struct subnet *observed_subnet_of(const struct observed_network *network, const struct ip *ip)
{
	const struct prefix prefix = {.ip = *ip, .len = (uint8_t)ip_bits(ip)};
	return subnet_around(network, &prefix);
}

struct subnet *observed_subnet_make(struct observed_set *set, struct observed_network *network,
				    const struct prefix *address)
{
	struct network *model = &network->model;
	const struct prefix prefix = prefix_subnet(address);
	struct subnet *subnet = subnet_around(network, &prefix);
	if (subnet)
		return subnet->prefix.len <= prefix.len ? subnet : NULL;
	if (!prefix_is_lan(&prefix))
		return NULL;
	prefix_tree_add(&network->subnets, set->arena, &prefix, model->n_subnets);
	subnet = array_push(set->arena, model->subnets, model->n_subnets);
	subnet->prefix = prefix;
	return subnet;
}

bool observed_addr_counts(const struct live_link *link, const struct live_addr *addr)
{
	return addr->scope < RT_SCOPE_LINK && !live_addr_autoconf(addr) &&
	       (link->tag.role != ROLE_NONE || addr->flags & IFA_F_PERMANENT);
}

bool observed_addr_tagged(const struct observed_set *set, const struct live_link *link,
			  const struct live_addr *addr)
{
	return addr->proto == OWNER_TAG_PROTOCOL || !set->live->addr_proto ||
	       link->tag.role == ROLE_NONE;
}

/* The holder of the address on the parent, which must be unique in a file: a pointer to the
 * attachment; 1: the host; 0: none. */
static size_t *address_holder(const struct observed_set *set, const struct live_link *parent,
			      const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	return observed_place(set, "address %s on %p", ip_format(ip, text), (const void *)parent);
}

bool observed_address_in_use(const struct observed_set *set, const struct live_link *parent,
			     const struct ip *ip)
{
	return *address_holder(set, parent, ip);
}

void observed_address_holder(const struct observed_set *set, const struct live_link *parent,
			     const struct ip *ip)
{
	*address_holder(set, parent, ip) = 1;
}

static size_t family_of(const struct ip *ip)
{
	return ip->family == AF_INET ? IPV4 : IPV6;
}

static struct ip *own_ip(struct observed_attachment *attachment, size_t family)
{
	return family == IPV4 ? &attachment->model.ipv4 : &attachment->model.ipv6;
}

/* Visits the attachment's addresses: those with mvapply's protocol first, then the others, which
 * may have lost it. Ends at the first for which `take` is true. */
typedef bool address_visit(const struct ballot *ballot, struct observed_attachment *attachment,
			   const struct prefix *address);

/* Whether mvapply gave the link its addresses, though none has its protocol: an old ip(8) did not
 * set it. Otherwise they are the container's own, such as those of a DHCP client in it. */
static bool may_have_lost_tag(const struct ballot *ballot, struct observed_attachment *attachment)
{
	const struct live_link *link = attachment->link;
	bool may = link->tag.role == ROLE_NONE || !ballot->set->live->addr_proto;
	each_addr_of (addr, attachment->ns, link->ifindex)
		may |= observed_addr_tagged(ballot->set, link, addr) ||
		       mac_is_of_ipv4(&link->mac, &addr->prefix.ip);
	each_route_of (route, attachment->ns, link->ifindex)
		may |= route->proto == OWNER_TAG_PROTOCOL;
	return may;
}

static const struct prefix *address_find(const struct ballot *ballot,
					 struct observed_attachment *attachment, size_t family,
					 address_visit *take)
{
	const struct observed_set *set = ballot->set;
	const struct live_link *link = attachment->link;
	const struct live_addr *lease = live_lease(set->live, attachment->ns, link);
	for (size_t tagged = 2; tagged-- > 0;)
		each_addr_of (addr, attachment->ns, link->ifindex)
			if (addr != lease && family_of(&addr->prefix.ip) == family &&
			    observed_addr_counts(link, addr) &&
			    (tagged || may_have_lost_tag(ballot, attachment)) &&
			    observed_addr_tagged(set, link, addr) == (tagged == 1) &&
			    take(ballot, attachment, &addr->prefix))
				return &addr->prefix;
	return NULL;
}

static bool any_address(const struct ballot *ballot, struct observed_attachment *attachment,
			const struct prefix *address)
{
	(void)ballot;
	(void)attachment;
	return address->len > 0;
}

/* The address from which the link's MAC was derived is its own, even if other links claim it: no
 * other link on the parent can have that MAC. */
static bool claimed(const struct ballot *ballot, struct observed_attachment *attachment,
		    const struct prefix *address)
{
	if (!mac_is_of_ipv4(&attachment->link->mac, &address->ip))
		return false;
	size_t *holder = address_holder(ballot->set, ballot->network->parent, &address->ip);
	if (*holder)
		return false;
	*holder = (size_t)(uintptr_t)attachment;
	return true;
}

static bool free_for(const struct ballot *ballot, const struct observed_attachment *attachment,
		     const struct prefix *address)
{
	const size_t holder = *address_holder(ballot->set, ballot->network->parent, &address->ip);
	return !holder || holder == (size_t)(uintptr_t)attachment;
}

static void holder_set(const struct ballot *ballot, const struct observed_attachment *attachment,
		       const struct prefix *address)
{
	*address_holder(ballot->set, ballot->network->parent, &address->ip) =
		(size_t)(uintptr_t)attachment;
}

static void address_give(const struct ballot *ballot, struct observed_attachment *attachment,
			 const struct prefix *address)
{
	holder_set(ballot, attachment, address);
	*own_ip(attachment, family_of(&address->ip)) = address->ip;
}

static bool within_subnet(const struct ballot *ballot, struct observed_attachment *attachment,
			  const struct prefix *address)
{
	const struct subnet *subnet = observed_subnet_of(ballot->network, &address->ip);
	return subnet && prefix_usable(&subnet->prefix, &address->ip) &&
	       free_for(ballot, attachment, address);
}

static bool outside_subnets(const struct ballot *ballot, struct observed_attachment *attachment,
			    const struct prefix *address)
{
	return prefix_usable(address, &address->ip) && free_for(ballot, attachment, address) &&
	       observed_subnet_make(ballot->set, ballot->network, address);
}

static const char *subnet_answer(const struct ballot *ballot, const struct voter *voter,
				 const void *data, char text[VOTE_TEXT_SIZE])
{
	const size_t family = *(const size_t *)data;
	const struct prefix *address = address_find(ballot, voter->attachment, family, any_address);
	if (!address)
		return NULL;
	const struct prefix prefix = prefix_subnet(address);
	return prefix_format(&prefix, text);
}

/* Whether the host has an address in that subnet on the parent. */
static bool subnet_of_host(const struct ballot *ballot, const char *answer, const void *data)
{
	(void)data;
	struct prefix prefix;
	const struct live_link *parent = ballot->network->parent;
	if (!parent || !prefix_parse(answer, &prefix))
		return false;
	each_addr_of (addr, ballot->set->live->namespaces[0], parent->ifindex)
		if (addr->prefix.len == prefix.len && prefix_contains(&prefix, &addr->prefix.ip))
			return true;
	return false;
}

/* Creates the subnets that contain the first addresses of at least two attachments; otherwise that
 * of the first attachment. */
static void subnets_make(const struct ballot *ballot, size_t family)
{
	const struct question question = {.what = family_names[family],
					  .answer = subnet_answer,
					  .of_host = subnet_of_host,
					  .data = &family};
	const struct poll poll = ballot_poll(ballot, &question);
	char text[VOTE_TEXT_SIZE];
	struct prefix prefix;
	if (poll.winner && prefix_parse(subnet_answer(ballot, poll.winner, &family, text), &prefix))
		(void)observed_subnet_make(ballot->set, ballot->network, &prefix);
	for (size_t i = 0; poll.n_others && i < ballot->n_voters; i++) {
		const char *answer = subnet_answer(ballot, &ballot->voters[i], &family, text);
		if (answer && ballot_votes(ballot, &question, answer) > 1 &&
		    prefix_parse(answer, &prefix))
			(void)observed_subnet_make(ballot->set, ballot->network, &prefix);
	}
}

static bool has_family(const struct ballot *ballot, const struct voter *voter, size_t family)
{
	return (family == IPV4 && voter->attachment->model.dhcp) ||
	       address_find(ballot, voter->attachment, family, any_address);
}

/* The number of counted attachments with an address of each family. Returns the number of counted
 * attachments. */
static size_t families_count(const struct ballot *ballot, size_t counts[N_FAMILIES],
			     const struct voter *first[N_FAMILIES])
{
	size_t voters = 0;
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const struct voter *voter = &ballot->voters[i];
		const bool votes = ballot_counts(ballot, voter);
		voters += votes;
		for (size_t family = 0; family < N_FAMILIES; family++)
			if (has_family(ballot, voter, family)) {
				first[family] = first[family] ? first[family] : voter;
				counts[family] += votes;
			}
	}
	return voters;
}

/* mvapply gives each attachment an address of each family of its network. So an address family of a
 * minority does not belong to the network. */
static void families_find(const struct ballot *ballot, bool ret[N_FAMILIES])
{
	const struct host_access *host = &ballot->network->model.host;
	size_t counts[N_FAMILIES] = {0};
	const struct voter *first[N_FAMILIES] = {0};
	const size_t voters = families_count(ballot, counts, first);
	for (size_t family = 0; family < N_FAMILIES; family++) {
		const struct ip *own = family == IPV4 ? &host->ipv4 : &host->ipv6;
		ret[family] = own->family || 2 * counts[family] > voters ||
			      counts[family] >= counts[!family];
		if (!ret[family] && first[family])
			ballot_dissent(
				ballot,
				"%zu of its %zu links have an address in %s, such as that of %s: "
				"the network is declared without that subnet",
				counts[family], voters, family_names[family],
				first[family]->container->model.name);
	}
}

/* A subnet with only one attachment: no other attachment gets an address in it. */
static void subnet_of_one(const struct ballot *ballot, const struct voter *voter,
			  const struct prefix *address)
{
	struct subnet *subnet = observed_subnet_of(ballot->network, &address->ip);
	char text[PREFIX_TEXT_SIZE];
	bool others = false;
	for (size_t i = 0; i < ballot->network->model.n_subnets; i++)
		others |= &ballot->network->model.subnets[i] != subnet &&
			  ballot->network->model.subnets[i].prefix.ip.family == address->ip.family;
	if (!others)
		return;
	const struct prefix alone = {.ip = address->ip, .len = (uint8_t)ip_bits(&address->ip)};
	subnet->ip_range = ip_ranges_of(&alone, ballot->set->arena);
	ballot_dissent(
		ballot,
		"only %s has an address in %s: with this ip_range, no other container gets one "
		"there",
		voter->container->model.name, prefix_format(&subnet->prefix, text));
}

static void address_choose(const struct ballot *ballot, const struct voter *voter, size_t family)
{
	struct observed_attachment *attachment = voter->attachment;
	const struct prefix *address = address_find(ballot, attachment, family, within_subnet);
	if (address) {
		address_give(ballot, attachment, address);
		return;
	}
	if ((address = address_find(ballot, attachment, family, outside_subnets))) {
		address_give(ballot, attachment, address);
		subnet_of_one(ballot, voter, address);
	}
}

/* Whether a subnet has it, which may be one of its own. */
static bool address_fits(const struct ballot *ballot, const struct voter *voter,
			 const struct prefix *address)
{
	if (within_subnet(ballot, voter->attachment, address))
		return true;
	if (!network_has_family(&ballot->network->model, address->ip.family) ||
	    !outside_subnets(ballot, voter->attachment, address))
		return false;
	subnet_of_one(ballot, voter, address);
	return true;
}

static void address_list(const struct ballot *ballot, struct observed_attachment *attachment,
			 const struct ip *ip)
{
	struct attachment *model = &attachment->model;
	*array_push(ballot->set->arena, model->addresses, model->n_addresses) =
		(struct address_entry){.within = {.ip = *ip, .len = (uint8_t)ip_bits(ip)},
				       .fixed = true};
}

/* A further address that mvapply gave, or that an unmanaged link has for good, which the file can
 * have in `addresses`. */
static bool is_listed(const struct ballot *ballot, const struct voter *voter,
		      const struct live_addr *addr)
{
	struct observed_attachment *attachment = voter->attachment;
	const struct ip *ip = &addr->prefix.ip;
	return observed_addr_tagged(ballot->set, attachment->link, addr) &&
	       !(attachment->model.dhcp && ip->family == AF_INET) &&
	       address_fits(ballot, voter, &addr->prefix);
}

static void further_take(const struct ballot *ballot, const struct voter *voter,
			 const struct live_addr *addr)
{
	struct observed_attachment *attachment = voter->attachment;
	const struct observed_set *set = ballot->set;
	const struct ip *own = own_ip(attachment, family_of(&addr->prefix.ip));
	char text[PREFIX_TEXT_SIZE];
	if (is_listed(ballot, voter, addr)) {
		holder_set(ballot, attachment, &addr->prefix);
		address_list(ballot, attachment, &addr->prefix.ip);
		attachment->model.has_addresses = true;
	} else if (!own->family || observed_addr_tagged(set, attachment->link, addr)) {
		note_add(set->arena, &attachment->notes, "it also has the address %s",
			 prefix_format(&addr->prefix, text));
	}
}

/* Whether the network has a subnet of the family, and the attachment of mvapply no address in it.
 */
static bool lacks(const struct ballot *ballot, struct observed_attachment *attachment,
		  size_t family)
{
	return attachment->link->tag.role != ROLE_NONE &&
	       network_has_family(&ballot->network->model, family == IPV4 ? AF_INET : AF_INET6) &&
	       !(family == IPV4 && attachment->model.dhcp) && !own_ip(attachment, family)->family;
}

/* The list is written only if it differs from one address of each family. */
static void further_addresses(const struct ballot *ballot, const struct voter *voter)
{
	struct observed_attachment *attachment = voter->attachment;
	const struct live_link *link = attachment->link;
	const struct live_addr *lease = live_lease(ballot->set->live, attachment->ns, link);
	for (size_t family = 0; family < N_FAMILIES; family++) {
		const struct ip *own = own_ip(attachment, family);
		attachment->model.has_addresses |= lacks(ballot, attachment, family);
		if (own->family)
			address_list(ballot, attachment, own);
		each_addr_of (addr, attachment->ns, link->ifindex)
			if (addr != lease && family_of(&addr->prefix.ip) == family &&
			    observed_addr_counts(link, addr) && !ip_equal(own, &addr->prefix.ip))
				further_take(ballot, voter, addr);
	}
}

static bool is_hardware_mac(const struct live_ns *host, const struct mac *mac)
{
	for (size_t i = 0; i < host->n_links; i++)
		if (host->links[i].permanent_mac.set &&
		    mac_equal(&host->links[i].permanent_mac, mac))
			return true;
	return false;
}

/* Whether a passthru link has the MAC that its parent would have without it: that of a network card
 * (also where the parent is a bond or a bridge on it), or of the link below a VLAN. Of other
 * parents it is not known, as the parent has each MAC of the link: then the file gets it. */
static bool mac_is_of_parent(const struct live_ns *host, const struct live_link *parent,
			     const struct mac *mac)
{
	const struct live_link *base = parent ? live_vlan_base(host, parent) : NULL;
	return !parent || is_hardware_mac(host, mac) || (base && mac_equal(&base->mac, mac));
}

/* An ipvlan has its parent's MAC. */
static void mac_take(const struct ballot *ballot, struct observed_attachment *attachment)
{
	const struct network *network = &ballot->network->model;
	const struct mac *mac = &attachment->link->mac;
	const bool shares = driver_shares_mac(network->driver, network->mode);
	const bool is_default = network->mode == MODE_PASSTHRU
					? mac_is_of_parent(ballot->set->live->namespaces[0],
							   ballot->network->parent, mac)
					: shares || mac_is_of_ipv4(mac, &attachment->model.ipv4);
	if (!is_default)
		attachment->model.mac = *mac;
}

static void network_addresses(const struct ballot *ballot)
{
	bool has[N_FAMILIES];
	families_find(ballot, has);
	for (size_t family = 0; family < N_FAMILIES; family++) {
		if (!has[family])
			continue;
		subnets_make(ballot, family);
		for (size_t i = 0; i < ballot->n_voters; i++)
			address_choose(ballot, &ballot->voters[i], family);
	}
	for (size_t i = 0; i < ballot->n_voters; i++) {
		further_addresses(ballot, &ballot->voters[i]);
		mac_take(ballot, ballot->voters[i].attachment);
	}
}

/* The path is in the link's alias, which whoever controls the namespace can set: only a file that
 * mvapply has written for this link counts. */
static const char *live_resolv_conf(struct arena *arena,
				    const struct observed_attachment *attachment)
{
	const struct owner_tag *tag = &attachment->link->tag;
	return attachment->model.dhcp && tag->resolv_conf &&
			       resolv_conf_exists(tag->resolv_conf, owner_tag_identity(arena, tag))
		       ? tag->resolv_conf
		       : NULL;
}

static void claims_take(const struct ballot *ballot)
{
	for (size_t i = 0; i < ballot->n_voters; i++) {
		struct observed_attachment *attachment = ballot->voters[i].attachment;
		attachment->model.dhcp = attachment->model.has_dhcp =
			live_lease(ballot->set->live, attachment->ns, attachment->link) != NULL;
		attachment->model.resolv_conf = live_resolv_conf(ballot->set->arena, attachment);
		attachment->model.accept_ra = attachment->model.has_accept_ra =
			live_link_accepts_ra(attachment->ns, attachment->link);
		(void)address_find(ballot, attachment, IPV4, claimed);
	}
}

void observed_addresses(const struct observed_set *set, const struct ballot *ballots)
{
	for (size_t i = 0; i < set->n_networks; i++)
		if (!ballots[i].network->finished)
			claims_take(&ballots[i]);
	for (size_t i = 0; i < set->n_networks; i++)
		if (!ballots[i].network->finished && ballots[i].n_voters)
			network_addresses(&ballots[i]);
}
