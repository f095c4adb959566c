#include "cmd/watch/mount_watch.h"

#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The mount table that a process sees. */
struct table {
	const char *process; /* "self" or an id */
	struct mount_view view;
	int fd;                      /* -1: not opened yet */
	struct netns_mounts *mounts; /* NULL: not read */
};

struct mounts {
	struct loop *loop;
	int fd; /* the kernel reports a change once to each open file */
	struct table own, first;
	mounts_changed *changed;
	void *data;
};

static void ready(void *data, int fd, uint32_t events)
{
	const struct mounts *mounts = data;
	(void)fd;
	(void)events;
	mounts->changed(mounts->data);
}

#define TABLE_FILE_SIZE 64

static const char *table_file(const struct table *table, char file[TABLE_FILE_SIZE])
{
	snprintf(file, TABLE_FILE_SIZE, "/proc/%s/mountinfo", table->process);
	return file;
}

static int table_open(const struct table *table, struct error *error)
{
	char file[TABLE_FILE_SIZE];
	const int fd = open(table_file(table, file), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		error_set(error, errno, "%s: %s", file, strerror(errno));
	return fd;
}

static void table_close(struct table *table)
{
	if (table->fd >= 0)
		close(table->fd);
	table->fd = -1;
	netns_mounts_free(table->mounts);
	table->mounts = NULL;
}

static const struct netns_mounts *table_read(struct table *table)
{
	char file[TABLE_FILE_SIZE];
	struct pollfd poller = {.fd = table->fd, .events = POLLPRI};
	if (table->mounts && poll(&poller, 1, 0) == 0)
		return table->mounts;
	netns_mounts_free(table->mounts);
	table->mounts = netns_mounts_read(table_file(table, file));
	return table->mounts;
}

struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error)
{
	struct mounts *mounts = memory_new(1, sizeof(*mounts));
	*mounts = (struct mounts){.loop = loop,
				  .own = {.process = "self", .fd = -1},
				  .first = {.process = "1", .fd = -1},
				  .changed = changed,
				  .data = data};
	mounts->fd = table_open(&mounts->own, error);
	mounts->own.fd = mounts->fd < 0 ? -1 : table_open(&mounts->own, error);
	/* proc(5): EPOLLPRI and EPOLLERR report a change; reporting it resets both. */
	if (mounts->own.fd >= 0 && loop_add(loop, mounts->fd, EPOLLPRI, ready, mounts, error) == 0)
		return mounts;
	mounts_free(mounts);
	return NULL;
}

void mounts_free(struct mounts *mounts)
{
	if (!mounts)
		return;
	if (mounts->fd >= 0) {
		loop_remove(mounts->loop, mounts->fd);
		close(mounts->fd);
	}
	table_close(&mounts->own);
	table_close(&mounts->first);
	free(mounts);
}

const struct netns_mounts *mounts_table(struct mounts *mounts)
{
	return table_read(&mounts->own);
}

/* An open file shows the mount namespace that the process had when it was opened. */
static bool table_renew(struct table *table, const struct mount_view *view)
{
	struct error ignored;
	if (table->fd >= 0 && mount_view_same(&table->view, view))
		return true;
	table_close(table);
	table->view = *view;
	table->fd = table_open(table, &ignored);
	return table->fd >= 0;
}

const struct netns_mounts *mounts_table_of(struct mounts *mounts, const struct mount_view *view)
{
	struct mount_view seen;
	if (mount_view_read(mounts->own.process, &seen) && mount_view_same(&seen, view))
		return table_read(&mounts->own);
	if (!mount_view_read(mounts->first.process, &seen) || !mount_view_same(&seen, view))
		return NULL;
	return table_renew(&mounts->first, view) ? table_read(&mounts->first) : NULL;
}
