/* react drift|file NAMESPACE LINK COUNT OLD NEW GATEWAY [FILE OLDFILE NEWFILE] [bare]
 *
 * Changes an attachment, waits for the kernel's event that its address and default route exist, and
 * prints the duration in microseconds, one line each. It pauses in between.
 *
 *   drift  deletes the address OLD, which must be restored (NEW is the same)
 *   file   replaces FILE by NEWFILE and OLDFILE in turn; the address must follow
 *
 * With "bare" there is no service: it sends the known messages itself, the minimum that any program
 * would need. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX   16
#define PROTOCOL 77
#define REST_US  60000

static struct mnl_socket *sender, *listener;
static char buffer[32768];

static void die(const char *what)
{
	fprintf(stderr, "react: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct mnl_socket *open_socket(unsigned groups)
{
	struct mnl_socket *opened = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!opened || mnl_socket_bind(opened, groups, MNL_SOCKET_AUTOPID) < 0)
		die("socket");
	return opened;
}

static struct nlmsghdr *begin(char *at, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(at);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return message;
}

static size_t put_address(char *at, uint16_t type, unsigned link, in_addr_t address)
{
	struct nlmsghdr *message = begin(at, type, type == RTM_NEWADDR ? NLM_F_CREATE : 0);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ifa_family = AF_INET;
	header->ifa_prefixlen = PREFIX;
	header->ifa_index = link;
	mnl_attr_put_u32(message, IFA_LOCAL, address);
	mnl_attr_put_u32(message, IFA_ADDRESS, address);
	mnl_attr_put_u32(message, IFA_BROADCAST, address | htonl((1u << (32 - PREFIX)) - 1));
	if (type == RTM_NEWADDR)
		mnl_attr_put_u8(message, IFA_PROTO, PROTOCOL);
	return message->nlmsg_len;
}

static size_t put_route(char *at, unsigned link, in_addr_t gateway)
{
	struct nlmsghdr *message = begin(at, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = AF_INET;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = PROTOCOL;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_GATEWAY, gateway);
	mnl_attr_put_u32(message, RTA_OIF, link);
	return message->nlmsg_len;
}

/* Sends messages of that size, and receives their acknowledgements. */
static void send_all(const char *messages, size_t size, int count)
{
	char answer[4096];
	if (mnl_socket_sendto(sender, messages, size) < 0)
		die("send");
	while (count > 0) {
		ssize_t got = mnl_socket_recvfrom(sender, answer, sizeof(answer));
		int left = (int)got;
		if (got < 0)
			die("receive");
		for (const struct nlmsghdr *at = (const void *)answer; mnl_nlmsg_ok(at, left);
		     at = mnl_nlmsg_next(at, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(at);
			count -= at->nlmsg_type == NLMSG_ERROR;
			if (at->nlmsg_type == NLMSG_ERROR && error->error) {
				errno = -error->error;
				die("the kernel refuses");
			}
		}
	}
}

static bool is_default_route(const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	return message->nlmsg_type == RTM_NEWROUTE && header->rtm_family == AF_INET &&
	       header->rtm_dst_len == 0 && header->rtm_table == RT_TABLE_MAIN;
}

static bool is_address(const struct nlmsghdr *message, in_addr_t address)
{
	const struct nlattr *attr;
	if (message->nlmsg_type != RTM_NEWADDR)
		return false;
	mnl_attr_for_each(attr, message,
			  sizeof(struct ifaddrmsg)) if (mnl_attr_get_type(attr) == IFA_LOCAL &&
							mnl_attr_get_u32(attr) ==
								address) return true;
	return false;
}

/* Waits for the address, and then for the default route. */
static void await(in_addr_t address)
{
	for (bool there = false;;) {
		ssize_t got = mnl_socket_recvfrom(listener, buffer, sizeof(buffer));
		int left = (int)got;
		if (got < 0)
			die("waited in vain");
		for (const struct nlmsghdr *at = (const void *)buffer; mnl_nlmsg_ok(at, left);
		     at = mnl_nlmsg_next(at, &left)) {
			there |= is_address(at, address);
			if (there && is_default_route(at))
				return;
		}
	}
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void replace_file(const char *file, const char *by)
{
	char fresh[4096];
	snprintf(fresh, sizeof(fresh), "%s.new", file);
	if (link(by, fresh) < 0 || rename(fresh, file) < 0)
		die(file);
}

int main(int argc, char **argv)
{
	if (argc < 8)
		return 3;
	bool drift = strcmp(argv[1], "drift") == 0, bare = strcmp(argv[argc - 1], "bare") == 0;
	in_addr_t addresses[2] = {inet_addr(argv[5]), inet_addr(argv[6])};
	in_addr_t gateway = inet_addr(argv[7]);
	int ns = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(argv[2]);
	unsigned index = if_nametoindex(argv[3]);
	struct timeval patience = {.tv_sec = 10};
	sender = open_socket(0);
	listener = open_socket(RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE);
	setsockopt(mnl_socket_get_fd(listener), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));

	for (int i = 0; i < atoi(argv[4]); i++) {
		in_addr_t from = addresses[i % 2], to = addresses[(i + 1) % 2];
		char messages[1024];
		usleep(REST_US);
		while (recv(mnl_socket_get_fd(listener), buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
			;
		double start = now();
		if (drift || bare)
			send_all(messages, put_address(messages, RTM_DELADDR, index, from), 1);
		else
			replace_file(argv[8], argv[i % 2 ? 9 : 10]);
		if (bare) {
			size_t size = put_address(messages, RTM_NEWADDR, index, to);
			send_all(messages, size + put_route(messages + size, index, gateway), 2);
		}
		await(to);
		printf("%.1f\n", now() - start);
	}
	return 0;
}
