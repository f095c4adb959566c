/* Converts network options in the spelling that Docker's API and Compose share. */
#ifndef CONVERT_DOCKER_OPTIONS_H
#define CONVERT_DOCKER_OPTIONS_H

#include "convert/yaml_tree.h"
#include "schema/model.h"

#include <jansson.h>
#include <stdbool.h>

/* The names of the same keys in each. */
struct docker_keys {
	const char *options;                        /* of the driver */
	const char *subnet, *gateway, *range, *aux; /* of one entry of the address management */
	const char *ipv4, *ipv6;                    /* whether the network has such addresses */
	bool ipv6_unless_false;                     /* if EnableIPv6 is absent */
};

/* Whether the driver's networks can be converted; sets the driver. */
bool docker_driver(const char *name, enum driver *ret);

/* Sets the network's mode to the one at the key, or to its driver's default. A mode that the driver
 * does not have is to be edited in `at`. */
void network_mode_at(const json_t *options, const char *key, struct tree *at,
		     struct network *network);
/* An option of a VLAN is to be edited in `at`: the engine ignores it for these drivers, but the
 * containers may be meant to be on that VLAN. */
void network_vlan_left(const json_t *options, struct tree *at);
/* Sets the network's MTU, in bytes, if the key exists. */
void network_mtu_at(const json_t *options, const char *key, struct tree *at,
		    struct network *network);

/* Reads the network's driver, parent, mode and addresses into *ret, and comments into `at`.
 * `pools`: the list of its address ranges. */
void docker_network(const json_t *network, const json_t *pools, const struct docker_keys *keys,
		    struct tree *at, struct network *ret);

/* Comments on the sysctls of a container ("KEY=VALUE", or a map) that are of a link: the engine
 * sets them before mvapply creates it. */
void docker_sysctls(const json_t *sysctls, struct tree *at);

/* Options of an attachment: com.docker.network.endpoint.*. */
void docker_endpoint(const json_t *options, struct tree *at, struct attachment *attachment);

#endif
