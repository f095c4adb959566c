#include "container_engine/curl_multi.h"

#include "lib/clock.h"
#include "lib/memory.h"

#include <sys/epoll.h>

static int timer_take(CURLM *multi, long milliseconds, void *data)
{
	struct curl_loop *loop = data;
	(void)multi;
	loop->due = milliseconds < 0 ? 0 : clock_milliseconds() + milliseconds;
	return 0;
}

static int socket_take(CURL *easy, curl_socket_t fd, int what, void *data, void *per_socket)
{
	static const uint32_t flags[] = {[CURL_POLL_IN] = EPOLLIN,
					 [CURL_POLL_OUT] = EPOLLOUT,
					 [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
					 [CURL_POLL_REMOVE] = 0};
	const struct curl_loop *loop = data;
	(void)easy;
	(void)per_socket;
	loop->watch(loop->data, fd, flags[what]);
	return 0;
}

CURLM *curl_multi_new(struct curl_loop *loop)
{
	CURLM *multi = memory_or_die(libcurl.multi_init());
	libcurl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_take);
	libcurl.multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
	libcurl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_take);
	libcurl.multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
	return multi;
}
