/* floor apply|look|widen|delete FIRST END [VLANS [THREADS]]
 *  floor unlink NAME
 *
 * The minimum that any program needs for the work of the benches: it sends known messages, observes
 * nothing, checks only the kernel's replies, and reports nothing. Its attachments are those of
 * bench.py: number N is eth0 of the namespace cN, a macvlan on the host's eth0, or on eth0.K of
 * VLANS such links.
 *
 *  - apply creates them in one namespace after the other.
 *  - look dumps links, addresses and routes of one namespace after the other.
 *  - widen changes their prefix length from 16 to 15: the address is replaced in one datagram, and
 *    the default route, which the kernel removes with it, is added again.
 *  - delete deletes them, THREADS at once: each sleeps in the kernel's RCU barrier.
 *  - unlink deletes a link of the host's, and the links on it. */
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define IFINDEX_FIRST 1000000
#define VLAN_FIRST    900000
#define HOST_NSID     0
#define THREADS_MAX   1024

static int host;
static struct mnl_socket *home; /* in the host's namespace */
static bool in_place;           /* the kernel creates links in their final namespace */
static unsigned end, vlans;
static int parents[4095];
static atomic_uint next;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Requests of one datagram, all of which are acknowledged. */
struct datagram {
	char bytes[8192];
	size_t size, count;
};

static void add(struct datagram *datagram, bool encoded, union message *message)
{
	if (!encoded)
		die("a message does not fit");
	message->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	memcpy(datagram->bytes + datagram->size, message, message->header.nlmsg_len);
	datagram->size += MNL_ALIGN(message->header.nlmsg_len);
	datagram->count++;
}

static void send_all(struct mnl_socket *netlink, struct datagram *datagram)
{
	char answer[8192];
	if (mnl_socket_sendto(netlink, datagram->bytes, datagram->size) < 0)
		die("send");
	while (datagram->count) {
		ssize_t got = mnl_socket_recvfrom(netlink, answer, sizeof(answer));
		int left = (int)got;
		if (got < 0)
			die("receive");
		for (const struct nlmsghdr *at = (const void *)answer; mnl_nlmsg_ok(at, left);
		     at = mnl_nlmsg_next(at, &left), datagram->count--) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(at);
			errno = -error->error;
			/* A namespace that has an nsid for the host's already. */
			if (errno && !(errno == EEXIST && error->msg.nlmsg_type == RTM_NEWNSID))
				die("the kernel refuses");
		}
	}
	datagram->size = 0;
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!netlink || mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		die("socket");
	return netlink;
}

static int namespace_open(unsigned number)
{
	char path[64];
	snprintf(path, sizeof(path), "/run/netns/c%u", number);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static void enter(unsigned number)
{
	int fd = namespace_open(number);
	if (setns(fd, CLONE_NEWNET) < 0)
		die("setns");
	close(fd);
}

/* The specification that mvapply derives from an attachment without addresses in its file, except
 * for those numbers. */
static void spec_make(unsigned number, struct link_spec *spec)
{
	static struct prefix addr;
	static struct link_route route;
	static char alias[64];
	const uint8_t ip[4] = {10, 86, (uint8_t)(number / 200 + 1), (uint8_t)(number % 200 + 1)};
	const uint8_t gateway[4] = {10, 86, 0, 1};
	addr = (struct prefix){.ip.family = AF_INET, .len = 16};
	route = (struct link_route){.to.ip.family = AF_INET, .via.family = AF_INET};
	*spec = (struct link_spec){.name = "eth0",
				   .alias = alias,
				   .kind = KIND_MACVLAN,
				   .mode = MODE_BRIDGE,
				   .mac = {.bytes = {0x02, 0x42}, .set = true},
				   .mtu = 1500,
				   .addrs = &addr,
				   .routes = &route};
	memcpy(addr.ip.bytes, ip, sizeof(ip));
	memcpy(route.via.bytes, gateway, sizeof(gateway));
	memcpy(spec->mac.bytes + 2, ip, sizeof(ip));
	snprintf(alias, sizeof(alias), "mvapply:attach:default/n%u/c%u",
		 vlans ? number % vlans + 1 : 0, number);
}

static void accept_ra_off(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/eth0/accept_ra", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("accept_ra");
	close(fd);
}

static void make(struct mnl_socket *netlink, const struct link_spec *spec,
		 const struct link_creation *link_creation)
{
	union message message;
	struct datagram datagram = {0};
	encode_nsid_get(&message, host);
	message.header.nlmsg_type = RTM_NEWNSID;
	mnl_attr_put_u32(&message.header, NETNSA_NSID, HOST_NSID);
	add(&datagram, true, &message);
	add(&datagram, encode_link_create(&message, spec, link_creation), &message);
	add(&datagram, encode_link_alias(&message, link_creation->ifindex, spec->alias), &message);
	send_all(netlink, &datagram);
}

static void make_and_move(unsigned number, const struct link_spec *spec,
			  const struct link_creation *link_creation)
{
	union message message;
	struct datagram datagram = {0};
	char name[IFNAMSIZ];
	const struct link_creation here = {
		.ifindex = link_creation->ifindex, .name = name, .parent = link_creation->parent};
	int fd = namespace_open(number);
	snprintf(name, sizeof(name), "floor%u", number);
	add(&datagram, encode_link_create(&message, spec, &here), &message);
	add(&datagram, encode_link_alias(&message, here.ifindex, spec->alias), &message);
	add(&datagram, encode_link_move(&message, here.ifindex, fd, link_creation->name), &message);
	send_all(home, &datagram);
	close(fd);
}

static void attach(unsigned number)
{
	union message message;
	struct link_spec spec;
	struct datagram datagram = {0};
	const int ifindex = IFINDEX_FIRST + (int)number;
	const struct link_creation link_creation = {.ifindex = ifindex,
						    .name = "eth0",
						    .parent =
							    parents[vlans ? number % vlans + 1 : 0],
						    .other_netns = true,
						    .nsid = HOST_NSID};
	spec_make(number, &spec);
	if (!in_place)
		make_and_move(number, &spec, &link_creation);
	enter(number);
	struct mnl_socket *netlink = open_socket();
	if (in_place)
		make(netlink, &spec, &link_creation);
	accept_ra_off();
	add(&datagram,
	    encode_link_change(&message, ifindex,
			       &(struct link_change){.flags = IFF_UP, .flags_mask = IFF_UP}),
	    &message);
	add(&datagram,
	    encode_addr_add(&message, ifindex, spec.addrs,
			    (struct addr_terms){.protocol = OWNER_TAG_PROTOCOL}, NLM_F_EXCL),
	    &message);
	add(&datagram, encode_route_add(&message, ifindex, spec.routes, NLM_F_EXCL), &message);
	send_all(netlink, &datagram);
	mnl_socket_close(netlink);
}

static void dump(struct mnl_socket *netlink, bool encoded, union message *message)
{
	static _Alignas(struct nlmsghdr) char answer[32 << 10];
	message->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	if (!encoded || mnl_socket_sendto(netlink, message, message->header.nlmsg_len) < 0)
		die("send");
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(netlink, answer, sizeof(answer));
		int left = (int)got;
		if (got < 0)
			die("receive");
		for (const struct nlmsghdr *at = (const void *)answer; mnl_nlmsg_ok(at, left);
		     at = mnl_nlmsg_next(at, &left))
			if (at->nlmsg_type == NLMSG_DONE)
				return;
	}
}

static void observe(unsigned number)
{
	union message message;
	enter(number);
	struct mnl_socket *netlink = open_socket();
	dump(netlink, encode_link_dump(&message), &message);
	dump(netlink, encode_addr_dump(&message), &message);
	dump(netlink, encode_route_dump(&message), &message);
	mnl_socket_close(netlink);
}

static void widen(unsigned number)
{
	union message message;
	struct link_spec spec;
	struct datagram datagram = {0};
	const int ifindex = IFINDEX_FIRST + (int)number;
	spec_make(number, &spec);
	struct prefix wider = *spec.addrs;
	wider.len--;
	enter(number);
	struct mnl_socket *netlink = open_socket();
	add(&datagram, encode_addr_delete(&message, ifindex, spec.addrs), &message);
	add(&datagram,
	    encode_addr_add(&message, ifindex, &wider,
			    (struct addr_terms){.protocol = OWNER_TAG_PROTOCOL}, NLM_F_EXCL),
	    &message);
	add(&datagram, encode_route_add(&message, ifindex, spec.routes, NLM_F_EXCL), &message);
	send_all(netlink, &datagram);
	mnl_socket_close(netlink);
}

static void unlink_named(const char *name)
{
	union message message;
	struct datagram datagram = {0};
	struct mnl_socket *netlink = open_socket();
	add(&datagram, encode_link_find(&message, name), &message);
	((struct nlmsghdr *)datagram.bytes)->nlmsg_type = RTM_DELLINK;
	send_all(netlink, &datagram);
	mnl_socket_close(netlink);
}

static void *deletes(void *unused)
{
	for (unsigned number; (number = atomic_fetch_add(&next, 1)) < end;) {
		enter(number);
		unlink_named("eth0");
	}
	return unused;
}

static void deletes_run(int count)
{
	pthread_t threads[THREADS_MAX];
	for (int i = 0; i < count; i++)
		if ((errno = pthread_create(&threads[i], NULL, deletes, NULL)))
			die("thread");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void vlan_make(struct mnl_socket *netlink, unsigned vlan)
{
	union message message;
	struct datagram datagram = {0};
	char name[IFNAMSIZ];
	const struct link_spec spec = {.kind = KIND_VLAN, .vlan = (uint16_t)vlan, .mtu = 1500};
	const struct link_creation link_creation = {
		.ifindex = VLAN_FIRST + (int)vlan, .name = name, .parent = parents[0]};
	snprintf(name, sizeof(name), "eth0.%u", vlan);
	add(&datagram, encode_link_create(&message, &spec, &link_creation), &message);
	const struct link_change change = {
		.alias = "mvapply:vlan:default", .flags = IFF_UP, .flags_mask = IFF_UP};
	add(&datagram, encode_link_change(&message, link_creation.ifindex, &change), &message);
	send_all(netlink, &datagram);
}

/* Kernels before 6.15 create a link in its parent's namespace, under a name that must be free
 * there. */
static bool makes_in_place(void)
{
	struct utsname kernel;
	unsigned major = 0, minor = 0;
	uname(&kernel);
	return sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 15));
}

static void applies(unsigned first)
{
	in_place = makes_in_place();
	home = open_socket();
	for (unsigned i = 1; i <= vlans && first == 0; i++)
		vlan_make(home, i);
	for (unsigned i = first; i < end; i++)
		attach(i);
	mnl_socket_close(home);
}

static void parents_know(void)
{
	parents[0] = (int)if_nametoindex("eth0");
	for (unsigned i = 1; i <= vlans; i++)
		parents[i] = VLAN_FIRST + (int)i;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "unlink") == 0) {
		unlink_named(argv[2]);
		return 0;
	}
	if (argc < 4)
		return 3;
	unsigned first = (unsigned)atoi(argv[2]);
	next = first;
	end = (unsigned)atoi(argv[3]);
	vlans = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
	host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	parents_know();
	if (strcmp(argv[1], "delete") == 0)
		deletes_run(argc > 5 ? atoi(argv[5]) : 1);
	if (strcmp(argv[1], "apply") == 0)
		applies(first);
	for (unsigned i = first; i < end && strcmp(argv[1], "look") == 0; i++)
		observe(i);
	for (unsigned i = first; i < end && strcmp(argv[1], "widen") == 0; i++)
		widen(i);
	return 0;
}
