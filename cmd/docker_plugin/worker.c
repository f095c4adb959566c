/* Processes that answer calls of Docker which may wait. */
#include "cmd/docker_plugin/announcer.h"
#include "cmd/docker_plugin/answer.h"
#include "cmd/docker_plugin/server_internal.h"
#include "reconcile/apply/apply.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static json_t *call_answer(struct server *server, struct request *request,
			   struct announcer *announcer)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", server->plugin->scratch);
	const struct docker_work work = {.options = server->options,
					 .files = &server->files,
					 .arena = request->arena,
					 .state = &server->state,
					 .call = &request->call,
					 .scratch = path,
					 .announcer = announcer};
	return docker_call_answer(&work, &request->error);
}

/* Releases the answer. */
static void result_send(const struct connection *connection, const struct request *request,
			json_t *answer)
{
	if (answer)
		docker_answer_send(connection->fd, 200, answer);
	else
		docker_answer_failure(connection->fd, docker_path_is_ipam(request->path),
				      &request->error);
}

void request_answer(struct connection *connection, struct request *request)
{
	result_send(connection, request, call_answer(connection->server, request, NULL));
}

void descriptors_close(const struct server *server, const struct connection *own)
{
	close(server->plugin->listener);
	close(server->alive[1]);
	if (server->reservations >= 0)
		close(server->reservations);
	for (const struct connection *other = server->connections; other; other = other->next)
		if (other != own)
			close(other->fd);
}

/* Under the lock: the process that takes it afterwards queries the plugin, which has the note. */
static json_t *address_answer(struct server *server, struct request *request, int end)
{
	struct apply_lock lock;
	const size_t before = server->state.n_reservations;
	if (apply_lock(&lock, NULL, &request->error) < 0)
		return NULL;
	json_t *answer = call_answer(server, request, NULL);
	if (server->state.n_reservations > before)
		reservation_note_write(end, &server->state.reservations[before]);
	apply_unlock(&lock);
	return answer;
}

/* Docker repeats a call whose plugin was killed: no worker must answer it at the same time. */
static _Noreturn void worker_run(struct connection *connection, struct request *request, int end)
{
	struct server *server = connection->server;
	struct announcer announcer = {0};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	descriptors_close(server, connection);
	json_t *answer = docker_call_chooses(request->call.method)
				 ? address_answer(server, request, end)
				 : call_answer(server, request, &announcer);
	result_send(connection, request, answer);
	announcer_begin(&announcer, server->alive[0], (const int[]){connection->fd, end});
	_exit(0);
}

pid_t worker_fork(struct connection *connection, struct request *request, int end)
{
	fflush(NULL);
	const pid_t pid = fork();
	if (pid == 0)
		worker_run(connection, request, end);
	return pid < 0 ? error_set(&request->error, errno, "fork: %s", strerror(errno)) : pid;
}
