/* An epoll loop: descriptors and timers, each with a callback. */
#ifndef LIB_EVENT_LOOP_H
#define LIB_EVENT_LOOP_H

#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void loop_ready(void *data, int fd, uint32_t events);
typedef void loop_fire(void *data);

/* A timer lies in its owner's memory; it is set by loop_timer_set alone. */
struct timer {
	loop_fire *fire;
	void *data;
	int64_t due; /* clock_microseconds(); 0: not set */
	struct timer *next;
};

/* Returns NULL with an error. */
struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* Watches a descriptor (EPOLLIN, EPOLLPRI, ...); it stays its owner's. For one that is watched
 * already, changes what for. Returns 0 or a negative errno. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_ready *ready, void *data,
	     struct error *error);
void loop_remove(struct loop *loop, int fd);

/* Fires once, so many milliseconds from now; negative: unsets it. */
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t milliseconds);

/* Calls `idle` after each pass of callbacks, and before it waits for the first time. Returns
 * when loop_stop was called; or a negative errno. */
int loop_run(struct loop *loop, loop_fire *idle, void *data, struct error *error);
void loop_stop(struct loop *loop);

#endif
