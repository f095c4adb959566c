#include "cmd/docker_plugin/server.h"

#include "cmd/docker_plugin/answer.h"
#include "cmd/docker_plugin/networks.h"
#include "cmd/docker_plugin/server_internal.h"
#include "cmd/docker_plugin/stale.h"
#include "cmd/output_text.h"
#include "container_engine/http_request.h"
#include "lib/cleanup.h"
#include "lib/event_loop.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Docker keeps a few connections open. */
#define CONNECTIONS_MAX 128
#define INPUT_MAX       (HTTP_HEAD_MAX + HTTP_BODY_MAX)

static void connection_free(struct connection *connection)
{
	struct server *server = connection->server;
	struct connection **place = &server->connections;
	while (*place != connection)
		place = &(*place)->next;
	*place = connection->next;
	server->n_connections--;
	close(connection->fd);
	free(connection->input);
	free(connection);
}

static void worker_ready(void *data, int fd, uint32_t events);

/* All that can fail comes before the fork: the worker answers. */
static int worker_begin(struct connection *connection, struct request *request, int number)
{
	int ends[2];
	struct server *server = connection->server;
	struct worker *worker = &server->workers[number];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(&request->error, errno, "pipe: %s", strerror(errno));
	const int status =
		loop_add(server->loop, ends[0], EPOLLIN, worker_ready, worker, &request->error);
	const pid_t pid = status < 0 ? status : worker_fork(connection, request, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		loop_remove(server->loop, ends[0]);
		close(ends[0]);
		return pid;
	}
	*worker = (struct worker){.connection = connection,
				  .pid = pid,
				  .end = ends[0],
				  .chooses = docker_call_chooses(request->call.method)};
	connection->worker = number;
	loop_remove(server->loop, connection->fd);
	return 0;
}

/* Returns whether the worker goes on. */
static bool note_take(struct worker *worker)
{
	struct reservation_note *note = &worker->note;
	const int status = reservation_note_read(worker->end, note);
	if (status > 0)
		state_reserve(&worker->connection->server->state, note->set, note->network,
			      &note->ip);
	return status >= 0;
}

/* What a worker wrote before its answer comes before what Docker asks after it. */
static void notes_take(struct server *server)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (server->workers[i].chooses && !server->workers[i].note.ip.family)
			(void)note_take(&server->workers[i]);
}

/* -1: none. */
static int worker_free(const struct server *server, bool chooses)
{
	int number = -1;
	for (int i = WORKERS_MAX; i-- > 0;) {
		if (!server->workers[i].connection)
			number = i;
		if (chooses && server->workers[i].chooses)
			return -1;
	}
	return number;
}

/* Returns whether the request was begun; otherwise it waits for a worker. */
static bool request_begin(struct connection *connection, struct request *request)
{
	struct server *server = connection->server;
	const bool waits = request->status == 0 && docker_call_waits(request->call.method);
	const int number =
		waits ? worker_free(server, docker_call_chooses(request->call.method)) : 0;
	if (number < 0)
		return false;
	notes_take(server);
	if (request->status == 0 && docker_call_reads(request->call.method))
		docker_files_refresh(&server->files, server->options);
	if (request->status == 0)
		docker_call_note(&server->state, &request->call);
	if (request->status == 0 && !waits)
		request_answer(connection, request);
	else if (request->status < 0 || worker_begin(connection, request, number) < 0)
		docker_answer_failure(connection->fd, docker_path_is_ipam(request->path),
				      &request->error);
	return true;
}

static bool request_handle(struct connection *connection, const struct http_request *http)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct request request = {.path = http->path, .arena = arena};
	request.status = docker_call_parse(http->path, http->body, http->body_size, arena,
					   &request.call, &request.error);
	return request_begin(connection, &request);
}

/* A request that waits again keeps its turn. */
static void turn_wait(struct connection *connection)
{
	struct server *server = connection->server;
	if (!connection->turn)
		connection->turn = ++server->turns;
	loop_remove(server->loop, connection->fd);
}

/* Answers the complete requests, until one runs in a worker or waits. */
static void input_handle(struct connection *connection)
{
	struct http_request http;
	int status = 0;
	while (connection->worker < 0 && !connection->closing &&
	       (status = http_request_parse(connection->input, connection->used, &http)) > 0) {
		if (!request_handle(connection, &http)) {
			turn_wait(connection);
			return;
		}
		connection->turn = 0;
		connection->closing = http.closes;
		connection->used -= http.size;
		memmove(connection->input, connection->input + http.size, connection->used);
	}
	if (status < 0) {
		docker_answer_refusal(connection->fd, -status);
		connection->closing = true;
	}
}

static void room_make(struct connection *connection)
{
	if (connection->used < connection->room)
		return;
	connection->room = connection->room ? 2 * connection->room : 4096;
	connection->input = memory_or_die(realloc(connection->input, connection->room));
}

static void connection_close(struct connection *connection)
{
	loop_remove(connection->server->loop, connection->fd);
	connection_free(connection);
}

static void connection_ready(void *data, int fd, uint32_t events)
{
	struct connection *connection = data;
	(void)events;
	room_make(connection);
	const ssize_t got = recv(fd, connection->input + connection->used,
				 connection->room - connection->used, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || connection->used + (size_t)got > INPUT_MAX) {
		connection_close(connection);
		return;
	}
	connection->used += (size_t)got;
	input_handle(connection);
	if (connection->closing && connection->worker < 0)
		connection_close(connection);
}

/* Its request has been answered, or a worker is free for it. */
static void connection_resume(struct connection *connection)
{
	struct error ignored;
	if (loop_add(connection->server->loop, connection->fd, EPOLLIN, connection_ready,
		     connection, &ignored) < 0) {
		connection_free(connection);
		return;
	}
	input_handle(connection);
	if (connection->closing && connection->worker < 0)
		connection_close(connection);
}

static struct connection *waiting_next(const struct server *server, unsigned long turn)
{
	struct connection *next = NULL;
	for (struct connection *connection = server->connections; connection;
	     connection = connection->next)
		if (connection->turn > turn && (!next || connection->turn < next->turn))
			next = connection;
	return next;
}

/* The one that has waited longest comes first. */
static void waiting_resume(struct server *server)
{
	unsigned long turn = 0;
	for (struct connection *connection; (connection = waiting_next(server, turn));) {
		turn = connection->turn;
		connection_resume(connection);
	}
}

static void worker_crashed(const struct worker *worker)
{
	const struct reservation_note *note = &worker->note;
	if (note->ip.family)
		state_release(&worker->connection->server->state, note->set, note->network,
			      &note->ip);
	docker_answer_crash(worker->connection->fd);
	worker->connection->server->state.compare = true;
}

static void worker_ready(void *data, int fd, uint32_t events)
{
	struct worker *worker = data;
	struct connection *connection = worker->connection;
	struct server *server = connection->server;
	int status = 0;
	(void)events;
	if (note_take(worker))
		return;
	loop_remove(server->loop, fd);
	close(fd);
	if (waitpid(worker->pid, &status, 0) != worker->pid || status != 0)
		worker_crashed(worker);
	*worker = (struct worker){0};
	connection->worker = -1;
	waiting_resume(server);
	connection_resume(connection);
}

static void connection_add(struct server *server, int fd)
{
	struct error ignored;
	struct connection *connection = memory_new(1, sizeof(*connection));
	*connection = (struct connection){
		.server = server, .next = server->connections, .fd = fd, .worker = -1};
	server->connections = connection;
	server->n_connections++;
	if (loop_add(server->loop, fd, EPOLLIN, connection_ready, connection, &ignored) < 0)
		connection_free(connection);
}

static void listener_ready(void *data, int fd, uint32_t events)
{
	struct server *server = data;
	(void)events;
	const int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (accepted >= 0 && server->n_connections < CONNECTIONS_MAX)
		connection_add(server, accepted);
	else if (accepted >= 0)
		close(accepted);
}

/* Another program chooses an address. */
static void reservations_ready(void *data, int fd, uint32_t events)
{
	struct server *server = data;
	(void)events;
	notes_take(server);
	docker_reservations_answer(fd, server->state.reservations, server->state.n_reservations);
}

/* Without it, the plugin works, and another runtime may take an address before Docker's link has
 * it. */
static int reservations_listen(struct server *server, struct error *error)
{
	server->reservations = docker_reservations_listen();
	if (server->reservations >= 0)
		return loop_add(server->loop, server->reservations, EPOLLIN, reservations_ready,
				server, error);
	text_warning(arena_printf(
		server->options->arena,
		"other programs cannot ask for the addresses that Docker was given: %s",
		strerror(-server->reservations)));
	return 0;
}

/* Waits for the end of the process that compared before: both would create the same network. */
static _Noreturn void compare_run(const struct server *server)
{
	char byte;
	descriptors_close(server, NULL);
	while (server->comparing >= 0 && read(server->comparing, &byte, 1) < 0 && errno == EINTR)
		;
	docker_networks_apply(server->options);
	docker_stale_delete();
	_exit(0);
}

/* In a process of its own, which Docker's API may delay, and which nobody waits for. It has the
 * only writing end of a pipe, which ends with it. */
static void docker_compare(struct server *server)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	fflush(NULL);
	const pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			compare_run(server);
		_exit(0);
	}
	close(ends[1]);
	if (server->comparing >= 0)
		close(server->comparing);
	server->comparing = ends[0];
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

/* The plugin or Docker has been started, or a worker has ended without an answer. */
static void idle(void *data)
{
	struct server *server = data;
	if (server->state.compare)
		docker_compare(server);
	server->state.compare = false;
}

static void connections_free(struct connection *connections)
{
	for (struct connection *connection = connections, *next; connection; connection = next) {
		next = connection->next;
		close(connection->fd);
		free(connection->input);
		free(connection);
	}
}

int docker_serve(const struct docker_plugin *plugin, const struct options *options,
		 struct error *error)
{
	struct server server = {.plugin = plugin,
				.options = options,
				.state = {.compare = true},
				.comparing = -1,
				.reservations = -1,
				.loop = loop_new(error)};
	if (!server.loop)
		return -error->errnum;
	if (pipe2(server.alive, O_CLOEXEC) < 0) {
		loop_free(server.loop);
		return error_set(error, errno, "pipe: %s", strerror(errno));
	}
	int status =
		loop_add(server.loop, plugin->listener, EPOLLIN, listener_ready, &server, error);
	if (status == 0)
		status = reservations_listen(&server, error);
	if (status == 0)
		status = loop_run(server.loop, idle, &server, error);
	connections_free(server.connections);
	close(server.alive[0]);
	close(server.alive[1]);
	if (server.reservations >= 0)
		close(server.reservations);
	docker_files_free(&server.files);
	state_free(&server.state);
	loop_free(server.loop);
	return status;
}
