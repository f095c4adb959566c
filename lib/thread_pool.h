/* Runs jobs in parallel threads. */
#ifndef LIB_THREAD_POOL_H
#define LIB_THREAD_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* One job, identified by its number. */
typedef void pool_work(void *data, size_t number);

/* Runs the jobs 0 to count - 1, each once and in no particular order, and returns when all are
 * done. The calling thread is one of the workers, so the jobs run even if no other thread can be
 * created. A job may leave its thread in another network namespace: the caller moves the calling
 * thread back. */
void pool_run(size_t count, size_t threads, pool_work *work, void *data);
/* Raises the descriptor limit to its hard limit: every namespace and process takes one or two. */
void pool_raise_limit(void);
/* Whether no other descriptor can be opened, as the kernel assigns the lowest free number. False
 * before pool_raise_limit. */
bool pool_is_last_descriptor(int fd);
/* Call it before threads open that many descriptors: if several threads share the descriptor table,
 * each growth of it waits for an RCU grace period (expand_fdtable). `fd`: any open descriptor. */
void pool_make_room(int fd, size_t descriptors);
/* The number of threads that can run in parallel on this machine. */
size_t pool_processors(void);

#endif
