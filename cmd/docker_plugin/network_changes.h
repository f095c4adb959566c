/* The difference between the files' networks with `docker:` and the networks of Docker. Pure. */
#ifndef CMD_DOCKER_PLUGIN_NETWORK_CHANGES_H
#define CMD_DOCKER_PLUGIN_NETWORK_CHANGES_H

#include "schema/model.h"

#include <jansson.h>

/* The label of Docker's networks that the plugin has created: "SET/NETWORK". */
#define DOCKER_NETWORK_LABEL "mvapply.network"

/* Strings are in the arena. */
struct network_change {
	const char *name;              /* Docker's */
	const char *id;                /* of the network that is removed; NULL: none */
	const struct set *set;         /* of `network` */
	const struct network *network; /* that is created; NULL: none */
};

struct network_changes {
	struct network_change *items;
	size_t count;
};

/* `networks`: Docker's answer to GET /networks. A network of Docker is removed if it has the label,
 * its set is one of the files', and no network of the files has its name; it is replaced if its
 * network, subnets or gateways differ. In the arena. */
struct network_changes network_changes_find(const struct desired *desired, const json_t *networks,
					    struct arena *arena);

#endif
