/* The gateway of a subnet as Docker can have it. Pure. */
#ifndef CMD_DOCKER_PLUGIN_GATEWAY_H
#define CMD_DOCKER_PLUGIN_GATEWAY_H

#include "schema/model.h"

/* Whether the files have a gateway in the subnet: Docker takes no other, such as a link-local one.
 */
bool docker_has_gateway(const struct subnet *subnet);
/* That gateway. Docker takes no network without one: then it is the subnet's own address, which no
 * host has and no container gets a route to. */
struct ip docker_gateway(const struct subnet *subnet);

#endif
