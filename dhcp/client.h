/* The DHCP client: busybox's udhcpc, run once for each request. */
#ifndef DHCP_CLIENT_H
#define DHCP_CLIENT_H

#include "dhcp/protocol.h"

#include <limits.h>
#include <sys/types.h>

/* How many discovers udhcpc sends, a second apart. */
#define CLIENT_LEASE_TRIES   6
#define CLIENT_RELEASE_TRIES 2
/* One that does not end by itself is killed after so many milliseconds: a server may lead it on. */
#define RUN_MS 20000
/* How many the helper runs at once. More requests wait for it, and in the end who sends them. */
#define CLIENTS_AT_ONCE 32

/* Where it is: udhcpc itself, or a busybox, which may have it; in PATH, and where PATH often does
 * not lead. False: nowhere. */
bool client_find(char path[PATH_MAX]);

/* Call it in a child of fork(2): creates a process group, enters the network namespace, drops all
 * privileges but a client's, and executes udhcpc. Its output goes to `output`. `program` is mvapply
 * itself, for the script. Returns only by _exit(2). */
__attribute__((noreturn)) void client_become(const struct dhcp_request *request, int netns,
					     int output, int program);

/* What came of it, from its exit status (wait(2)) and all that it output. */
struct dhcp_answer client_answer(const struct dhcp_request *request, int status,
				 const char *output);

#endif
