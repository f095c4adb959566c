/* What the plugin opens before the process gives up its rights. */
#ifndef CMD_DOCKER_PLUGIN_PREPARE_H
#define CMD_DOCKER_PLUGIN_PREPARE_H

#include "lib/arena.h"
#include "lib/error.h"

struct docker_plugin {
	int listener; /* of a unix socket */
	/* An empty network namespace, for which links are planned: the container's may not exist
	 * yet. */
	int scratch;
};

/* Takes the socket from systemd (sd_listen_fds(3)), or else binds DOCKER_PLUGIN_SOCKET. In the
 * arena; NULL: an error. */
const struct docker_plugin *docker_plugin_prepare(struct arena *arena, struct error *error);

#endif
