/* An epoll loop: descriptors and timers, each with a callback. */
#ifndef LIB_EVENT_LOOP_H
#define LIB_EVENT_LOOP_H

#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void loop_ready(void *data, int fd, uint32_t events);
typedef void loop_fire(void *data);

/* The owner allocates the timer; only loop_timer_set changes it. */
struct timer {
	loop_fire *fire;
	void *data;
	int64_t due; /* clock_microseconds(); 0: not set */
	struct timer *next;
};

/* Returns NULL with an error. */
struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* Watches a descriptor for events (EPOLLIN, EPOLLPRI, ...); the caller still owns it. If it is
 * watched already, its events are replaced. Returns 0 or a negative errno. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_ready *ready, void *data,
	     struct error *error);
void loop_remove(struct loop *loop, int fd);

/* Fires once after that many milliseconds; negative: disarms the timer. */
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t milliseconds);

/* Readable when one of the loop's descriptors is ready, so that another loop can watch it. */
int loop_fd(const struct loop *loop);
/* Calls the callbacks of the ready descriptors and due timers, without waiting. */
void loop_dispatch(struct loop *loop);

/* Calls `idle` after each pass of callbacks, and before the first wait. Returns when loop_stop was
 * called; or a negative errno. */
int loop_run(struct loop *loop, loop_fire *idle, void *data, struct error *error);
void loop_stop(struct loop *loop);

#endif
