/* Docker's networks for the networks of the files (`docker:`). */
#ifndef CMD_DOCKER_PLUGIN_NETWORKS_H
#define CMD_DOCKER_PLUGIN_NETWORKS_H

#include "cmd/options.h"
#include "schema/model.h"

/* Creates those that Docker does not have, and removes or replaces those that the plugin has
 * created and that differ from the files, unless a container uses them. It waits a minute for
 * Docker, which calls the plugin meanwhile. Each network that cannot be changed is an error on
 * stderr. */
void docker_networks_apply(const struct options *options);

/* Reports the changes that docker_networks_apply would do: as warnings on stderr, or for JSON in
 * options->warnings. Docker is queried if the files have such a network, or the plugin's socket
 * exists; without an answer nothing is reported. */
void docker_networks_report(const struct desired *desired, struct options *options);

#endif
