/* Attaches one container while its runtime starts it: nothing else on the host is changed. */
#ifndef CMD_ATTACH_ATTACH_ONE_H
#define CMD_ATTACH_ATTACH_ONE_H

#include "cmd/options.h"
#include "cmd/service_query.h"

/* A container that a runtime is starting. */
struct starting {
	struct service_container container; /* `names.other`: Compose's "project/service" */
	pid_t pid;         /* its first process, which has its namespaces already */
	bool engine_links; /* the engine is going to add links of its own */
};

/* The containers of the files that this is; none where the files do not name it. In the arena. */
struct containers starting_declared(const struct starting *starting, const struct desired *desired,
				    struct arena *arena);

/* Attaches the container and waits up to 10 s for a parent that is missing or down. Prints an error
 * for each attachment that could not be made. Returns an exit code, or -ESTALE (attach_run);
 * EXIT_CONVERGED also where the container has the host's network namespace, which is not touched.
 */
int attach_one(const struct starting *starting, const struct containers *containers,
	       const struct desired *desired, const struct options *options);

#endif
