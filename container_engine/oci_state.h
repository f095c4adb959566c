/* Parses the state of a container, as an OCI runtime writes it to the standard input of a hook. */
#ifndef CONTAINER_ENGINE_OCI_STATE_H
#define CONTAINER_ENGINE_OCI_STATE_H

#include "lib/arena.h"
#include "lib/error.h"

#include <stddef.h>
#include <sys/types.h>

/* OCI runtime-spec, runtime.md, "State". */
struct oci_state {
	const char *id;
	pid_t pid;          /* the container's first process; 0: it does not run */
	const char *bundle; /* the directory with its config.json; NULL: not given */
};

/* Texts are in the arena. Returns 0, or -EINVAL if it is not such a state. */
int oci_state_parse(const char *bytes, size_t size, struct arena *arena,
		    struct oci_state *ret_state, struct error *error);

#endif
