#include "reconcile/traffic/traffic.h"

#include "reconcile/state/lease_routes.h"
#include "schema/driver.h"

#include <linux/if_addr.h>
#include <string.h>

struct chooser {
	struct traffic traffic;
	const struct live *live;
	const struct plan *plan;
	/* The current attachment. */
	const struct set *set;
	const struct container *container;
	const struct attachment *attachment;
	struct live_ns *ns;
	const struct live_link *link;
};

const char *skip_reason_text(enum skip_reason reason)
{
	static const char *const texts[N_SKIP_REASONS] = {
		[SKIP_PENDING] = "pending",
		[SKIP_NOT_ATTACHED] = "not attached",
		[SKIP_INTERNAL] = "the network is internal",
		[SKIP_ROUTED] = "the mode routes through the host and sends no ARP requests",
		[SKIP_NO_LEASE] = "it has no DHCP lease",
		[SKIP_NO_ROUTER] = "its DHCP lease contains no router",
		[SKIP_NO_GATEWAY] = "the network has no gateway",
	};
	return texts[reason];
}

static void skip(struct chooser *chooser, enum skip_reason reason)
{
	struct traffic *traffic = &chooser->traffic;
	*array_push(traffic->arena, traffic->skips, traffic->n_skips) =
		(struct traffic_skip){.set = chooser->set,
				      .container = chooser->container,
				      .attachment = chooser->attachment,
				      .reason = reason};
}

/* RFC 4862 5.4: an address is not a source before it is known to be unique, or once it is not. */
static bool usable(const struct live_addr *addr)
{
	return !(addr->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

/* The probability that mvapply added the address, to which root in the container can add others: it
 * is in the file, it has mvapply's protocol, neither. */
static int address_rank(const struct attachment *attachment, const struct live_addr *addr)
{
	const struct ip *declared =
		addr->prefix.ip.family == AF_INET ? &attachment->ipv4 : &attachment->ipv6;
	if (ip_equal(declared, &addr->prefix.ip))
		return 3;
	return addr->proto == OWNER_TAG_PROTOCOL ? 2 : 1;
}

static struct ip address_in(const struct chooser *chooser, const struct subnet *subnet)
{
	struct ip found = {0};
	int best = 0;
	each_addr_of (addr, chooser->ns, chooser->link->ifindex) {
		int rank = address_rank(chooser->attachment, addr);
		const struct ip *ip = &addr->prefix.ip;
		if (!prefix_contains(&subnet->prefix, ip) || ip_equal(&subnet->gateway, ip) ||
		    !usable(addr) || rank <= best)
			continue;
		found = *ip;
		best = rank;
	}
	return found;
}

/* A parent's own address in the gateway's subnet; of IPv6 else its link-local one. Without one, the
 * source of IPv4 is an ARP probe (RFC 5227 2.1.1: it changes nothing at the receiver). IPv6 has no
 * such question: a solicitation without a source is duplicate address detection, by which a gateway
 * that has just started loses its address (RFC 4862 5.4.3). */
static struct ip parent_address(const struct live_ns *host, const struct live_link *link,
				const struct ip *gateway)
{
	struct ip found = {.family = gateway->family == AF_INET ? AF_INET : 0};
	bool sure = false;
	each_addr_of (addr, host, link->ifindex) {
		const struct ip *ip = &addr->prefix.ip;
		if (ip->family != gateway->family || !usable(addr) || sure)
			continue;
		sure = prefix_contains(&addr->prefix, gateway);
		if (sure || ip_is_link_local(ip))
			found = *ip;
	}
	return found;
}

/* The host's link that has the address; those on the same parent are in its broadcast domain. */
static void holder_find_host(const struct live_ns *host, struct traffic_segment *segment)
{
	for (size_t i = 0; i < host->n_addrs; i++) {
		if (!ip_equal(&host->addrs[i].prefix.ip, &segment->gateway))
			continue;
		const struct live_link *link = live_link_by_index(host, host->addrs[i].ifindex);
		const bool beside =
			link && segment->parent && live_link_on(link, segment->parent->ifindex);
		segment->holder = beside ? GATEWAY_SIBLING : GATEWAY_HOST;
		segment->holder_name = link ? link->name : NULL;
	}
}

static size_t segment_of(struct chooser *chooser, const struct ip *gateway)
{
	struct traffic *traffic = &chooser->traffic;
	const struct network *network = chooser->attachment->network;
	const struct live_ns *host = chooser->live->namespaces[0];
	const struct live_link *parent = live_link_parent(host, chooser->link);
	for (size_t i = 0; i < traffic->n_segments; i++)
		if (traffic->segments[i].parent == parent &&
		    ip_equal(&traffic->segments[i].gateway, gateway))
			return i;
	struct traffic_segment *segment =
		array_push(traffic->arena, traffic->segments, traffic->n_segments);
	*segment = (struct traffic_segment){
		.gateway = *gateway,
		.parent = parent,
		.base = parent ? live_vlan_base(host, parent) : NULL,
		.shares_mac = driver_shares_mac(network->driver, network->mode),
		.isolated = link_mode_isolates(network->mode),
		.parent_question = TRAFFIC_NONE,
		.untagged_question = TRAFFIC_NONE,
	};
	holder_find_host(host, segment);
	return traffic->n_segments - 1;
}

static bool route_missing(const struct chooser *chooser, const struct ip *gateway)
{
	const struct plan *plan = chooser->plan;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		for (size_t k = 0; step->current == chooser->link && k < step->n_changes; k++) {
			const struct change *change = &step->changes[k];
			if (change->field == FIELD_ROUTE && change->to &&
			    change->route.to.len == 0 && ip_equal(&change->route.via, gateway))
				return true;
		}
	}
	return false;
}

static void question_add(struct chooser *chooser, const struct ip *gateway, const struct ip *source)
{
	struct traffic *traffic = &chooser->traffic;
	const size_t segment = segment_of(chooser, gateway);
	traffic->segments[segment].attachments++;
	*array_push(traffic->arena, traffic->questions, traffic->n_questions) =
		(struct traffic_question){.role = TRAFFIC_ATTACHMENT,
					  .segment = segment,
					  .ns = chooser->ns,
					  .link = chooser->link,
					  .set = chooser->set,
					  .container = chooser->container,
					  .attachment = chooser->attachment,
					  .route_missing = route_missing(chooser, gateway),
					  .source = *source};
}

/* The gateway that the file declares of one family: that of the subnet in which the link has its
 * address, else of the first one. Returns how many there are. */
static size_t choose_declared(struct chooser *chooser, uint8_t family)
{
	const struct network *network = chooser->attachment->network;
	const struct subnet *chosen = NULL;
	struct ip source = {0};
	for (size_t i = 0; i < network->n_subnets && !source.family; i++) {
		const struct subnet *subnet = &network->subnets[i];
		if (subnet->prefix.ip.family != family)
			continue;
		source = address_in(chooser, subnet);
		if (!chosen || source.family)
			chosen = subnet;
	}
	if (!chosen || !chosen->gateway.family)
		return 0;
	question_add(chooser, &chosen->gateway, &source);
	return 1;
}

/* The router of the lease, as long as it is in the lease's subnet: root in the container could
 * request a query of any address. */
static size_t choose_leased(struct chooser *chooser)
{
	const struct live_addr *lease = live_lease(chooser->live, chooser->ns, chooser->link);
	struct ip router = {0};
	if (lease) {
		struct lease known = {.addr = lease->prefix};
		(void)live_lease_routes(chooser->ns, chooser->link, &known);
		router = lease_router(&known);
	}
	if (lease && router.family && prefix_contains(&lease->prefix, &router))
		question_add(chooser, &router, &lease->prefix.ip);
	else
		skip(chooser, lease ? SKIP_NO_ROUTER : SKIP_NO_LEASE);
	return 1;
}

/* A network that routes has no ARP; one that is internal has no way out. */
static enum skip_reason reason_of_network(const struct network *network)
{
	if (link_mode_routes(network->mode) && network->driver == DRIVER_IPVLAN)
		return SKIP_ROUTED;
	return network->internal ? SKIP_INTERNAL : SKIP_NONE;
}

static const struct live_link *live_link_of(const struct chooser *chooser)
{
	const struct owner_tag tag =
		owner_tag_of(chooser->set, chooser->container, chooser->attachment);
	for (size_t i = 0; i < chooser->ns->n_links; i++) {
		const struct live_link *link = &chooser->ns->links[i];
		if (owner_tag_equal(&link->tag, &tag))
			return link;
	}
	return NULL;
}

static void choose_attachment(struct chooser *chooser, const struct container_lookup *lookup)
{
	const struct network *network = chooser->attachment->network;
	enum skip_reason reason = reason_of_network(network);
	chooser->ns = lookup->ns;
	chooser->link = lookup->state == CONTAINER_READY ? live_link_of(chooser) : NULL;
	if (!chooser->link)
		reason = lookup->state == CONTAINER_PENDING ? SKIP_PENDING : SKIP_NOT_ATTACHED;
	if (reason) {
		skip(chooser, reason);
		return;
	}
	const bool dhcp = chooser->attachment->dhcp;
	size_t gateways = dhcp ? choose_leased(chooser) : choose_declared(chooser, AF_INET);
	gateways += choose_declared(chooser, AF_INET6);
	if (!gateways)
		skip(chooser, SKIP_NO_GATEWAY);
}

static size_t compare_with(struct chooser *chooser, size_t segment, enum traffic_role role,
			   const struct live_link *link)
{
	struct traffic *traffic = &chooser->traffic;
	struct live_ns *host = chooser->live->namespaces[0];
	const struct ip source = parent_address(host, link, &traffic->segments[segment].gateway);
	if (!source.family)
		return TRAFFIC_NONE;
	*array_push(traffic->arena, traffic->questions,
		    traffic->n_questions) = (struct traffic_question){
		.role = role, .segment = segment, .ns = host, .link = link, .source = source};
	return traffic->n_questions - 1;
}

/* The kernel separates a parent from the links on it, and a passthru link has its MAC address. */
static void choose_comparison(struct chooser *chooser, size_t number)
{
	struct traffic_segment *segment = &chooser->traffic.segments[number];
	const bool passthru = segment->shares_mac && segment->isolated;
	if (!segment->parent || segment->holder != GATEWAY_REMOTE || passthru)
		return;
	segment->parent_question = compare_with(chooser, number, TRAFFIC_PARENT, segment->parent);
	if (segment->base)
		segment->untagged_question =
			compare_with(chooser, number, TRAFFIC_UNTAGGED, segment->base);
}

struct traffic traffic_questions(const struct desired *desired, const struct live *live,
				 const struct plan *plan, struct arena *arena)
{
	struct chooser chooser = {.traffic = {.arena = arena}, .live = live, .plan = plan};
	size_t number = 0;
	for (size_t i = 0; i < desired->n_sets; i++) {
		chooser.set = &desired->sets[i];
		for (size_t k = 0; k < chooser.set->n_containers; k++, number++) {
			chooser.container = &chooser.set->containers[k];
			for (size_t a = 0; a < chooser.container->n_attachments; a++) {
				chooser.attachment = &chooser.container->attachments[a];
				choose_attachment(&chooser, &live->container_lookups[number]);
			}
		}
	}
	for (size_t i = 0; i < chooser.traffic.n_segments; i++)
		choose_comparison(&chooser, i);
	return chooser.traffic;
}
