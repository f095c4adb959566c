/* Announces links to the LAN: by the kernel's own ARP where possible, otherwise by frames. */
#include "reconcile/apply/internal.h"

#include "kernel/announce_packet.h"
#include "kernel/netns.h"
#include "reconcile/apply/apply.h"

#include <string.h>

struct announcement announcement_of(const struct link_spec *spec, int ifindex)
{
	return (struct announcement){
		.spec = spec, .ifindex = ifindex, .addrs = spec->addrs, .n_addrs = spec->n_addrs};
}

bool link_announces(const struct link_spec *spec)
{
	return !link_mode_routes(spec->mode);
}

static bool is_other(const struct ip *ip, const struct ip *than)
{
	return ip->family == AF_INET && !ip_equal(ip, than);
}

/* Whether it is the only IPv4 address of the link, in its specification and beyond: the kernel
 * sends ARP requests from the first address of a subnet (inet_select_addr). */
static bool is_only_address(const struct link_spec *spec, int ifindex, const struct ip *ip)
{
	const struct live_ns *ns = spec->ns;
	for (size_t i = 0; i < spec->n_addrs; i++)
		if (is_other(&spec->addrs[i].ip, ip))
			return false;
	each_addr_of (addr, ns, ifindex)
		if (addr->proto != OWNER_TAG_PROTOCOL && is_other(&addr->prefix.ip, ip))
			return false;
	return true;
}

/* A neighbour sysctl of the link, such as mcast_solicit and app_solicit (arp_solicit). */
static bool neighbor_sysctls_set(const struct link_spec *spec)
{
	static const char prefix[] = "net.ipv4.neigh.";
	for (size_t i = 0; i < spec->n_sysctls; i++)
		if (strncmp(spec->sysctls[i].key, prefix, sizeof(prefix) - 1) == 0)
			return true;
	return false;
}

static bool kernel_reports(const struct link_spec *spec, int ifindex, const struct ip *ip)
{
	return ip->family == AF_INET && is_only_address(spec, ifindex, ip) &&
	       !neighbor_sysctls_set(spec);
}

/* An existing neighbour entry would suppress the request, and a new one would remain. */
void queue_announcements(struct batch *batch, const struct announcement *announcement)
{
	union message use, forget;
	const int ifindex = announcement->ifindex;
	for (size_t i = 0; i < announcement->n_addrs; i++) {
		const struct ip *ip = &announcement->addrs[i].ip;
		if (!kernel_reports(announcement->spec, ifindex, ip) ||
		    !encode_neighbor_use(&use, ifindex, ip) ||
		    !encode_neighbor_delete(&forget, ifindex, ip))
			continue;
		batch_add(batch, &forget.header, false);
		batch_add(batch, &use.header, true);
		batch_add(batch, &forget.header, true);
	}
}

void announce_rest(struct packet_sockets *used, const struct announcement *announcement)
{
	static const struct mac own = {.set = false};
	int fd = -1;
	for (size_t i = 0; i < announcement->n_addrs; i++) {
		const struct prefix *addr = &announcement->addrs[i];
		if (kernel_reports(announcement->spec, announcement->ifindex, &addr->ip))
			continue;
		if (fd < 0)
			fd = announce_open();
		announce(fd, announcement->ifindex, &own, addr, 1);
	}
	packet_sockets_add(used, fd);
}

void announce_in_netns(struct packet_sockets *used, struct netlink *netlink,
		       const struct announcement *announcement)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue_announcements(batch, announcement);
	if (batch_count(batch))
		(void)batch_send(netlink, batch, &error);
	announce_rest(used, announcement);
}

/* Returns a socket in the link's namespace, which the thread has entered, or NULL. */
static struct netlink *netns_socket(const struct ns_handle *handle)
{
	struct error ignored;
	return handle && netns_enter(handle->fd, &ignored) == 0 ? netlink_open(&ignored) : NULL;
}

static void created_announce(struct packet_sockets *used, const struct link_spec *spec)
{
	int ifindex;
	struct error ignored;
	struct netlink *netlink = netns_socket(spec->ns->handle);
	if (netlink && link_index_find(netlink, spec->name, &ifindex, &ignored) == 0) {
		const struct announcement all = announcement_of(spec, ifindex);
		announce_in_netns(used, netlink, &all);
	}
	netlink_close(netlink);
}

static bool was_created(const struct step *step, const struct outcome *outcome)
{
	return (step->action == ACTION_CREATE || step->action == ACTION_REPLACE) &&
	       outcome->state == OUTCOME_DONE && link_announces(step->desired);
}

bool apply_unannounced(const struct plan *plan, const struct outcome *outcomes)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (was_created(&plan->steps[i], &outcomes[i]))
			return true;
	return false;
}

void apply_announce(const struct plan *plan, const struct outcome *outcomes,
		    const struct live *live)
{
	struct packet_sockets used = {.count = 0};
	for (size_t i = 0; i < plan->n_steps; i++)
		if (was_created(&plan->steps[i], &outcomes[i]))
			created_announce(&used, plan->steps[i].desired);
	netns_return(live->namespaces[0]->handle->fd);
	packet_sockets_close(&used);
}

void announce_addresses(struct netlink *netlink, int ifindex, const struct prefix *addrs,
			size_t n_addrs)
{
	struct live_ns unknown = {.host = false};
	const struct link_spec spec = {.ns = &unknown};
	struct packet_sockets used = {.count = 0};
	announce_in_netns(
		&used, netlink,
		&(struct announcement){
			.spec = &spec, .ifindex = ifindex, .addrs = addrs, .n_addrs = n_addrs});
	packet_sockets_close(&used);
}

/* Up to this number of links announce themselves to all links on their parent: two thousand
 * deliveries cost less than closing the packet socket. */
#define ANNOUNCE_INSIDE_MAX 64

bool announces_via_parent(const struct apply_context *context, size_t count)
{
	return count > ANNOUNCE_INSIDE_MAX && !context->live->n_unreadable;
}

void announce_via_parent(struct apply_context *context, int parent,
			 const struct announcement *announcement)
{
	static const struct mac own = {.set = false};
	const struct link_spec *spec = announcement->spec;
	const bool shares_mac = link_kind_shares_mac(spec->kind);
	if (context->announcer < 0)
		context->announcer = announce_open();
	announce(context->announcer, parent, shares_mac ? &own : &spec->mac, announcement->addrs,
		 announcement->n_addrs);
}
