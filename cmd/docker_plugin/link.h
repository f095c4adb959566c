/* The link of an endpoint: made in a namespace of the plugin's own, complete; then moved to the
 * host's, from where Docker moves it into the container. A plugin that is killed leaves nothing. */
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

/* Moves the link from the namespace of the descriptor to the thread's own one, without its
 * addresses and routes, and down. */
int endpoint_link_publish(int netns, const char *name, struct error *error);
/* Finds it in the thread's own namespace. Strings go to the arena. */
int endpoint_link_find(const char *name, struct arena *arena, struct live_link *ret,
		       struct error *error);

/* Deletes it there. Returns 0, also if it is gone already; or a negative errno. */
int endpoint_link_delete(const struct live_link *link, struct error *error);

#endif
