/* The caller's epoll loop, in which requests to engines run beside other work. */
#ifndef CONTAINER_ENGINE_LOOP_H
#define CONTAINER_ENGINE_LOOP_H

#include <stdint.h>

struct engine_loop {
	void *data;
	/* Watch the descriptor for these events (EPOLLIN, EPOLLOUT) from now on; 0: no longer. */
	void (*watch)(void *data, int fd, uint32_t events);
	/* Call engines_timeout once, so many milliseconds from now; -1: never mind. */
	void (*timer)(void *data, long milliseconds);
};

#endif
