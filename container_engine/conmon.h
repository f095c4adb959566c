/* Finds the name of Podman's container by its monitor process, conmon(8): a hook's input has the id
 * alone, and Podman does not answer while it creates a container. */
#ifndef CONTAINER_ENGINE_CONMON_H
#define CONTAINER_ENGINE_CONMON_H

#include "lib/arena.h"

#include <stddef.h>
#include <sys/types.h>

/* The value of --name (-n) in the arguments of a conmon whose --cid (-c) is `id`; NULL if it is not
 * such a process. `line` is the content of /proc/PID/cmdline: arguments that end with a NUL. The
 * result points into it. */
const char *conmon_name(const char *line, size_t size, const char *id);

/* The same of the first of the process's ancestors that is one, beginning with itself. Only
 * processes of user 0 count. In the arena; NULL if there is none. */
const char *conmon_find(pid_t process, const char *id, struct arena *arena);

#endif
