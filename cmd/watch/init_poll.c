/* Looks up the containers whose start and end nothing reports (reconcile/observe/init_lookup.h). A
 * look-up takes about 50 us. No timer runs without such containers. */
#include "cmd/watch/internal.h"
#include "reconcile/observe/init_lookup.h"
#include "reconcile/observe/netns_lookup.h"

#include <unistd.h>

#define POLL_MS 1000

static bool has_changed(const struct container_lookup *lookup, const struct lookup_result *now)
{
	if (now->state != lookup->state)
		return true;
	return now->state == CONTAINER_READY && now->stat.st_ino != lookup->ns->inode;
}

static void container_poll(struct service *service, struct container_lookup *lookup)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct live_ns *own = service->live->namespaces[0];
	const struct stat host = {.st_dev = own->device, .st_ino = own->inode};
	const struct lookup_result now =
		source_locate(arena, service->lookups, lookup->container, &host, NULL);
	if (now.fd >= 0)
		close(now.fd);
	if (!has_changed(lookup, &now))
		return;
	service_lookup_stale(service, lookup);
	service_replan(service);
}

static void poll_due(void *data)
{
	struct service *service = data;
	for (size_t i = 0; service->live && i < service->live->n_containers; i++) {
		struct container_lookup *lookup = &service->live->container_lookups[i];
		if (source_has_init(lookup->container->source_kind))
			container_poll(service, lookup);
	}
	service_init_poll(service);
}

void service_init_poll(struct service *service)
{
	bool any = false;
	for (size_t i = 0; service->live && i < service->live->n_containers; i++)
		any |= source_has_init(service->live->container_lookups[i].container->source_kind);
	service->init_poll.fire = poll_due;
	service->init_poll.data = service;
	if (!any || !service->init_poll.due)
		loop_timer_set(service->loop, &service->init_poll, any ? POLL_MS : -1);
}
