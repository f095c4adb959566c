/* The link of an endpoint in the host's namespace, down, from where Docker moves it into the
 * container. stale.h deletes one that Docker never learns of. */
#ifndef CMD_DOCKER_PLUGIN_LINK_H
#define CMD_DOCKER_PLUGIN_LINK_H

#include "kernel/link.h"
#include "lib/error.h"

/* The name of the endpoint's link in the host's namespace, and the key of its owner tag: the same
 * in each call. In the arena. */
const char *endpoint_link_name(const char *endpoint, struct arena *arena);
/* Whether it is the name of such a link. */
bool endpoint_link_named(const char *name);
const char *endpoint_key(const char *endpoint, struct arena *arena);

/* Finds it in the thread's own namespace. Strings go to the arena. */
int endpoint_link_find(const char *name, struct arena *arena, struct live_link *ret,
		       struct error *error);

/* Deletes it there. Returns 0, also if it is gone already; or a negative errno. */
int endpoint_link_delete(const struct live_link *link, struct error *error);

#endif
