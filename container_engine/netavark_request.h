/* Parses the standard input of a netavark plugin (netavark-plugins, "Plugin API"). Pure. */
#ifndef CONTAINER_ENGINE_NETAVARK_REQUEST_H
#define CONTAINER_ENGINE_NETAVARK_REQUEST_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/ip.h"

#include <jansson.h>
#include <stddef.h>

/* Strings are in the arena. */
struct netavark_request {
	const char *network; /* "NETWORK" or "SET/NETWORK": the option `network`, or the name */
	const char **files;  /* absolute paths: the option `files`, separated by commas */
	size_t n_files;
	const char *container_id, *container_name, *interface; /* NULL for `create` */
	struct ip ipv4, ipv6;                                  /* family 0: not requested */
	struct mac mac;                                        /* unset: not requested */
};

/* The network alone, of `create`. Returns 0 or a negative errno. */
int netavark_network_parse(const json_t *network, struct arena *arena, struct netavark_request *ret,
			   struct error *error);
/* The network, the container and its interface, of `teardown`, which uses no more: what `setup`
 * refused has to be removable. */
int netavark_container_parse(const json_t *json, struct arena *arena, struct netavark_request *ret,
			     struct error *error);
/* The same and what the container requests, of `setup`. */
int netavark_request_parse(const json_t *json, struct arena *arena, struct netavark_request *ret,
			   struct error *error);

#endif
