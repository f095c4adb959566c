#include "kernel/packet_close.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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
		close(fd);
	else
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
static void range_close(int first, unsigned last)
{
#ifdef SYS_close_range
	(void)syscall(SYS_close_range, (unsigned)first, last, 0);
#endif
}

/* The end of the output and the release of the lock wait for the last copy of a descriptor. */
static void others_close(const struct packet_sockets *sockets)
{
	int next = 0;
	for (size_t i = 0; i < sockets->count; i++) {
		if (sockets->fds[i] > next)
			range_close(next, (unsigned)sockets->fds[i] - 1);
		next = sockets->fds[i] + 1;
	}
	range_close(next, UINT_MAX);
}

/* Keeps the sockets until the thread that has forked it ends: the kernel kills it then. */
__attribute__((noreturn)) static void closer_process(const struct packet_sockets *sockets,
						     pid_t parent)
{
	(void)prctl(PR_SET_NAME, "mvapply-close", 0, 0, 0);
	others_close(sockets);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		(void)poll(NULL, 0, -1);
	_exit(0);
}

/* The parent's copies are not the last ones, so it does not wait when it closes them. */
static bool process_begin(struct packet_sockets *sockets)
{
	const pid_t parent = getpid();
	qsort(sockets->fds, sockets->count, sizeof(sockets->fds[0]), fd_compare);
	const pid_t child = fork();
	if (child == 0)
		closer_process(sockets, parent);
	if (child > 0)
		all_close(sockets);
	return child > 0;
}

void packet_sockets_close(struct packet_sockets *sockets, bool process_ends)
{
	if (!sockets->count)
		return;
	if (!(process_ends ? process_begin(sockets) : thread_begin(sockets)))
		all_close(sockets);
	sockets->count = 0;
}
