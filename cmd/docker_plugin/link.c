#include "cmd/docker_plugin/link.h"

#include "cmd/attach/netns_link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "kernel/rtnl_encode.h"
#include "lib/cleanup.h"
#include "lib/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const char *endpoint_link_name(const char *endpoint, struct arena *arena)
{
	return arena_printf(arena, "mv%012" PRIx64, hash_text(HASH_START, endpoint) >> 16);
}

bool endpoint_link_named(const char *name)
{
	return strncmp(name, "mv", 2) == 0 && strlen(name) == 14 &&
	       strspn(name + 2, "0123456789abcdef") == 12;
}

const char *endpoint_key(const char *endpoint, struct arena *arena)
{
	return arena_printf(arena, "docker.%016" PRIx64, hash_text(HASH_START, endpoint));
}

struct reading {
	struct arena *arena;
	struct live_link *link;
};

static int link_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	struct parent_ref parent;
	if (decode_link(reading->arena, message, reading->link, &parent) != DECODED)
		return error_set(error, EBADMSG, "the kernel's answer is malformed");
	return 0;
}

static int link_find(struct netlink *netlink, const char *name, struct reading *reading,
		     struct error *error)
{
	union message request;
	encode_link_find(&request, name);
	return netlink_request(netlink, &request.header, link_take, reading, error);
}

int endpoint_link_find(const char *name, struct arena *arena, struct live_link *ret,
		       struct error *error)
{
	struct reading reading = {arena, ret};
	struct netlink *netlink = netlink_open(error);
	const int status = netlink ? link_find(netlink, name, &reading, error) : -error->errnum;
	netlink_close(netlink);
	return status;
}

static int link_move(struct netlink *netlink, int ifindex, int netns, const char *name,
		     struct error *error)
{
	union message request;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	encode_link_move(&request, ifindex, netns, name);
	const size_t number = batch_add(batch, &request.header, false);
	const int status = batch_send(netlink, batch, error);
	if (status < 0)
		return status;
	const struct reply *reply = batch_reply(batch, number);
	if (!reply->errnum)
		return 0;
	return error_set(error, reply->errnum, "cannot move %s to the host's namespace: %s", name,
			 *reply->text ? reply->text : strerror(reply->errnum));
}

static int link_publish(int host, const char *name, struct arena *arena, struct error *error)
{
	struct live_link link = {0};
	struct reading reading = {arena, &link};
	struct netlink *netlink = netlink_open(error);
	int status = netlink ? link_find(netlink, name, &reading, error) : -error->errnum;
	if (status == 0)
		status = link_move(netlink, link.ifindex, host, name, error);
	netlink_close(netlink);
	return status;
}

int endpoint_link_publish(int netns, const char *name, struct error *error)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct stat ignored;
	cleanup_close int host = netns_open_own(&ignored, error);
	if (host < 0)
		return host;
	int status = netns_enter(netns, error);
	if (status == 0)
		status = link_publish(host, name, arena, error);
	netns_return(host);
	return status;
}

int endpoint_link_delete(const struct live_link *link, struct error *error)
{
	struct stat ignored;
	cleanup_close int host = netns_open_own(&ignored, error);
	return host < 0 ? host : netns_link_delete_at(host, host, link, error);
}
