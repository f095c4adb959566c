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

/* Whether the files have a network with `docker:`. */
bool docker_networks_declared(const struct desired *desired);
/* The changes that docker_networks_apply would do, a sentence each, in the arena; none if Docker
 * does not answer. Returns their number. */
size_t docker_networks_differing(const struct desired *desired, struct arena *arena,
				 const char ***ret);
/* Reports them as warnings on stderr, or for JSON in options->warnings. Docker is queried only if
 * the files have such a network: no other run waits for it. */
void docker_networks_report(const struct desired *desired, struct options *options);

#endif
