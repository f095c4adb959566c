/* Containers that the files declare with `docker:`, and that Docker attaches itself. No call has
 * the container's name, so the requested address (`--ip`) identifies it. */
#ifndef CMD_DOCKER_PLUGIN_DECLARED_H
#define CMD_DOCKER_PLUGIN_DECLARED_H

#include "cmd/docker_plugin/calls.h"

/* The container of the set that has the address on the network; NULL: none. */
const struct container *docker_declared(const struct network_of_set *where, const struct ip *ip);

/* Checks that no live link is the container's already: an attachment would move it from there. */
int docker_declared_check(const struct network_of_set *where, const struct container *declared,
			  struct error *error);

/* Queries Docker for the name of the endpoint's container, and checks that the files have this
 * address for it. A Docker that does not answer at once is no error: while it starts, it starts
 * containers. */
int docker_name_check(const struct docker_work *work, const struct network_of_set *where,
		      const struct ip *ip, struct error *error);

#endif
