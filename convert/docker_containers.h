/* Collects the values of containers that Docker's API has in several places. */
#ifndef CONVERT_DOCKER_CONTAINERS_H
#define CONVERT_DOCKER_CONTAINERS_H

#include <jansson.h>

/* A copy of the containers, in which each has its networks in the order of its links, and the one
 * with its default route has the highest GwPriority. Beside a network that is not converted, that
 * of a converted one is above 0 only if it has the default route. The caller's to json_decref. */
json_t *docker_containers_ordered(const json_t *containers, const json_t *networks);

/* A copy of the networks, in which a pool without a gateway has the one that its containers use.
 * The caller's to json_decref. */
json_t *docker_networks_routed(const json_t *networks, const json_t *containers);

#endif
