/* An HTTP server on a unix socket: calls that may wait run in processes of their own, so that no
 * call delays another. */
#ifndef CMD_DOCKER_PLUGIN_SERVER_H
#define CMD_DOCKER_PLUGIN_SERVER_H

#include "cmd/options.h"
#include "lib/error.h"

struct docker_plugin;

/* Serves until it fails. Returns a negative errno. */
int docker_serve(const struct docker_plugin *plugin, const struct options *options,
		 struct error *error);

#endif
