/* Checks whether containers' names in /run/netns and paths still lead to the same namespaces. A
 * change of the mount table can concern each name, and namespaces of other programs come and go all
 * the time. The first change is checked at once, those after it together. */
#include "cmd/watch/internal.h"
#include "lib/clock.h"

#include <stdio.h>
#include <sys/stat.h>

/* Whether the container's name leads to another namespace than before, or to none; or to one, if it
 * did not. */
static bool container_moved(const struct live *live, const struct container_lookup *lookup)
{
	char path[4096];
	struct stat stat_now;
	const char *source = lookup->container->source;
	snprintf(path, sizeof(path), "%s%s", source[0] == '/' ? "" : "/run/netns/", source);
	const bool is_there = stat(path, &stat_now) == 0;
	if (lookup->state == CONTAINER_READY)
		return !is_there || stat_now.st_ino != lookup->ns->inode;
	return is_there && stat_now.st_dev == live->namespaces[0]->device;
}

static void names_check(struct service *service)
{
	for (size_t i = 0; service->live && i < service->live->n_containers; i++) {
		struct container_lookup *lookup = &service->live->container_lookups[i];
		if (lookup->container->source_kind != SOURCE_NETNS ||
		    !container_moved(service->live, lookup))
			continue;
		service_lookup_stale(service, lookup);
		service_replan(service);
	}
}

/* The part of the time that the names are not checked in, in multiples of a check. */
#define NAMES_PAUSE 50

void container_names_due(void *data)
{
	struct service *service = data;
	const int64_t start = clock_microseconds();
	names_check(service);
	const int64_t end = clock_microseconds();
	service->names_next = end + NAMES_PAUSE * (end - start);
}

void container_names_changed(struct service *service)
{
	const int64_t left = service->names_next - clock_microseconds();
	if (left <= 0)
		container_names_due(service);
	else if (!service->names_timer.due)
		loop_timer_set(service->loop, &service->names_timer, left / 1000 + 1);
}
