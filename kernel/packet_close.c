#include "kernel/packet_close.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void packet_sockets_add(struct packet_sockets *sockets, int fd)
{
	if (fd < 0)
		return;
	if (sockets->count == PACKET_SOCKETS_MAX)
		packet_sockets_close(sockets);
	sockets->fds[sockets->count++] = fd;
}

static void all_close(const struct packet_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->fds[i]);
}

static void *closer_thread(void *data)
{
	struct packet_sockets *sockets = data;
	all_close(sockets);
	free(sockets);
	return NULL;
}

static bool thread_begin(const struct packet_sockets *sockets)
{
	pthread_t thread;
	pthread_attr_t attributes;
	struct packet_sockets *copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	*copy = *sockets;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
	const bool begun = pthread_create(&thread, &attributes, closer_thread, copy) == 0;
	pthread_attr_destroy(&attributes);
	if (!begun)
		free(copy);
	return begun;
}

static int fd_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Linux 5.9. */
static bool range_close(int first, unsigned last)
{
#ifdef SYS_close_range
	return syscall(SYS_close_range, (unsigned)first, last, 0) == 0;
#else
	(void)first, (void)last;
	return false;
#endif
}

/* The end of the output and the release of the lock wait for the last copy of a descriptor. `kept`:
 * in ascending order. */
static bool others_close(const int *kept, size_t count)
{
	int next = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept[i] > next && !range_close(next, (unsigned)kept[i] - 1))
			return false;
		next = kept[i] + 1;
	}
	return range_close(next, UINT_MAX);
}

/* Keeps the sockets until the other process has closed its copies, and with them the other end of
 * the pipe. Their end, which waits, is that of this process. */
__attribute__((noreturn)) static void closer_process(const int *kept, size_t count, int pipe)
{
	char none;
	(void)prctl(PR_SET_NAME, "mvapply-close", 0, 0, 0);
	if (others_close(kept, count))
		(void)!read(pipe, &none, sizeof(none));
	_exit(0);
}

/* The copies here are not the last ones, so closing them does not wait. */
static bool process_begin(const struct packet_sockets *sockets)
{
	int ends[2], kept[PACKET_SOCKETS_MAX + 1];
	const size_t count = sockets->count;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	memcpy(kept, sockets->fds, count * sizeof(kept[0]));
	kept[count] = ends[0];
	qsort(kept, count + 1, sizeof(kept[0]), fd_compare);
	const pid_t child = fork();
	if (child == 0)
		closer_process(kept, count + 1, ends[0]);
	if (child > 0)
		all_close(sockets);
	close(ends[0]);
	close(ends[1]);
	return child > 0;
}

void packet_sockets_close(struct packet_sockets *sockets)
{
	if (!sockets->count)
		return;
	if (!(sockets->by_process ? process_begin(sockets) : thread_begin(sockets)))
		all_close(sockets);
	sockets->count = 0;
}
