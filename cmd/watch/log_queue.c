#include "cmd/watch/log_queue.h"

#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_SIZE ((size_t)256 << 10)

struct log_queue {
	int fd;
	bool own;       /* the descriptor belongs to the queue */
	bool is_socket; /* journald's */
	size_t used, lines, lost;
	size_t reported; /* number of lost lines that a queued line reports */
	char text[QUEUE_SIZE];
};

/* Other processes may share the open file, which must stay blocking for them: a pipe is opened
 * again. */
static int pipe_open(int fd)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

struct log_queue *log_queue_new(int fd)
{
	struct stat stat;
	struct log_queue *queue = memory_new(1, sizeof(*queue));
	const mode_t mode = fstat(fd, &stat) == 0 ? stat.st_mode : 0;
	queue->fd = S_ISFIFO(mode) ? pipe_open(fd) : -1;
	queue->own = queue->fd >= 0;
	if (!queue->own)
		queue->fd = fd;
	queue->is_socket = S_ISSOCK(mode);
	return queue;
}

void log_queue_free(struct log_queue *queue)
{
	if (queue->own)
		close(queue->fd);
	free(queue);
}

void log_queue_add(struct log_queue *queue, const char *line, size_t size)
{
	if (queue->lost || size > QUEUE_SIZE - queue->used) {
		queue->lost++;
		return;
	}
	memcpy(queue->text + queue->used, line, size);
	queue->used += size;
	queue->lines++;
}

size_t log_queue_lost(struct log_queue *queue)
{
	if (queue->used > QUEUE_SIZE / 2 || queue->reported)
		return 0;
	queue->reported = queue->lost;
	queue->lost = 0;
	return queue->reported;
}

/* A write of up to PIPE_BUF to a pipe that poll(2) calls writable does not wait (pipe_poll). */
static ssize_t some_write(const struct log_queue *queue)
{
	struct pollfd poller = {.fd = queue->fd, .events = POLLOUT};
	const size_t size = queue->used < PIPE_BUF ? queue->used : PIPE_BUF;
	if (queue->is_socket)
		return send(queue->fd, queue->text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&poller, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(queue->fd, queue->text, size);
}

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 0;
	for (size_t i = 0; i < size; i++)
		count += text[i] == '\n';
	return count;
}

/* The reader is gone, or the disk is full: later lines may succeed. */
static void queue_drop(struct log_queue *queue)
{
	queue->lost += queue->lines + queue->reported - (queue->reported > 0);
	queue->lines = queue->used = queue->reported = 0;
}

bool log_queue_write(struct log_queue *queue)
{
	while (queue->used) {
		const ssize_t written = some_write(queue);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN)
			return false;
		if (written < 0) {
			queue_drop(queue);
			break;
		}
		queue->lines -= count_lines(queue->text, (size_t)written);
		queue->used -= (size_t)written;
		memmove(queue->text, queue->text + written, queue->used);
		if (!queue->used)
			queue->reported = 0;
	}
	return true;
}

int log_queue_fd(const struct log_queue *queue)
{
	return queue->fd;
}
