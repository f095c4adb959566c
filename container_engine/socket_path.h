/* Finds the path of an engine's socket. */
#ifndef CONTAINER_ENGINE_SOCKET_PATH_H
#define CONTAINER_ENGINE_SOCKET_PATH_H

#include "lib/error.h"
#include "schema/model.h"

#include <stddef.h>

/* -EPROTONOSUPPORT: the environment names an engine on another machine. */
int engine_socket_path(enum source_kind kind, const char **ret_path, struct error *error);

/* The candidate paths of the engine's socket; returns their number, 0: the environment names
 * none. */
size_t engine_sockets(enum source_kind kind, const char *paths[2]);

#endif
