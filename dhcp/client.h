/* The DHCP client: busybox's udhcpc, run once for each request. */
#ifndef DHCP_CLIENT_H
#define DHCP_CLIENT_H

#include "dhcp/protocol.h"

#include <limits.h>
#include <sys/types.h>

/* The number of discovers that udhcpc sends, one each second. */
#define CLIENT_LEASE_TRIES   6
#define CLIENT_RELEASE_TRIES 2
/* The time limit of a client in milliseconds: a server could delay it without end. */
#define RUN_MS 20000
/* The number of clients that the broker runs at once. More requests, and finally their senders,
 * wait. */
#define CLIENTS_AT_ONCE 32

/* The path of udhcpc, or of a busybox, which may contain it; searched in PATH and in folders that
 * PATH often lacks. False: none is installed. */
bool client_find(char path[PATH_MAX]);

/* Call it in a child of fork(2): creates a process group, enters the network namespace, drops all
 * privileges except a client's, and executes udhcpc. Its output goes to `output`. `program` is an
 * open descriptor of the mvapply executable, for the script. Does not return: it ends with
 * _exit(2). */
__attribute__((noreturn)) void client_become(const struct dhcp_request *request, int netns,
					     int output, int program);

/* The result of a client, from its exit status (wait(2)) and all of its output. */
struct dhcp_answer client_answer(const struct dhcp_request *request, int status,
				 const char *output);

#endif
