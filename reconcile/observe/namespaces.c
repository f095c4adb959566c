#include "lib/memory.h"
#include "lib/thread_pool.h"
#include "reconcile/observe/internal.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_lookup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

size_t *space_slot(const struct observer *observer, ino_t inode)
{
	for (size_t i = (size_t)inode * 0x9e3779b1u;; i++) {
		size_t *planned = &observer->table[i & (observer->table_size - 1)];
		if (!*planned || observer->spaces[*planned - 1].ns->inode == inode)
			return planned;
	}
}

void spaces_grow(struct observer *observer)
{
	observer->table_size = observer->table_size ? observer->table_size * 2 : 256;
	observer->table =
		arena_alloc(observer->live->arena, observer->table_size * sizeof(*observer->table));
	for (size_t i = 0; i < observer->n_spaces; i++)
		*space_slot(observer, observer->spaces[i].ns->inode) = i + 1;
}

struct space *space_add(struct observer *observer, struct live_ns *ns)
{
	struct space *space =
		array_push(observer->live->arena, observer->spaces, observer->n_spaces);
	*space = (struct space){.ns = ns, .target = NOBODY};
	*space_slot(observer, ns->inode) = observer->n_spaces;
	if (observer->n_spaces * 2 > observer->table_size)
		spaces_grow(observer);
	return space;
}

struct space *space_of(struct observer *observer, int fd, const struct stat *stat, const char *name)
{
	size_t *planned = space_slot(observer, stat->st_ino);
	if (!*planned)
		return space_add(observer, space_new(fd, stat, name));
	struct space *space = &observer->spaces[*planned - 1];
	if (space->ns->handle) {
		close(fd);
		return space;
	}
	space->ns->handle = ns_handle_new(fd);
	space->ns->dead = false;
	space_rename(space->ns, name);
	space->reopened = true;
	return space;
}

void unseen_add(struct observer *observer, const char *format, ...)
{
	struct live *live = observer->live;
	char text[600];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*array_push(live->arena, live->unseen, live->n_unseen) = arena_strdup(live->arena, text);
}

static struct space_wishes wishes_of(struct observer *observer, const struct space *space)
{
	struct space_wishes wishes = {0};
	for (size_t i = space->target; i != NOBODY; i = observer->next_target[i])
		*array_push(observer->live->arena, wishes.containers, wishes.n_containers) =
			observer->live->targets[i].container;
	return wishes;
}

static void space_failed(struct observer *observer, const struct space *space,
			 const struct error *error)
{
	for (size_t i = space->target; i != NOBODY; i = observer->next_target[i]) {
		struct target *target = &observer->live->targets[i];
		target->state = TARGET_FAILED;
		target->ns = NULL;
		target->code = error->code;
		target->reason = arena_strdup(observer->live->arena, error->text);
		target->hint = error->errnum == EPERM ? HINT_CAPABILITIES : NULL;
	}
	if (error->errnum == EMFILE || error->errnum == ENFILE)
		observer->starved = true;
	else if (space->target == NOBODY && !space->ns->crowded &&
		 (observer->everything || !space->process || error->errnum != EPERM))
		unseen_add(observer, "network namespace %s: %s", space->ns->name, error->text);
}

/* What is there stays as it is: nothing is done on the word of a part. */
static void space_crowded(struct observer *observer, const struct space *space)
{
	struct error error;
	error_set(&error, E2BIG, "network namespace %s has more %s than mvapply looks at",
		  space->ns->name, space->ns->crowded);
	error_code(&error, CODE_CROWDED);
	space_failed(observer, space, &error);
}

/* To read one space. Threads share nothing else that changes. */
struct reading {
	const struct space *space;
	int host_fd;
	struct space_wishes wishes;
	bool addr_proto;
	struct error *failure; /* NULL: none */
};

static void reading_do(void *data, size_t number)
{
	struct reading *reading = (struct reading *)data + number;
	struct error error;
	if (space_read(reading->space->ns, reading->host_fd, &reading->wishes, &reading->addr_proto,
		       &error) == 0)
		return;
	reading->failure = memory_new(1, sizeof(error));
	*reading->failure = error;
}

static struct reading *readings_list(struct observer *observer, size_t *ret_count)
{
	struct arena *arena = observer->live->arena;
	const int host_fd = observer->spaces[0].ns->handle->fd;
	struct reading *readings = arena_alloc(arena, observer->n_spaces * sizeof(*readings));
	*ret_count = 0;
	for (size_t i = 0; i < observer->n_spaces; i++) {
		const struct space *space = &observer->spaces[i];
		if (space->ns->stale && space->ns->handle)
			readings[(*ret_count)++] =
				(struct reading){.space = space,
						 .host_fd = host_fd,
						 .wishes = wishes_of(observer, space)};
	}
	return readings;
}

/* Gives the error of the host's own, which is everybody's. */
static int reading_settle(struct observer *observer, struct reading *reading, struct error *error)
{
	int status = 0;
	observer->live->addr_proto |= reading->addr_proto;
	if (reading->failure && reading->space->ns->host) {
		*error = *reading->failure;
		status = -error->errnum;
	} else if (reading->failure) {
		space_failed(observer, reading->space, reading->failure);
	} else if (reading->space->ns->crowded) {
		space_crowded(observer, reading->space);
	}
	free(reading->failure);
	return status;
}

int spaces_read(struct observer *observer, struct error *error)
{
	int status = 0;
	size_t count;
	struct reading *readings = readings_list(observer, &count);
	/* The host's own is the first, and this thread is in it: no other may need to enter it. */
	const size_t own = count && readings[0].space->ns->host;
	if (own)
		reading_do(readings, 0);
	pool_run(count - own, count < THREADS_FROM ? 1 : pool_processors(), reading_do,
		 readings + own);
	netns_return(observer->spaces[0].ns->handle->fd);
	for (size_t i = 0; i < count; i++) {
		int failed = reading_settle(observer, &readings[i], error);
		status = failed < 0 ? failed : status;
	}
	return status;
}
