/* Declarations shared by the two parts of the server: server.c has the connections, worker.c the
 * processes that answer calls. */
#ifndef CMD_DOCKER_PLUGIN_SERVER_INTERNAL_H
#define CMD_DOCKER_PLUGIN_SERVER_INTERNAL_H

#include "cmd/docker_plugin/calls.h"
#include "cmd/docker_plugin/prepare.h"
#include "cmd/docker_plugin/reservation_note.h"

#include <sys/types.h>

/* The limit of calls that run concurrently; others wait. */
#define WORKERS_MAX 8

struct server;

struct connection {
	struct server *server;
	struct connection *next;
	int fd;
	char *input; /* what has been received and not been answered */
	size_t used, room;
	bool closing;       /* after its answer */
	unsigned long turn; /* among those that wait for a worker; 0: it does not wait */
	int worker;         /* the number of its worker; -1: none */
};

struct worker {
	struct connection *connection; /* NULL: the worker is free */
	pid_t pid;
	int end;      /* a pipe with a note, if there is one, which the worker's end closes */
	bool chooses; /* an address: one at a time, in the order of the calls */
	struct reservation_note note; /* family 0: none yet */
};

struct server {
	const struct docker_plugin *plugin;
	const struct options *options;
	struct loop *loop;
	struct docker_files files;
	struct plugin_state state;
	struct connection *connections;
	size_t n_connections;
	unsigned long turns; /* the last one */
	struct worker workers[WORKERS_MAX];
	int comparing;    /* a pipe that the end of the last docker_compare closes; -1: none */
	int reservations; /* docker_reservations_listen; negative: another process has the name */
	int alive[2];     /* a pipe that the end of the plugin closes: no other process writes */
};

/* One call of a request. */
struct request {
	const char *path;
	struct arena *arena;
	struct docker_call call;
	struct error error;
	int status; /* of the parse: 0, or a negative errno */
};

/* Sends the result of a call that the plugin's process answers itself. */
void request_answer(struct connection *connection, struct request *request);
/* Starts a process that answers. `end`: the writing end of its pipe. Returns its id, or a negative
 * errno. */
pid_t worker_fork(struct connection *connection, struct request *request, int end);
/* Closes what a child has of the server, except the connection: a descriptor of the parent would
 * keep its peer's connection open. */
void descriptors_close(const struct server *server, const struct connection *own);

#endif
