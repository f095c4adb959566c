/* The socket of a service that keeps a set: an abstract unix socket with the set's name. An apply
 * or delete of the same set, and a second service, detect the service by it. */
#ifndef CMD_SERVICE_SOCKET_H
#define CMD_SERVICE_SOCKET_H

#include "cmd/options.h"
#include "lib/error.h"
#include "lib/unix_peer.h"

#include <stdint.h>

#define KEEPER_FILES_SIZE 1024
/* A client's first message, with a proof (kernel/net_admin_proof.h). A service that trusts the
 * client already ignores it. */
#define KEEPER_PROOF "proof 1"

struct keeper {
	int fd; /* the connection: while it is open, no other service takes over the set */
	struct peer peer;
	char files[KEEPER_FILES_SIZE]; /* "-f /etc/mvapply"; "": no answer in time */
};

/* Connects to the service that keeps the set. False: there is none, or the process is not trusted.
 * The caller closes ret->fd. */
bool keeper_find(const char *set, struct keeper *ret);
/* The same, with another time limit for the service's messages than half a second. */
bool keeper_find_within(const char *set, unsigned milliseconds, struct keeper *ret);
/* Whether any process has the name of such a service, trusted or not. The service does not
 * notice. */
bool keeper_exists(const char *set);
/* Binds the set's name. Returns a listening descriptor, or a negative errno: -EADDRINUSE. */
int keeper_listen(const char *set);
/* A second name of a service: that of the files' contents that it uses (input_hash). */
bool files_keeper_find(uint64_t content, unsigned milliseconds, struct keeper *ret);
int files_keeper_listen(uint64_t content);
/* The service's first message to each client that it trusts. A client may then send a query
 * (cmd/service_query.h). */
void keeper_answer(int fd, const struct options *options);
/* "process 4711 (mvapply watch -f /etc/mvapply)", into the caller's text. */
#define KEEPER_TEXT_SIZE (KEEPER_FILES_SIZE + 64)
const char *keeper_text(const struct keeper *keeper, char text[KEEPER_TEXT_SIZE]);

/* The services that keep the sets of an apply or delete. */
struct keepers {
	int *fds;
	size_t count;
};

/* Warns about each: immediately; if the output is JSON, in its document, by options->warnings. */
struct keepers keepers_report(const struct desired *desired, struct options *options);
/* Closes the connections. */
void keepers_free(struct keepers *keepers);

#endif
