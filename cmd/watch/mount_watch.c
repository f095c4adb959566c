#include "cmd/watch/mount_watch.h"

#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct mounts {
	struct loop *loop;
	int fd, table_fd;           /* the kernel reports a change once to each open file */
	struct netns_mounts *table; /* NULL: not read */
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
	const int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		error_set(error, errno, "/proc/self/mountinfo: %s", strerror(errno));
	return fd;
}

struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error)
{
	struct mounts *mounts = memory_new(1, sizeof(*mounts));
	*mounts = (struct mounts){
		.loop = loop, .fd = table_open(error), .changed = changed, .data = data};
	mounts->table_fd = mounts->fd < 0 ? -1 : table_open(error);
	/* proc(5): EPOLLPRI and EPOLLERR report a change; reporting it resets both. */
	if (mounts->table_fd >= 0 &&
	    loop_add(loop, mounts->fd, EPOLLPRI, ready, mounts, error) == 0)
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
	if (mounts->table_fd >= 0)
		close(mounts->table_fd);
	netns_mounts_free(mounts->table);
	free(mounts);
}

const struct netns_mounts *mounts_table(struct mounts *mounts)
{
	struct pollfd poller = {.fd = mounts->table_fd, .events = POLLPRI};
	if (mounts->table && poll(&poller, 1, 0) == 0)
		return mounts->table;
	netns_mounts_free(mounts->table);
	mounts->table = netns_mounts_read();
	return mounts->table;
}
