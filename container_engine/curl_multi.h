/* Runs libcurl's multi interface in the caller's event loop. */
#ifndef CONTAINER_ENGINE_CURL_MULTI_H
#define CONTAINER_ENGINE_CURL_MULTI_H

#include "container_engine/libcurl.h"

#include <stdint.h>

struct curl_loop {
	void *data;
	/* As in struct engine_loop. */
	void (*watch)(void *data, int fd, uint32_t events);
	int64_t due; /* when libcurl's time-out expires, in milliseconds of clock_milliseconds(); 0:
			none */
};

/* Creates a handle whose descriptors and time-out are passed to the loop, which must outlive it.
 * Never NULL; the caller ends it with multi_cleanup. */
CURLM *curl_multi_new(struct curl_loop *loop);

#endif
