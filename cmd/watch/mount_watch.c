#include "cmd/watch/mount_watch.h"

#include "lib/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct mounts {
	struct loop *loop;
	int fd;
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

struct mounts *mounts_new(struct loop *loop, mounts_changed *changed, void *data,
			  struct error *error)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_set(error, errno, "/proc/self/mountinfo: %s", strerror(errno));
		return NULL;
	}
	struct mounts *mounts = memory_new(1, sizeof(*mounts));
	*mounts = (struct mounts){.loop = loop, .fd = fd, .changed = changed, .data = data};
	/* proc(5): EPOLLPRI and EPOLLERR report a change; reporting it resets both. */
	if (loop_add(loop, fd, EPOLLPRI, ready, mounts, error) == 0)
		return mounts;
	mounts_free(mounts);
	return NULL;
}

void mounts_free(struct mounts *mounts)
{
	if (!mounts)
		return;
	loop_remove(mounts->loop, mounts->fd);
	close(mounts->fd);
	free(mounts);
}
