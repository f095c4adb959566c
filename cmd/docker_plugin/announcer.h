/* Announces the link of an endpoint to the LAN after Docker has moved it into the container and set
 * it up: no call follows that, and Docker 20.10 announces nothing itself. */
#ifndef CMD_DOCKER_PLUGIN_ANNOUNCER_H
#define CMD_DOCKER_PLUGIN_ANNOUNCER_H

#include "kernel/link.h"

struct monitor;

struct announcer {
	struct monitor *events; /* of the host's links, since before the answer to Join; or NULL */
	int ifindex;            /* in the host's namespace; 0: there is nothing to announce */
	const char *alias;      /* of the link */
	const char *sandbox;    /* the path of the container's namespace, which may not exist yet */
	struct ip ips[2];       /* family 0: none */
};

/* Begins to listen, before Docker gets to know the link. The thread is in the host's namespace. */
void announcer_listen(struct announcer *announcer);
/* Waits for the link and announces its addresses, in a process of its own, which ends with the
 * plugin, with the link, or after a minute. `plugin`: a descriptor that becomes readable when the
 * plugin has ended. `own`: descriptors that the process must not keep open. */
void announcer_begin(const struct announcer *announcer, int plugin, const int own[2]);

#endif
