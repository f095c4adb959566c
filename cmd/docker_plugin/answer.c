#include "cmd/docker_plugin/answer.h"

#include "cmd/docker_plugin/calls.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SEND_MS 5000

static void bytes_send(int fd, const char *bytes, size_t size)
{
	while (size) {
		const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
		struct pollfd poller = {.fd = fd, .events = POLLOUT};
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (sent < 0 && errno == EAGAIN && poll(&poller, 1, SEND_MS) <= 0)
			return;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
}

void docker_answer_send(int fd, int code, json_t *answer)
{
	char head[256];
	cleanup_free char *body = json_dumps(answer, JSON_COMPACT);
	const size_t length = body ? strlen(body) : 0;
	const int size = snprintf(head, sizeof(head),
				  "HTTP/1.1 %d %s\r\n"
				  "Content-Type: application/vnd.docker.plugins.v1.1+json\r\n"
				  "Content-Length: %zu\r\n\r\n",
				  code, code == 200 ? "OK" : "Error", length);
	bytes_send(fd, head, (size_t)size);
	bytes_send(fd, body, length);
	json_decref(answer);
}

void docker_answer_failure(int fd, bool ipam, const struct error *error)
{
	docker_answer_send(fd, error->code == CODE_DOCKER_METHOD ? 404 : 200,
			   docker_call_failed(ipam, error));
}

void docker_answer_refusal(int fd, int code)
{
	struct error error;
	error_set(&error, EINVAL, "invalid HTTP request");
	error_code(&error, CODE_DOCKER_CALL);
	docker_answer_send(fd, code, docker_call_failed(false, &error));
}

void docker_answer_crash(int fd)
{
	struct error error;
	error_set(&error, EIO, "the plugin's worker has ended without an answer");
	docker_answer_send(fd, 500, docker_call_failed(false, &error));
}
