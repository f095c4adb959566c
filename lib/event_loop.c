#include "lib/event_loop.h"

#include "lib/clock.h"
#include "lib/memory.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

struct source {
	int fd;
	loop_ready *ready; /* NULL: removed, to be freed after the pass */
	void *data;
	struct source *next;
};

struct loop {
	int epoll;
	struct source *sources;
	struct timer *timers;
	bool stopped;
};

struct loop *loop_new(struct error *error)
{
	struct loop *loop = memory_new(1, sizeof(*loop));
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		return loop;
	error_set(error, errno, "cannot create an epoll instance: %s", strerror(errno));
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (struct source *source = loop->sources, *next; source; source = next) {
		next = source->next;
		free(source);
	}
	close(loop->epoll);
	free(loop);
}

static struct source *source_find(struct loop *loop, int fd)
{
	for (struct source *source = loop->sources; source; source = source->next)
		if (source->fd == fd && source->ready)
			return source;
	return NULL;
}

static struct source *source_new(struct loop *loop)
{
	struct source *source = memory_new(1, sizeof(*source));
	source->next = loop->sources;
	loop->sources = source;
	return source;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_ready *ready, void *data,
	     struct error *error)
{
	struct source *source = source_find(loop, fd);
	int operation = source ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (!source)
		source = source_new(loop);
	*source = (struct source){.fd = fd, .ready = ready, .data = data, .next = source->next};
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(loop->epoll, operation, fd, &event) == 0)
		return 0;
	source->ready = NULL;
	return error_set(error, errno, "cannot watch a descriptor: %s", strerror(errno));
}

void loop_remove(struct loop *loop, int fd)
{
	struct source *source = source_find(loop, fd);
	if (!source)
		return;
	source->ready = NULL;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void timer_unset(struct loop *loop, struct timer *timer)
{
	struct timer **at = &loop->timers;
	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->due = 0;
}

/* The list is sorted by due time. */
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t milliseconds)
{
	timer_unset(loop, timer);
	if (milliseconds < 0)
		return;
	timer->due = clock_microseconds() + milliseconds * 1000;
	struct timer **at = &loop->timers;
	while (*at && (*at)->due <= timer->due)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

/* Rounded up, since a wait that ends early would have to be repeated. */
static int wait_milliseconds(const struct loop *loop)
{
	if (!loop->timers)
		return -1;
	int64_t left = (loop->timers->due - clock_microseconds() + 999) / 1000;
	if (left <= 0)
		return 0;
	return left >= INT_MAX ? INT_MAX : (int)left;
}

static void timers_fire(struct loop *loop)
{
	int64_t now = clock_microseconds();
	while (loop->timers && loop->timers->due <= now) {
		struct timer *timer = loop->timers;
		timer_unset(loop, timer);
		timer->fire(timer->data);
	}
}

static void sources_collect(struct loop *loop)
{
	for (struct source **at = &loop->sources; *at;) {
		struct source *source = *at;
		if (source->ready) {
			at = &source->next;
			continue;
		}
		*at = source->next;
		free(source);
	}
}

static int events_wait(struct loop *loop, int milliseconds, struct error *error)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, milliseconds);
	if (count < 0 && errno != EINTR)
		return error_set(error, errno, "cannot wait for events: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		const struct source *source = events[i].data.ptr;
		if (source->ready)
			source->ready(source->data, source->fd, events[i].events);
	}
	timers_fire(loop);
	sources_collect(loop);
	return 0;
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll;
}

void loop_dispatch(struct loop *loop)
{
	struct error ignored;
	(void)events_wait(loop, 0, &ignored);
}

int loop_run(struct loop *loop, loop_fire *idle, void *data, struct error *error)
{
	idle(data);
	while (!loop->stopped) {
		int status = events_wait(loop, wait_milliseconds(loop), error);
		if (status < 0)
			return status;
		idle(data);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
