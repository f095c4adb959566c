/* Parses the calls that Docker makes of a network and IPAM plugin: libnetwork's remote drivers
 * (docs/remote.md and docs/ipam.md of libnetwork). Pure. */
#ifndef CONTAINER_ENGINE_DOCKER_CALL_H
#define CONTAINER_ENGINE_DOCKER_CALL_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/ip.h"

#include <stdbool.h>
#include <stddef.h>

/* The place where Docker looks for the plugin of this name. */
#define DOCKER_PLUGIN_SOCKET "/run/docker/plugins/mvapply.sock"

enum docker_method {
	DOCKER_ACTIVATE,
	DOCKER_CAPABILITIES,
	DOCKER_CREATE_NETWORK,
	DOCKER_DELETE_NETWORK,
	DOCKER_CREATE_ENDPOINT,
	DOCKER_DELETE_ENDPOINT,
	DOCKER_ENDPOINT_INFO,
	DOCKER_JOIN,
	DOCKER_LEAVE,
	DOCKER_EXTERNAL,
	DOCKER_NOT_EXTERNAL,
	DOCKER_DISCOVERED,
	DOCKER_NOT_DISCOVERED,
	DOCKER_IPAM_CAPABILITIES,
	DOCKER_ADDRESS_SPACES,
	DOCKER_REQUEST_POOL,
	DOCKER_RELEASE_POOL,
	DOCKER_REQUEST_ADDRESS,
	DOCKER_RELEASE_ADDRESS,
	N_DOCKER_METHODS
};

/* The address space that the IPAM driver names: networks of other IPAM drivers have other ones. */
#define DOCKER_ADDRESS_SPACE "mvapply"

/* A pool of addresses: its id, which the IPAM driver chose, is "SET/NETWORK/SUBNET". */
struct docker_pool {
	const char *set, *network;
	struct prefix subnet;
};

/* What a network has of one pool. */
struct docker_ipam_data {
	const char *address_space;
	struct prefix subnet; /* family 0: none */
	struct ip gateway;    /* family 0: none */
};

/* Strings are in the arena; NULL, family 0 or unset: not in the call. */
struct docker_call {
	enum docker_method method;
	bool repeated; /* without arguments, after a restart of the plugin: nothing is to be done */
	const char *network_id, *endpoint_id;
	const char *sandbox; /* the path of the container's network namespace */
	const char *network; /* the option `network`: "NETWORK" or "SET/NETWORK" */
	struct docker_pool pool;
	struct prefix subnet, range; /* of a new pool */
	bool ipv6;                   /* a new pool is one of IPv6 */
	bool gateway;                /* the address is for the gateway */
	struct ip address;
	struct docker_ipam_data *data; /* of a new network */
	size_t n_data;
	struct ip ipv4, ipv6_address; /* of the endpoint */
	struct mac mac;               /* of the endpoint */
};

/* "NetworkDriver.Join": the path of the method without its slash. */
const char *docker_method_name(enum docker_method method);
/* Whether it is a method of the IPAM driver, which answers errors under another key. */
bool docker_path_is_ipam(const char *path);

/* `path`: "/NetworkDriver.Join". Returns 0, or a negative errno: ENOSYS if there is no such
 * method. */
int docker_call_parse(const char *path, const char *bytes, size_t size, struct arena *arena,
		      struct docker_call *ret, struct error *error);
/* "SET/NETWORK/SUBNET", in the arena. */
const char *docker_pool_id(const struct docker_pool *pool, struct arena *arena);

#endif
