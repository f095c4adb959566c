/* The sets that the service keeps. It binds the socket name of each, by which others detect it. */
#include "cmd/service_query.h"
#include "cmd/service_socket.h"
#include "cmd/watch/internal.h"
#include "kernel/net_admin_proof.h"
#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd_message.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The limit of concurrent runs of apply and delete; an observation follows when each ends. */
#define CLIENTS_MAX 64

/* The same of those of its user that have not proved yet that they may change the network: one more
 * takes the place of the oldest. */
#define UNPROVEN_MAX 8

/* The minimum time for which a set is left to a service that has ended and may be restarted. */
#define TAKE_OVER_MS 2000

/* A client: a process that changes the set, waits for it, or has a query. */
struct client {
	struct service *service;
	struct service_kept *kept;
	int fd;
	bool trusted;  /* false: it has to prove first that it may change the network */
	int64_t since; /* in microseconds */
	bool queries;  /* it changes nothing, or what the kernel reports */
	struct client *next;
};

struct service_kept {
	char *set; /* NULL: the files' contents */
	int fd;    /* -1: an untrusted process has the name */
	struct client *clients;
	struct service_kept *next;
};

static struct service_kept **kept_find(struct service *service, const char *set)
{
	struct service_kept **at = &service->kept;
	while (*at && strcmp((*at)->set, set) != 0)
		at = &(*at)->next;
	return at;
}

static void client_drop(struct client **at)
{
	struct client *client = *at;
	*at = client->next;
	loop_remove(client->service->clients, client->fd);
	close(client->fd);
	client->service->n_clients--;
	free(client);
}

/* A run that has ended may have changed namespaces that the service does not know, and no event
 * reports those. */
static void client_disconnected(struct client *client)
{
	struct client **at = &client->kept->clients;
	struct service *service = client->service;
	const bool changed = client->trusted && !client->queries;
	while (*at != client)
		at = &(*at)->next;
	client_drop(at);
	service->wide |= changed;
	if (changed)
		service_replan(service);
}

static bool client_prove(struct client *client, const char *message, int proof)
{
	if (strcmp(message, KEEPER_PROOF) != 0)
		return false;
	if (!client->trusted && net_admin_proof_valid(proof)) {
		client->trusted = true;
		keeper_answer(client->fd, client->service->options);
	}
	return client->trusted;
}

/* Returns whether the connection stays. */
static bool client_handle(struct client *client, char *message, int passed)
{
	if (client_prove(client, message, passed))
		return true;
	client->queries = true;
	return client->trusted && service_answer(client->service, client->fd, message, passed);
}

static void client_ready(void *data, int fd, uint32_t events)
{
	struct client *client = data;
	char message[SERVICE_QUERY_SIZE];
	int passed;
	(void)events;
	const ssize_t size = fd_message_receive(fd, message, sizeof(message) - 1, &passed, 1);
	cleanup_close const int fd_passed = passed;
	message[size > 0 ? size : 0] = '\0';
	if (size <= 0 || !client_handle(client, message, fd_passed))
		client_disconnected(client);
}

/* Takes the connection over. */
static void client_add(struct service *service, struct service_kept *kept, int connection,
		       bool trusted)
{
	struct error error;
	cleanup_close int fd = connection;
	struct client *client = memory_new(1, sizeof(*client));
	*client = (struct client){.service = service,
				  .kept = kept,
				  .fd = fd,
				  .trusted = trusted,
				  .since = clock_microseconds(),
				  .next = kept->clients};
	if (loop_add(service->clients, fd, EPOLLIN, client_ready, client, &error) < 0) {
		free(client);
		return;
	}
	(void)fd_steal(&fd);
	kept->clients = client;
	service->n_clients++;
}

static struct service_kept *kept_of(const struct service *service, int fd)
{
	struct service_kept *kept = service->kept;
	if (service->files && service->files->fd == fd)
		return service->files;
	while (kept->fd != fd)
		kept = kept->next;
	return kept;
}

/* The clients of a name that have not proved anything yet: their number, and the one that has been
 * connected longest. */
struct unproven {
	size_t count;
	struct client *oldest;
};

static void unproven_add(struct unproven *unproven, const struct service_kept *kept)
{
	for (struct client *client = kept ? kept->clients : NULL; client; client = client->next) {
		if (client->trusted)
			continue;
		unproven->count++;
		if (!unproven->oldest || client->since < unproven->oldest->since)
			unproven->oldest = client;
	}
}

/* Whoever may change the network proves it as soon as it has connected. */
static void unproven_limit(const struct service *service)
{
	struct unproven unproven = {0};
	unproven_add(&unproven, service->files);
	for (const struct service_kept *kept = service->kept; kept; kept = kept->next)
		unproven_add(&unproven, kept);
	if (unproven.count >= UNPROVEN_MAX)
		client_disconnected(unproven.oldest);
}

static void client_accept(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	(void)events;
	cleanup_close int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct service_kept *kept = kept_of(service, fd);
	const bool trusted = client >= 0 && peer_trusted(client);
	if (client < 0 || (!trusted && peer_user(client) != geteuid()))
		return;
	if (!trusted)
		unproven_limit(service);
	if (service->n_clients == CLIENTS_MAX)
		return;
	(void)setsockopt(client, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ABSTRACT_MESSAGE_MAX},
			 sizeof(int));
	if (trusted)
		keeper_answer(client, service->options);
	client_add(service, kept, fd_steal(&client), trusted);
}

static void kept_drop(struct service *service, struct service_kept **at)
{
	struct service_kept *kept = *at;
	*at = kept->next;
	while (kept->clients) /* the client may have taken over the set */
		client_drop(&kept->clients);
	if (kept->fd >= 0) {
		loop_remove(service->clients, kept->fd);
		close(kept->fd);
	}
	free(kept->set);
	free(kept);
}

static void kept_add(struct service *service, const char *set, int fd)
{
	struct error error;
	struct service_kept *kept = memory_new(1, sizeof(*kept));
	*kept = (struct service_kept){
		.set = memory_or_die(strdup(set)), .fd = fd, .next = service->kept};
	service->kept = kept;
	if (fd < 0)
		log_write(&service->log, LEVEL_WARNING,
			  "cannot listen at @mvapply-watch/%s (%s): an apply of the set \"%s\" "
			  "does not warn that this service manages it",
			  set, strerror(-fd), set);
	else if (loop_add(service->clients, fd, EPOLLIN, client_accept, service, &error) < 0)
		log_error(&service->log, LEVEL_WARNING, NULL, &error);
}

/* Listens at the name of the contents that are in use now. Without it, a client reads the files
 * itself. */
static void files_offer(struct service *service)
{
	struct error ignored;
	if (service->files)
		kept_drop(service, &service->files);
	const int fd = files_keeper_listen(service->content);
	if (fd < 0)
		return;
	service->files = memory_new(1, sizeof(*service->files));
	*service->files = (struct service_kept){.fd = fd};
	(void)loop_add(service->clients, fd, EPOLLIN, client_accept, service, &ignored);
}

static int set_keeper_report(const char *set, const struct keeper *keeper, struct error *error)
{
	char text[KEEPER_TEXT_SIZE];
	error_set(error, EADDRINUSE, "the set \"%s\" is already managed by %.300s", set,
		  keeper_text(keeper, text));
	error_hint(error, "stop that service, or give the sets other names (`name:`)");
	return error_code(error, CODE_SET_KEPT);
}

void service_wait_end(struct service *service)
{
	loop_timer_set(service->loop, &service->take_over, -1);
	if (service->other_keeper < 0)
		return;
	loop_remove(service->loop, service->other_keeper);
	close(service->other_keeper);
	service->other_keeper = -1;
}

/* The service has ended, or its files do not declare the set any more; or it has too many
 * clients. */
static void keeper_disconnected(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	(void)fd;
	(void)events;
	service_wait_end(service);
	const int64_t pause = retry_delay(++service->refusals);
	loop_timer_set(service->loop, &service->take_over,
		       pause > TAKE_OVER_MS ? pause : TAKE_OVER_MS);
}

/* Takes the connection over: its end means that another try may succeed. */
static void keeper_wait(struct service *service, int connection)
{
	struct error error;
	cleanup_close int fd = connection;
	service_wait_end(service);
	if (loop_add(service->loop, fd, EPOLLIN, keeper_disconnected, service, &error) == 0)
		service->other_keeper = fd_steal(&fd);
}

int service_keep(struct service *service, const struct desired *desired, struct error *error)
{
	for (size_t i = 0; i < desired->n_sets; i++) {
		const char *set = desired->sets[i].name;
		struct keeper keeper;
		if (*kept_find(service, set))
			continue;
		int fd = keeper_listen(set);
		if (fd == -EADDRINUSE && keeper_find(set, &keeper)) {
			keeper_wait(service, keeper.fd);
			return set_keeper_report(set, &keeper, error);
		}
		kept_add(service, set, fd);
	}
	files_offer(service);
	return 0;
}

static bool has_set(const struct desired *desired, const char *set)
{
	for (size_t i = 0; desired && i < desired->n_sets; i++)
		if (strcmp(desired->sets[i].name, set) == 0)
			return true;
	return false;
}

void service_keep_only(struct service *service, const struct desired *desired)
{
	for (struct service_kept **at = &service->kept; *at;)
		if (has_set(desired, (*at)->set))
			at = &(*at)->next;
		else
			kept_drop(service, at);
	if (!desired && service->files)
		kept_drop(service, &service->files);
}
