/* Runs jobs in several threads. */
#ifndef LIB_THREAD_POOL_H
#define LIB_THREAD_POOL_H

#include <stddef.h>

/* One piece of the work, by its number. */
typedef void pool_work(void *data, size_t number);

/* Does the pieces 0 to count - 1, each once and in no order, and returns when all are done. This
 * thread is one of the workers, so that the work goes on when no other can be had. A thread may end
 * in another network namespace than it began in: this one is the caller's to take back. */
void pool_run(size_t count, size_t threads, pool_work *work, void *data);
/* Allows as many descriptors as may be had: every namespace and process takes one or two. */
void pool_raise_limit(void);
/* To be called before threads open so many descriptors: where several share the table, it waits for
 * a grace period of the kernel each time it grows (expand_fdtable). `fd`: any that is open. */
void pool_make_room(int fd, size_t descriptors);
/* How many threads can work at once on this machine. */
size_t pool_processors(void);

#endif
