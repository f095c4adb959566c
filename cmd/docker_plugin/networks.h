/* Docker's networks for the networks of the files (`docker:`). */
#ifndef CMD_DOCKER_PLUGIN_NETWORKS_H
#define CMD_DOCKER_PLUGIN_NETWORKS_H

#include "cmd/options.h"

/* Creates those that Docker does not have; it waits a minute for Docker. Docker calls the plugin
 * meanwhile. Each network that cannot be created is an error on stderr. */
void docker_networks_create(const struct options *options);

#endif
