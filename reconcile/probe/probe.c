#include "reconcile/probe/probe.h"

#include "kernel/netlink.h"
#include "kernel/packet_socket.h"
#include "kernel/probe_packet.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Milliseconds. IPv4: PROBE_WAIT, PROBE_NUM, PROBE_MIN, PROBE_MAX and ANNOUNCE_WAIT of RFC
 * 5227 1.1. IPv6: MAX_RTR_SOLICITATION_DELAY and RETRANS_TIMER of RFC 4861 10,
 * DupAddrDetectTransmits of RFC 4862 5.1. */
struct probe_timing {
	unsigned wait, count, least, most, listen;
};

static const struct probe_timing timings[] = {{.wait = 1000, 3, 1000, 2000, .listen = 2000},
					      {.wait = 1000, 1, 0, 0, .listen = 1000}};

/* The state of one address's probe. */
struct probe_state {
	struct probe *probe;
	const struct probe_timing *timing;
	struct probe_socket *probe_socket;
	unsigned sent;
	int64_t next; /* when the next probe is due, or listening ends */
	bool over;
};

/* A socket on a link. */
struct probe_socket {
	int ifindex;
	int fd; /* or a negative errno */
	struct mac mac;
};

struct session {
	struct probes *probes;
	struct probe_state *states;
	struct probe_socket *probe_sockets;
	size_t n_probe_sockets;
};

static unsigned between(unsigned least, unsigned most)
{
	unsigned value = 0;
	(void)!getrandom(&value, sizeof(value), GRND_NONBLOCK);
	return most > least ? least + value % (most - least + 1) : least;
}

/* Untagged ARP and ICMPv6 only, without this host's packets: a VLAN's frames pass its parent,
 * too. */
static struct sock_filter filter_steps[] = {
	{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)},
	{BPF_JMP | BPF_JEQ | BPF_K, 8, 0, PACKET_OUTGOING},
	{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0},
	{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
	{BPF_JMP | BPF_JEQ | BPF_K, 3, 0, ETH_P_ARP},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, ETH_P_IPV6},
	{BPF_LD | BPF_B | BPF_ABS, 0, 0, 14 + 6},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, IPPROTO_ICMPV6},
	{BPF_RET | BPF_K, 0, 0, UINT32_MAX},
	{BPF_RET | BPF_K, 0, 0, 0},
};
static const struct sock_fprog filter = {.len = sizeof(filter_steps) / sizeof(filter_steps[0]),
					 .filter = filter_steps};

/* All packets, since a passthru link otherwise takes those of its parent; all multicast, since
 * replies and solicitations of other hosts are sent to groups. */
static int link_listen(int ifindex, struct mac *ret_mac)
{
	const struct packet_mreq all = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};
	cleanup_close int fd = packet_socket_open(ifindex, ETH_P_ALL, &filter, ret_mac);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return -errno;
	return fd_steal(&fd);
}

static int flags_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	(void)error;
	if (message->nlmsg_type == RTM_NEWLINK &&
	    mnl_nlmsg_get_payload_len(message) >= sizeof(*link))
		*(unsigned *)data = link->ifi_flags;
	return 0;
}

/* Without a carrier the kernel accepts packets and drops them without an error (noop_enqueue). */
static bool has_carrier(int ifindex)
{
	union message request;
	struct error ignored;
	unsigned flags = IFF_LOWER_UP;
	struct netlink *netlink = netlink_open(&ignored);
	if (netlink && encode_link_get(&request, ifindex))
		(void)netlink_request(netlink, &request.header, flags_take, &flags, &ignored);
	netlink_close(netlink);
	return flags & IFF_LOWER_UP;
}

static void probe_socket_open(struct probe_socket *probe_socket)
{
	probe_socket->fd = -ENODEV;
	if (probe_socket->ifindex <= 0)
		return;
	probe_socket->fd = -ENETDOWN;
	if (!has_carrier(probe_socket->ifindex))
		return;
	probe_socket->fd = link_listen(probe_socket->ifindex, &probe_socket->mac);
}

static void probe_sockets_open(struct session *session)
{
	const struct probes *probes = session->probes;
	session->probe_sockets =
		arena_alloc(probes->arena, (probes->count + 1) * sizeof(struct probe_socket));
	for (size_t i = 0; i < probes->count; i++) {
		size_t k = 0;
		while (k < session->n_probe_sockets &&
		       session->probe_sockets[k].ifindex != probes->items[i].ifindex)
			k++;
		session->states[i].probe_socket = &session->probe_sockets[k];
		if (k < session->n_probe_sockets)
			continue;
		session->probe_sockets[session->n_probe_sockets++].ifindex =
			probes->items[i].ifindex;
		probe_socket_open(&session->probe_sockets[k]);
	}
}

static void probe_states_begin(struct session *session)
{
	const struct probes *probes = session->probes;
	const int64_t now = clock_milliseconds();
	session->states =
		arena_alloc(probes->arena, (probes->count + 1) * sizeof(struct probe_state));
	probe_sockets_open(session);
	for (size_t i = 0; i < probes->count; i++) {
		struct probe_state *state = &session->states[i];
		struct probe *probe = &probes->items[i];
		state->probe = probe;
		state->timing = &timings[probe->ip.family == AF_INET6];
		state->next = now + between(0, state->timing->wait);
		probe->in_use = false;
		probe->errnum = state->probe_socket->fd < 0 ? -state->probe_socket->fd : 0;
		state->over = probe->errnum != 0;
	}
}

static void probe_state_send(struct probe_state *state, int64_t now)
{
	uint8_t frame[PROBE_FRAME_MAX];
	const struct probe_timing *timing = state->timing;
	if (state->sent == timing->count) {
		state->over = true;
		return;
	}
	size_t size = probe_frame(frame, &state->probe_socket->mac, &state->probe->ip);
	if (send(state->probe_socket->fd, frame, size, 0) < 0 && errno != ENOBUFS &&
	    errno != EAGAIN) {
		state->probe->errnum = errno;
		state->over = true;
	}
	state->sent++;
	state->next = now + (state->sent == timing->count ? timing->listen
							  : between(timing->least, timing->most));
}

/* Sends the probes that are due. Returns the time of the next one, or -1 if all are done. */
static int64_t probe_states_go_on(struct session *session)
{
	int64_t now = clock_milliseconds(), next = -1;
	for (size_t i = 0; i < session->probes->count; i++) {
		struct probe_state *state = &session->states[i];
		if (!state->over && state->next <= now)
			probe_state_send(state, now);
		if (!state->over && (next < 0 || state->next < next))
			next = state->next;
	}
	return next;
}

static bool mac_known(const struct session *session, const struct probe_socket *probe_socket,
		      const struct mac *mac)
{
	for (size_t i = 0; i < session->probes->n_known; i++)
		if (mac_equal(&session->probes->known[i], mac))
			return true;
	return mac_equal(&probe_socket->mac, mac);
}

static void claim_note(struct session *session, const struct probe_socket *probe_socket,
		       const struct ip *ip, const struct mac *mac)
{
	if (mac_known(session, probe_socket, mac))
		return;
	for (size_t i = 0; i < session->probes->count; i++) {
		struct probe_state *state = &session->states[i];
		if (state->over || state->probe_socket != probe_socket ||
		    !ip_equal(&state->probe->ip, ip))
			continue;
		state->probe->in_use = state->over = true;
		state->probe->by = *mac;
	}
}

static void probe_socket_read(struct session *session, const struct probe_socket *probe_socket)
{
	uint8_t frame[2048];
	struct ip ip;
	struct mac mac;
	for (ssize_t size; (size = recv(probe_socket->fd, frame, sizeof(frame), 0)) >= 0;)
		if (probe_frame_claim(frame, (size_t)size, &ip, &mac))
			claim_note(session, probe_socket, &ip, &mac);
}

/* Returns false once the stop descriptor is readable. */
static bool session_wait(struct session *session, struct pollfd *polled, int64_t until)
{
	int64_t left = until - clock_milliseconds();
	for (size_t i = 0; i < session->n_probe_sockets; i++)
		polled[i] = (struct pollfd){.fd = session->probe_sockets[i].fd, .events = POLLIN};
	polled[session->n_probe_sockets] =
		(struct pollfd){.fd = session->probes->stop, .events = POLLIN};
	if (poll(polled, session->n_probe_sockets + 1, left < 0 ? 0 : (int)left) <= 0)
		return true;
	for (size_t i = 0; i < session->n_probe_sockets; i++)
		if (polled[i].revents)
			probe_socket_read(session, &session->probe_sockets[i]);
	return !polled[session->n_probe_sockets].revents;
}

/* A failed probe counts as not probed. */
static void carriers_check(const struct session *session)
{
	for (size_t i = 0; i < session->n_probe_sockets; i++) {
		const struct probe_socket *probe_socket = &session->probe_sockets[i];
		if (probe_socket->fd < 0 || has_carrier(probe_socket->ifindex))
			continue;
		for (size_t k = 0; k < session->probes->count; k++)
			if (session->states[k].probe_socket == probe_socket &&
			    !session->probes->items[k].in_use)
				session->probes->items[k].errnum = ENETDOWN;
	}
}

void probes_run(struct probes *probes)
{
	struct session session = {.probes = probes};
	probe_states_begin(&session);
	struct pollfd *polled =
		arena_alloc(probes->arena, (session.n_probe_sockets + 1) * sizeof(*polled));
	for (int64_t next; (next = probe_states_go_on(&session)) >= 0;)
		if (!session_wait(&session, polled, next))
			break;
	carriers_check(&session);
	for (size_t i = 0; i < session.n_probe_sockets; i++)
		if (session.probe_sockets[i].fd >= 0)
			close(session.probe_sockets[i].fd);
}
