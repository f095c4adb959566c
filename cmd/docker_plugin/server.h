/* An HTTP server on a unix socket: calls that may wait run in processes of their own, so that no
 * call delays another. */
#ifndef CMD_DOCKER_PLUGIN_SERVER_H
#define CMD_DOCKER_PLUGIN_SERVER_H

#include "cmd/docker_plugin/state.h"
#include "cmd/options.h"
#include "lib/error.h"

/* The limit of calls that run concurrently; others wait. */
#define WORKERS_MAX 8

/* What has to be opened before the process is confined. */
struct docker_plugin {
	int listener;             /* of a unix socket */
	int scratch[WORKERS_MAX]; /* a network namespace for each worker */
};

/* Serves until it fails. Returns a negative errno. */
int docker_serve(const struct docker_plugin *plugin, const struct options *options,
		 struct error *error);

#endif
