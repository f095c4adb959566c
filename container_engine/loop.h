/* The interface to the caller's epoll loop, which runs requests to engines. */
#ifndef CONTAINER_ENGINE_LOOP_H
#define CONTAINER_ENGINE_LOOP_H

#include <stdint.h>

struct engine_loop {
	void *data;
	/* Watch the descriptor for these events (EPOLLIN, EPOLLOUT) from now on; 0: no longer. */
	void (*watch)(void *data, int fd, uint32_t events);
	/* Call engines_timeout once after that many milliseconds; -1: cancel the timer. */
	void (*timer)(void *data, long milliseconds);
};

#endif
