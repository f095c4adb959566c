#include "lib/thread_pool.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS_MAX 256

struct pool {
	size_t count;
	pool_work *work;
	void *data;
	atomic_size_t next;
};

static void *worker(void *data)
{
	struct pool *pool = data;
	for (size_t i; (i = atomic_fetch_add(&pool->next, 1)) < pool->count;)
		pool->work(pool->data, i);
	return NULL;
}

void pool_run(size_t count, size_t threads, pool_work *work, void *data)
{
	pthread_t others[THREADS_MAX - 1];
	struct pool pool = {.count = count, .work = work, .data = data};
	size_t started = 0;
	while (started < THREADS_MAX - 1 && started + 1 < threads && started + 1 < count &&
	       pthread_create(&others[started], NULL, worker, &pool) == 0)
		started++;
	worker(&pool);
	for (size_t i = 0; i < started; i++)
		pthread_join(others[i], NULL);
}

static rlim_t descriptors_max; /* 0: unknown */

void pool_raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	descriptors_max = limit.rlim_cur;
	if (limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		descriptors_max = limit.rlim_cur;
}

bool pool_is_last_descriptor(int fd)
{
	return descriptors_max && (rlim_t)fd >= descriptors_max - 1;
}

void pool_make_room(int fd, size_t descriptors)
{
	int last = fcntl(fd, F_DUPFD_CLOEXEC, descriptors < INT_MAX ? (int)descriptors : INT_MAX);
	if (last >= 0)
		close(last);
}

size_t pool_processors(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}
