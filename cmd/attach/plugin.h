/* What the plugins of container runtimes have in common: a runtime starts the program for each
 * container, with a request on the standard input, and the answer is JSON. */
#ifndef CMD_ATTACH_PLUGIN_H
#define CMD_ATTACH_PLUGIN_H

#include "cmd/attach/started.h"
#include "cmd/options.h"
#include "kernel/link.h"

#include <jansson.h>

struct plugin_call {
	const struct options *options;
	const char **files;
	size_t n_files;
	const char *network; /* "NETWORK" or "SET/NETWORK" */
};

/* The key of a guest: `prefix` and a hash of the container's id and the interface, the same in each
 * call. In the arena. */
const char *plugin_key(struct arena *arena, const char *prefix, const char *container_id,
		       const char *interface);

/* The declared state, which the caller frees with desired_free; NULL: the files are not valid. */
struct desired *plugin_files(const struct plugin_call *call, struct error *error);

/* Makes the answer from the created link. The caller owns it. */
typedef json_t *plugin_answer(void *data, const struct network *network,
			      const struct link_spec *spec);

/* Attaches the container to the network, and nothing else. Returns 0, or a negative errno: nothing
 * was created then. */
int plugin_attach(const struct plugin_call *call, const struct started *started,
		  plugin_answer *answer, void *data, json_t **ret_answer, struct error *error);

/* Whether an attachment of this container has the owner tag, as far as the files can tell, which
 * may be gone: the key of a guest, or a container that they do not declare by another source. */
bool plugin_made(const struct plugin_call *call, const struct started *started,
		 const struct owner_tag *tag);

/* Deletes the interface from the namespace, if it is the container's, and there is one. The lock is
 * held. Returns 0, or a negative errno. */
int plugin_detach(const struct plugin_call *call, const struct started *started,
		  struct error *error);

#endif
