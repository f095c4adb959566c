/* Leases as values: parsing a client's output, client identifiers, and the plan for a live lease;
 * and requests that the broker refuses. */
#include "dhcp/broker.h"
#include "dhcp/broker_server.h"
#include "dhcp/client.h"
#include "tests/unit/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_lease(void **state)
{
	(void)state;
	static const struct {
		const char *expected, *addr, *router;
		uint32_t seconds;
	} rows[] = {
		{"LEASE ip=172.16.86.50 mask=24 router=172.16.86.1 lease=120\n", "172.16.86.50/24",
		 "172.16.86.1", 120},
		{"udhcpc: started\nLEASE ip=10.0.0.9 mask=8 lease=30\nudhcpc: bye\n", "10.0.0.9/8",
		 "", 30},
		/* A router out of the subnet, as some hosting providers use; one that is the client
		 * itself. */
		{"LEASE ip=192.0.2.7 mask=32 router=10.255.255.1 lease=3600\n", "192.0.2.7/32",
		 "10.255.255.1", 3600},
		{"LEASE ip=192.0.2.7 mask=24 router=192.0.2.7 lease=60\n", "192.0.2.7/24", "", 60},
		{"LEASE ip=192.0.2.7 mask=24 router=nonsense lease=60\n", "192.0.2.7/24", "", 60},
		/* An address that no host of the subnet can have. */
		{"LEASE ip=192.0.2.7 mask=24 router=192.0.2.255 lease=60\n", "192.0.2.7/24", "",
		 60},
		{"LEASE ip=192.0.2.7 mask=24 router=192.0.2.0 lease=60\n", "192.0.2.7/24", "", 60},
		/* Without expiry. */
		{"LEASE ip=192.0.2.7 mask=24 lease=4294967295\n", "192.0.2.7/24", "",
		 LEASE_SECONDS_MAX},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lease lease;
		char text[PREFIX_TEXT_SIZE];
		assert_true(lease_parse(rows[i].expected, &lease));
		assert_string_equal(prefix_format(&lease.addr, text), rows[i].addr);
		const struct ip router = lease_router(&lease);
		assert_string_equal(router.family ? ip_format(&router, text) : "", rows[i].router);
		assert_int_equal(lease.seconds, rows[i].seconds);
	}
}

/* "to via;" of each route. */
static void routes_format(const struct lease *lease, char text[2048])
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	*text = '\0';
	for (size_t i = 0; i < lease->n_routes; i++) {
		const struct lease_route *route = &lease->routes[i];
		snprintf(text + strlen(text), 2048 - strlen(text), "%s %s;",
			 prefix_format(&route->to, to),
			 route->via.family ? ip_format(&route->via, via) : "-");
	}
}

static void test_routes(void **state)
{
	(void)state;
	static const struct {
		const char *options, *expected;
	} rows[] = {
		/* RFC 3442: with option 121, the options 3 and 33 are ignored, 249 as well. */
		{"router=172.16.86.1 routes=10.0.0.0/172.16.86.2 "
		 "staticroutes=10.1.0.0/16,172.16.86.3,0.0.0.0/0,172.16.86.4 "
		 "msstaticroutes=10.2.0.0/16,172.16.86.5",
		 "10.1.0.0/16 172.16.86.3;0.0.0.0/0 172.16.86.4;"},
		{"router=172.16.86.1 msstaticroutes=10.2.0.0/16,172.16.86.5",
		 "10.2.0.0/16 172.16.86.5;"},
		{"router=172.16.86.1 staticroutes=nonsense", ""},
		/* On the LAN; a default route cannot be. */
		{"staticroutes=10.9.0.0/24,0.0.0.0,0.0.0.0/0,0.0.0.0", "10.9.0.0/24 -;"},
		/* Option 33: by the class of the address, or one host. */
		{"router=172.16.86.1 routes=10.0.0.0/172.16.86.2,172.20.0.0/172.16.86.2,"
		 "192.0.2.0/172.16.86.2,192.0.2.9/172.16.86.2,0.0.0.0/172.16.86.2",
		 "0.0.0.0/0 172.16.86.1;10.0.0.0/8 172.16.86.2;172.20.0.0/16 172.16.86.2;"
		 "192.0.2.0/24 172.16.86.2;192.0.2.9/32 172.16.86.2;"},
		/* Host bits; a second route to the destination; a cut list. */
		{"staticroutes=10.1.2.3/16,172.16.86.3,10.1.0.0/16,172.16.86.4,10.2.0.0/16",
		 "10.1.0.0/16 172.16.86.3;"},
		/* All traffic in two halves, and more than a /8. */
		{"staticroutes=0.0.0.0/1,172.16.86.3,128.0.0.0/1,172.16.86.3,64.0.0.0/7,172.16.86.3",
		 ""},
		/* Loopback, this network, multicast, broadcast, reserved. */
		{"staticroutes=127.0.0.0/8,172.16.86.3,127.0.0.1/32,172.16.86.3,0.0.0.0/8,172.16.86.3,"
		 "224.0.0.0/8,172.16.86.3,255.255.255.255/32,172.16.86.3,240.0.0.0/8,172.16.86.3",
		 ""},
		/* The lease's own subnet and address; a part of the subnet is possible. */
		{"staticroutes=172.16.86.0/24,172.16.86.3,172.16.86.50/32,172.16.86.3,"
		 "172.16.86.128/25,172.16.86.3",
		 "172.16.86.128/25 172.16.86.3;"},
		/* Routers that are none: the client itself, loopback, multicast, the broadcast
		 * address. */
		{"staticroutes=10.1.0.0/16,172.16.86.50,10.2.0.0/16,127.0.0.1,10.3.0.0/16,224.0.0.1,"
		 "10.4.0.0/16,172.16.86.255,10.5.0.0/16,fd00::1",
		 ""},
		{"staticroutes=fd00::/16,172.16.86.3,10.1.0.0/33,172.16.86.3,10.1.0.0,172.16.86.3",
		 ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lease lease;
		char line[1024], text[2048];
		snprintf(line, sizeof(line), "LEASE ip=172.16.86.50 mask=24 lease=120 %s\n",
			 rows[i].options);
		assert_true(lease_parse(line, &lease));
		routes_format(&lease, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *options, *search;
		size_t servers;
	} rows[] = {
		{"dns=172.16.86.2,192.0.2.1", "", 2},
		{"dns=127.0.0.1,224.0.0.1,fd00::1,x,192.0.2.1", "", 1},
		{"dns=192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4", "", 3},
		/* Option 119 in place of 15; without dots at the end. */
		{"domain=lan.example", "lan.example", 0},
		{"domain=lan.example search=a.example.,b_c", "a.example b_c", 0},
		{"search=a..b,-a,a-,.,a/b,c", "c", 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lease lease;
		char line[512];
		snprintf(line, sizeof(line), "LEASE ip=172.16.86.50 mask=24 lease=120 %s\n",
			 rows[i].options);
		assert_true(lease_parse(line, &lease));
		assert_string_equal(lease.search, rows[i].search);
		assert_int_equal(lease.n_servers, rows[i].servers);
	}
}

static void test_many_routes(void **state)
{
	(void)state;
	struct lease lease;
	char line[4096] = "LEASE ip=172.16.86.50 mask=24 lease=120 staticroutes=";
	for (int i = 0; i < LEASE_ROUTES_MAX + 10; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "10.%d.0.0/16,172.16.86.3,", i);
	snprintf(line + strlen(line), sizeof(line) - strlen(line), "\n");
	assert_true(lease_parse(line, &lease));
	assert_int_equal(lease.n_routes, LEASE_ROUTES_MAX);
}

static void test_no_lease(void **state)
{
	(void)state;
	static const char addr[] = "it has no unicast address";
	static const char mask[] = "it has no subnet mask (option 1)";
	static const char large[] = "its subnet is larger than a /8";
	static const char its[] = "its address is the network or broadcast address of the subnet";
	static const char time[] = "it has no lease time (option 51)";
	static const char brief[] = "it is for less than 30 s";
	static const struct {
		const char *expected, *refusal;
	} rows[] = {
		{"", NULL},
		{"LEASE", NULL},
		{"LEASE \n", addr},
		{"LEASE ip=172.16.86.50 mask=24 lease=120", NULL}, /* incomplete */
		{"LEASE ip=172.16.86.50 mask=24\n lease=120\n", time},
		{"LEASE mask=24 lease=120\n", addr},
		{"LEASE ip=172.16.86.50 lease=120\n", mask},
		{"LEASE ip=172.16.86.50 mask=33 lease=120\n", large},
		{"LEASE ip=172.16.86.50 mask=0 lease=120\n", large},
		{"LEASE ip=172.16.86.50 mask=1 lease=120\n", large},
		{"LEASE ip=172.16.86.50 mask=7 lease=120\n", large},
		{"LEASE ip=172.16.86.50 mask=24\n", time},
		{"LEASE ip=172.16.86.50 mask=-1 lease=120\n", large},
		{"LEASE ip=172.16.86.50 mask=24 lease=0\n", brief},
		{"LEASE ip=172.16.86.50 mask=24 lease=29\n", brief},
		{"LEASE ip=172.16.86.50 mask=24 lease=12x\n", brief},
		{"LEASE ip=172.16.86.256 mask=24 lease=120\n", addr},
		{"LEASE ip=fd00::1 mask=24 lease=120\n", addr},
		{"LEASE ip=0.0.0.0 mask=24 lease=120\n", addr},
		{"LEASE ip=127.0.0.1 mask=8 lease=120\n", addr},
		{"LEASE ip=224.0.0.1 mask=24 lease=120\n", addr},
		{"LEASE ip=255.255.255.255 mask=24 lease=120\n", addr},
		{"LEASE ip=172.16.86.0 mask=24 lease=120\n", its},
		{"LEASE ip=172.16.86.255 mask=24 lease=120\n", its},
	};
	struct lease lease;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *refusal = lease_refusal(rows[i].expected);
		if (lease_parse(rows[i].expected, &lease))
			fail_msg("taken for a lease: %s", rows[i].expected);
		assert_string_equal(refusal ? refusal : "", rows[i].refusal ? rows[i].refusal : "");
	}
	assert_null(lease_refusal("LEASE ip=172.16.86.50 mask=24 lease=120\n"));
}

static void test_client_id(void **state)
{
	(void)state;
	char name[64];
	struct client_id id = client_id_make("lab", "lan", "web", NULL);
	assert_int_equal(id.size, sizeof("lab/lan/web"));
	assert_memory_equal(id.bytes, "\0lab/lan/web", id.size);
	memset(name, 'x', 63);
	name[63] = '\0';
	id = client_id_make("lab", "lan", "web", "second");
	assert_memory_equal(id.bytes, "\0lab/lan/web/second", id.size);
	id = client_id_make(name, name, name, NULL);
	assert_int_equal(id.size, 1 + 3 * 63 + 2);
}

static void test_host_name(void **state)
{
	(void)state;
	assert_true(host_name_valid("web-1"));
	assert_true(host_name_valid("0"));
	static const char *const bad[] = {"", "-web", "web-", "a.b", "a_b", "a b", "\xc3\xa4"};
	char longest[65];
	memset(longest, 'x', 64);
	longest[64] = '\0';
	assert_true(host_name_valid(longest + 1));
	assert_false(host_name_valid(longest));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(host_name_valid(bad[i]));
}

#define EXITED(code) ((code) << 8)

static void test_answer(void **state)
{
	(void)state;
	static const char lease[] = "LEASE ip=192.0.2.7 mask=24 lease=60\n";
	static const struct {
		enum dhcp_operation operation;
		int status;
		const char *expected;
		enum dhcp_result result;
		const char *text;
	} rows[] = {
		{DHCP_LEASE, EXITED(0), lease, DHCP_DONE, NULL},
		{DHCP_LEASE, EXITED(1), lease, DHCP_FAILED, NULL},
		{DHCP_LEASE, EXITED(0), "udhcpc: started\n", DHCP_FAILED, "udhcpc: started"},
		{DHCP_LEASE, EXITED(0), "LEASE ip=192.0.2.7 mask=24 lease=1\n", DHCP_UNFIT,
		 "it is for less than 30 s"},
		{DHCP_LEASE, EXITED(3), "\n", DHCP_FAILED,
		 "it exited with code 3 and without a message"},
		{DHCP_LEASE, EXITED(1), "udhcpc: no lease, failing\n", DHCP_SILENT, NULL},
		{DHCP_LEASE, 9, "", DHCP_SILENT,
		 NULL}, /* it exceeded the time limit, and was killed */
		{DHCP_LEASE, EXITED(126), "", DHCP_ABSENT, NULL},
		{DHCP_LEASE, EXITED(127), "a\nudhcpc: \x1b[31mno\xff\n\n", DHCP_FAILED,
		 "udhcpc: ?[31mno?"},
		{DHCP_RELEASE, 15, lease, DHCP_DONE, NULL},
		{DHCP_RELEASE, EXITED(1), "udhcpc: no lease, failing\n", DHCP_SILENT, NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dhcp_request request = {.operation = rows[i].operation};
		const struct dhcp_answer answer =
			client_answer(&request, rows[i].status, rows[i].expected);
		assert_int_equal(answer.result, rows[i].result);
		if (rows[i].text)
			assert_string_equal(answer.text, rows[i].text);
	}
}

/* A network namespace of its own, which requires no capability; -1: this process may create none,
 * as in the chroot of a package builder, where the kernel refuses user namespaces (create_user_ns).
 */
static int netns_new(void)
{
	int ends[2], fd = -1;
	char path[64], byte = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if ((unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 || unshare(CLONE_NEWNET) == 0) &&
		    write(ends[1], &byte, 1) == 1)
			(void)!read(ends[1], &byte, 1);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return fd;
}

/* The namespace, or the test counts as one that cannot run here. */
static int netns_needed(void)
{
	const int netns = netns_new();
	/* qemu-user cannot ask for the kind of a namespace, which the broker does. */
	if (netns < 0 || ioctl(netns, NS_GET_NSTYPE) != CLONE_NEWNET)
		skip();
	return netns;
}

/* The words of requests of a compromised mvapply, and a truncated one. */
static void test_request(void **state)
{
	(void)state;
	static const struct dhcp_request good = {.link = "eth0"};
	static const struct dhcp_request bad[] = {
		{.link = ""},
		{.link = "-s"},
		{.link = "../eth0"},
		/* Without a NUL. */
		{.link = {'s', 'i', 'x', 't', 'e', 'e', 'n', '-', 'a', 'n', 'd', '-', 'm', 'o', 'r',
			  'e'}},
		{.link = "eth0", .host_name = "-x"},
		{.link = "eth0", .addr.family = AF_INET6},
	};
	assert_true(broker_request_valid(&good, sizeof(good)));
	assert_false(broker_request_valid(&good, sizeof(good) - 1));
	assert_false(broker_request_valid(&good, offsetof(struct dhcp_request, client_id)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(broker_request_valid(&bad[i], sizeof(bad[i])));
}

static const char invalid[] = "the request is not valid";

/* Descriptors that are not of another network namespace than the host's. */
static void test_helper_refuses(void **state)
{
	(void)state;
	struct dhcp_broker *broker = dhcp_broker_new();
	static const char *const paths[] = {"/proc/self/ns/net", "/proc/self/ns/uts", "/dev/null"};
	struct pending_request requests[3];
	for (size_t i = 0; i < 3; i++)
		requests[i] = (struct pending_request){
			.netns = open(paths[i], O_RDONLY | O_CLOEXEC), .request.link = "eth0"};
	dhcp_broker_request(broker, requests, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(requests[i].answer.result, DHCP_FAILED);
		assert_string_equal(requests[i].answer.text, invalid);
		close(requests[i].netns);
	}
	dhcp_broker_free(broker);
}

/* In a namespace that the broker accepts, the words decide. */
static void test_helper_serves(void **state)
{
	(void)state;
	const int netns = netns_needed();
	struct dhcp_broker *broker = dhcp_broker_new();
	struct pending_request requests[] = {
		{.netns = netns, .request.link = "-s"},
		{.netns = netns, .request.link = "eth0"},
	};
	dhcp_broker_request(broker, requests, 2);
	assert_string_equal(requests[0].answer.text, invalid);
	assert_string_not_equal(requests[1].answer.text, invalid);
	close(netns);
	dhcp_broker_free(broker);
}

/* More than run at once, and each gets its own answer. */
static void test_many(void **state)
{
	(void)state;
	struct dhcp_broker *broker = dhcp_broker_new();
	static struct pending_request requests[200];
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < 200; i++)
		requests[i].netns = own;
	dhcp_broker_request(broker, requests, 200);
	for (size_t i = 0; i < 200; i++)
		assert_string_equal(requests[i].answer.text, invalid);
	close(own);
	dhcp_broker_free(broker);
}

/* Sends a part of a request, with that many descriptors. */
static void part_send(int socket, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct dhcp_request request = {.link = "eth0"};
	struct iovec iov = {.iov_base = &request, .iov_len = size};
	const struct msghdr message = {.msg_iov = &iov,
				       .msg_iovlen = 1,
				       .msg_control = control.bytes,
				       .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(count * sizeof(int))};
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	assert_int_equal(sendmsg(socket, &message, 0), size);
}

/* A truncated message is refused, also if it would be valid with zeros. */
static void test_helper_refuses_half(void **state)
{
	(void)state;
	int answer[2], netns = netns_needed();
	struct dhcp_answer expected = {.text = ""};
	struct dhcp_broker *broker = dhcp_broker_new();
	assert_int_equal(pipe(answer), 0);
	part_send(dhcp_broker_descriptor(broker), offsetof(struct dhcp_request, client_id),
		  (const int[]){netns, answer[1]}, 2);
	assert_int_equal(read(answer[0], &expected, sizeof(expected)), sizeof(expected));
	assert_string_equal(expected.text, invalid);
	close(answer[0]);
	close(answer[1]);
	close(netns);
	dhcp_broker_free(broker);
}

static size_t descriptors_count(pid_t pid)
{
	char path[64];
	size_t count = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void test_helper_closes(void **state)
{
	(void)state;
	int sockets[2], errnum;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		broker_serve(sockets[1], sockets[1]);
	}
	close(sockets[1]);
	assert_int_equal(recv(sockets[0], &errnum, sizeof(errnum), 0), sizeof(errnum));
	assert_int_equal(errnum, 0);
	const size_t before = descriptors_count(pid);
	for (size_t i = 0; i < 50; i++)
		part_send(sockets[0], sizeof(struct dhcp_request), &sockets[0], 1);
	/* Waits until it has read them all. */
	for (int unread = 1; unread > 0; usleep(10000))
		assert_int_equal(ioctl(sockets[0], SIOCOUTQ, &unread), 0);
	usleep(50000);
	assert_int_equal(descriptors_count(pid), before);
	/* A copy of the socket in a message would keep it open. */
	close(sockets[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define LAN "networks: {lan: {parent: eth0, dhcp: true}}\n"
#define WEB "containers: {web: {networks: [lan]}}\n"
#define DUAL                                                                                       \
	"networks: {lan: {parent: eth0, dhcp: true},"                                              \
	" fix: {parent: eth1, subnet: 10.8.0.0/16, gateway: 10.8.0.254}}\n"

/* web's link after an apply without a DHCP server. */
static struct live *world_unleased(const char *yaml)
{
	struct live *live = world_new();
	struct desired *desired = desired_from(yaml);
	const struct plan *plan = world_plan(live, desired);
	world_apply(live, plan);
	plan_free(plan);
	desired_free(desired);
	return live;
}

static struct live_ns *web_of(struct live *live)
{
	return world_ns(live, "web");
}

static struct live_route *route_last(struct live_ns *ns)
{
	return &ns->routes[ns->n_routes - 1];
}

static void lease_add(struct live *live, uint32_t preferred)
{
	struct live_ns *web = web_of(live);
	const int ifindex = live_link_by_name(web, "eth0")->ifindex;
	world_lease(web, ifindex, "172.16.86.50/24", 60, preferred);
	world_route(web, ifindex, "0.0.0.0/0", "172.16.86.1", OWNER_TAG_PROTOCOL);
	world_route(web, ifindex, "10.0.0.0/8", "172.16.86.254", OWNER_TAG_PROTOCOL);
	world_route(web, ifindex, "172.16.86.0/24", NULL, OWNER_TAG_PROTOCOL);
	route_last(web)->table = SOURCE_TABLE_FIRST;
	world_route(web, ifindex, "0.0.0.0/0", "172.16.86.1", OWNER_TAG_PROTOCOL);
	route_last(web)->table = SOURCE_TABLE_FIRST;
	world_route(web, ifindex, "10.0.0.0/8", "172.16.86.254", OWNER_TAG_PROTOCOL);
	route_last(web)->table = SOURCE_TABLE_FIRST;
}

/* What mvapply removes with a lease. */
#define LEASE_ROUTES_REMOVED                                                                       \
	"route default via 172.16.86.1 -> none, route 10.0.0.0/8 via 172.16.86.254 -> none, "      \
	"route 172.16.86.0/24 table 7700 -> none, route default via 172.16.86.1 table 7700 -> "    \
	"none, route 10.0.0.0/8 via 172.16.86.254 table 7700 -> none"

static void test_plan(void **state)
{
	(void)state;
	struct live *live = world_unleased(LAN WEB);
	world_expect(live, LAN WEB, &open_options, "change web/lan dhcp none -> a lease");
	lease_add(live, 30);
	world_expect(live, LAN WEB, &open_options, "");
	web_of(live)->addrs[web_of(live)->n_addrs - 1].preferred = 0;
	world_expect(live, LAN WEB, &open_options,
		     "change web/lan dhcp 172.16.86.50/24 -> renewed");
	/* An address that another client maintains is not managed. */
	web_of(live)->addrs[web_of(live)->n_addrs - 1].proto = 0;
	live->addr_proto = true;
	world_expect(live, LAN WEB, &open_options,
		     "change web/lan " LEASE_ROUTES_REMOVED ", dhcp none -> a lease");
	world_free(live);
}

static void test_plan_default(void **state)
{
	(void)state;
	static const char first[] = DUAL "containers: {web: {networks: {lan: {}, fix: {}}}}\n";
	static const char other[] =
		DUAL "containers: {web: {networks: {lan: {}, fix: {gw_priority: 1}}}}\n";
	struct live *live = world_unleased(first);
	lease_add(live, 30);
	world_expect(live, first, &open_options, "");
	world_expect(
		live, other, &open_options,
		"change web/lan route default via 172.16.86.1 -> none; change web/fix route none -> "
		"default via 10.8.0.254");
	world_free(live);
}

/* Removed routes are put back from the link's own table. Without that, those that are left stay
 * until the lease is renewed, as do those of an earlier version. */
static void test_plan_routes(void **state)
{
	(void)state;
	struct live *live = world_unleased(LAN WEB);
	struct live_ns *web = web_of(live);
	const size_t first = web->n_routes;
	lease_add(live, 30);
	for (size_t i = first; i < first + 2; i++) {
		web->routes[i].proto = 0;
		web->routes[i].table = 999;
	}
	world_expect(live, LAN WEB, &open_options,
		     "change web/lan route none -> default via 172.16.86.1, route none -> "
		     "10.0.0.0/8 via 172.16.86.254");
	web->n_routes = first;
	lease_add(live, 30);
	web->n_routes = first + 2;
	world_expect(live, LAN WEB, &open_options,
		     "change web/lan dhcp 172.16.86.50/24 -> renewed");
	web->n_routes = first;
	world_expect(live, LAN WEB, &open_options,
		     "change web/lan dhcp 172.16.86.50/24 -> renewed");
	world_free(live);
}

/* A route of the lease yields to those of the file, to the subnets of other networks and to those
 * of other programs. */
static void test_plan_yields(void **state)
{
	(void)state;
	static const char declared[] =
		"networks:\n  lan: {parent: eth0, dhcp: true}\n"
		"  fix: {parent: eth0, subnet: 10.8.0.0/16, routes: [{to: 10.0.0.0/8, via: "
		"10.8.0.254}]}\n"
		"containers: {web: {networks: {lan: {}, fix: {}}}}\n";
	static const char subnet[] = "networks:\n  lan: {parent: eth0, dhcp: true}\n"
				     "  fix: {parent: eth0, subnet: 10.0.0.0/8}\n"
				     "containers: {web: {networks: {lan: {}, fix: {}}}}\n";
	static const struct {
		const char *file, *expected;
	} rows[] = {
		{declared, "change web/lan route 10.0.0.0/8 via 172.16.86.254 -> none; change "
			   "web/fix route none -> 10.0.0.0/8 via 10.8.0.254"},
		{subnet, "change web/lan route 10.0.0.0/8 via 172.16.86.254 -> none"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct live *live = world_unleased(rows[i].file);
		struct live_ns *web = web_of(live);
		if (i == 0) {
			for (size_t k = 0; k < web->n_routes; k++)
				if (web->routes[k].to.len == 8)
					web->routes[k] = web->routes[--web->n_routes];
		}
		lease_add(live, 30);
		world_expect(live, rows[i].file, &open_options, rows[i].expected);
		world_free(live);
	}
}

/* With `policy_routing`, a rule leads from the address to the table that it has in any case. */
static void test_plan_policy(void **state)
{
	(void)state;
	static const char policy[] =
		LAN "containers: {web: {policy_routing: true, networks: [lan]}}\n";
	struct live *live = world_unleased(LAN WEB);
	lease_add(live, 30);
	world_expect(live, policy, &open_options,
		     "change web/lan rule none -> 32001 from 172.16.86.50 lookup 7700");
	world_free(live);
}

/* The leased address itself, written in the file: it must be kept. */
static void test_plan_fixed(void **state)
{
	(void)state;
	struct live *live = world_unleased(LAN WEB);
	lease_add(live, 30);
	world_expect(live,
		     "networks: {lan: {parent: eth0, subnet: 172.16.86.0/24}}\n"
		     "containers: {web: {networks: {lan: {ipv4_address: 172.16.86.50, mac_address: "
		     "52:54:00:00:00:01}}}}\n",
		     &open_options,
		     "change web/lan mac_address 06:5d:a2:3d:65:ce -> 52:54:00:00:00:01, address "
		     "172.16.86.50/24 -> 172.16.86.50/24, " LEASE_ROUTES_REMOVED);
	world_free(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease),         cmocka_unit_test(test_routes),
		cmocka_unit_test(test_many_routes),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_lease),      cmocka_unit_test(test_client_id),
		cmocka_unit_test(test_host_name),     cmocka_unit_test(test_answer),
		cmocka_unit_test(test_request),       cmocka_unit_test(test_helper_refuses),
		cmocka_unit_test(test_helper_serves), cmocka_unit_test(test_helper_refuses_half),
		cmocka_unit_test(test_many),          cmocka_unit_test(test_helper_closes),
		cmocka_unit_test(test_plan),          cmocka_unit_test(test_plan_default),
		cmocka_unit_test(test_plan_routes),   cmocka_unit_test(test_plan_yields),
		cmocka_unit_test(test_plan_policy),   cmocka_unit_test(test_plan_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
