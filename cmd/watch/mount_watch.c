#include "cmd/watch/mount_watch.h"

#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A mount table. */
struct table {
	int fd;
	struct mount_view view;
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

static int table_open(struct error *error)
{
	const int fd = netns_mounts_open();
	if (fd < 0)
		error_set(error, -fd, "the mount table: %s", strerror(-fd));
	return fd;
}

static void table_close(struct table *table)
{
	if (table->fd >= 0)
		close(table->fd);
	netns_mounts_free(table->mounts);
	*table = (struct table){.fd = -1};
}

static const struct netns_mounts *table_read(struct table *table)
{
	struct pollfd poller = {.fd = table->fd, .events = POLLPRI};
	if (poll(&poller, 1, 0) == 0 && table->mounts)
		return table->mounts;
	netns_mounts_free(table->mounts);
	table->mounts = netns_mounts_read(table->fd);
	return table->mounts;
}

struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error)
{
	struct mounts *mounts = memory_new(1, sizeof(*mounts));
	*mounts = (struct mounts){
		.loop = loop, .fd = table_open(error), .changed = changed, .data = data};
	mounts->own.fd = mounts->fd < 0 ? -1 : table_open(error);
	mounts->first.fd = -1;
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

/* Reading another file could wait. */
static bool is_of_proc(int fd)
{
	struct statfs statfs;
	return fd >= 0 && fstatfs(fd, &statfs) == 0 && statfs.f_type == PROC_SUPER_MAGIC;
}

const struct netns_mounts *mounts_table_of(struct mounts *mounts, const struct mount_view *view,
					   int table)
{
	struct mount_view own;
	if (mount_view_read("self", &own) && mount_view_same(&own, view))
		return table_read(&mounts->own);
	if (mounts->first.fd >= 0 && mount_view_same(&mounts->first.view, view))
		return table_read(&mounts->first);
	const int copy = is_of_proc(table) ? fcntl(table, F_DUPFD_CLOEXEC, 0) : -1;
	if (copy < 0)
		return NULL;
	table_close(&mounts->first);
	mounts->first = (struct table){.fd = copy, .view = *view};
	return table_read(&mounts->first);
}
