/* The files as the plugin's process keeps them between Docker's calls. */
#ifndef CMD_DOCKER_PLUGIN_FILES_H
#define CMD_DOCKER_PLUGIN_FILES_H

#include "cmd/options.h"
#include "lib/error.h"

#include <stdint.h>

struct docker_files {
	bool loaded;
	uint64_t content;        /* a hash of it */
	struct desired *desired; /* NULL: `error` */
	struct error error;
};

/* Reads the files, and parses them if their contents have changed. Rejected: comparing times and
 * sizes, as reading takes a tenth of what parsing takes. */
void docker_files_refresh(struct docker_files *files, const struct options *options);
/* What they declare, which stays the plugin's: only a worker may change its copy. NULL: an error.
 */
struct desired *docker_files_desired(const struct docker_files *files, struct error *error);
void docker_files_free(struct docker_files *files);

#endif
