/* The sets that the service keeps: it has the name of each, so that others know of it. */
#include "base/memory.h"
#include "cmd/keeper.h"
#include "cmd/service/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many runs of apply and delete may be at work at once, with a look when each ends. */
#define GUESTS_MAX 64

struct service_kept {
	char *set;
	int fd; /* -1: somebody who is not to be trusted has the name */
	struct service_kept *next;
};

static struct service_kept **kept_find(struct service *service, const char *set)
{
	struct service_kept **at = &service->kept;
	while (*at && strcmp((*at)->set, set) != 0)
		at = &(*at)->next;
	return at;
}

/* Its work is over: what it did in namespaces that the service does not know, nothing else tells.
 */
static void guest_left(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	(void)events;
	loop_remove(service->loop, fd);
	close(fd);
	service->n_guests--;
	service->wide = service->dirty = true;
}

static void guest_arrived(void *data, int fd, uint32_t events)
{
	struct service *service = data;
	struct error error;
	(void)events;
	int guest = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (guest < 0)
		return;
	if (!peer_trusted(guest) || service->n_guests == GUESTS_MAX) {
		close(guest);
		return;
	}
	keeper_answer(guest, service->options);
	if (loop_add(service->loop, guest, EPOLLIN, guest_left, service, &error) == 0)
		service->n_guests++;
	else
		close(guest);
}

static void kept_drop(struct service *service, struct service_kept **at)
{
	struct service_kept *kept = *at;
	*at = kept->next;
	if (kept->fd >= 0) {
		loop_remove(service->loop, kept->fd);
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
			  "cannot take the name @mvapply-watch/%s (%s): applies of the set \"%s\" "
			  "do not say that it is kept",
			  set, strerror(-fd), set);
	else if (loop_add(service->loop, fd, EPOLLIN, guest_arrived, service, &error) < 0)
		log_error(&service->log, LEVEL_WARNING, NULL, &error);
}

static int set_taken(const char *set, const struct keeper *keeper, struct error *error)
{
	char text[KEEPER_TEXT_SIZE];
	error_set(error, EADDRINUSE, "the set \"%s\" is kept by %.300s", set,
		  keeper_text(keeper, text));
	error_hint(error, "end that one, or give the sets other names (`name:`)");
	return error_code(error, CODE_SET_KEPT);
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
			close(keeper.fd);
			return set_taken(set, &keeper, error);
		}
		kept_add(service, set, fd);
	}
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
}
