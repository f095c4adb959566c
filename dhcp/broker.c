#include "dhcp/broker.h"

#include "dhcp/broker_server.h"
#include "dhcp/client.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd_message.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The time limit of an answer: the broker may serve a full set of earlier requests first. */
#define ANSWER_MS (2 * RUN_MS + 2000)

struct dhcp_broker {
	pid_t pid;             /* 0: the state of the broker process is known */
	int socket;            /* -1: the broker process could not be started, */
	char refusal[128];     /* for this reason */
	pthread_mutex_t mutex; /* guards the members above */
};

__attribute__((format(printf, 2, 3))) static void refuse(struct dhcp_broker *broker,
							 const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(broker->refusal, sizeof(broker->refusal), format, args);
	va_end(args);
}

static void broker_lost(struct dhcp_broker *broker, const char *what, int errnum)
{
	close(broker->socket);
	broker->socket = -1;
	refuse(broker, "the DHCP broker cannot %s: %s", what, strerror(errnum));
}

/* Reads the first message of the broker process: 0 if its privileges were dropped; otherwise it
 * ends. */
static void broker_read(struct dhcp_broker *broker)
{
	int errnum = EIO;
	ssize_t size;
	while ((size = recv(broker->socket, &errnum, sizeof(errnum), 0)) < 0 && errno == EINTR)
		;
	if (size != sizeof(errnum) || errnum != 0) {
		(void)waitpid(broker->pid, NULL, 0);
		broker_lost(broker, "drop its capabilities", errnum);
	}
	broker->pid = 0;
}

/* The socket of a ready broker process, or -1. The first caller waits until it is ready. */
static int broker_socket(struct dhcp_broker *broker)
{
	pthread_mutex_lock(&broker->mutex);
	if (broker->pid > 0)
		broker_read(broker);
	int fd = broker->socket;
	pthread_mutex_unlock(&broker->mutex);
	return fd;
}

static void broker_fork(struct dhcp_broker *broker, int sockets[2], int program)
{
	broker->socket = sockets[0];
	broker->pid = fork();
	if (broker->pid == 0) {
		close(sockets[0]);
		broker_serve(sockets[1], program);
	}
	if (broker->pid < 0)
		broker_lost(broker, "be started", errno);
	close(sockets[1]);
}

struct dhcp_broker *dhcp_broker_new(void)
{
	struct dhcp_broker *broker = memory_new(1, sizeof(*broker));
	cleanup_close int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int sockets[2];
	broker->socket = -1;
	pthread_mutex_init(&broker->mutex, NULL);
	if (program < 0)
		refuse(broker, "/proc/self/exe: %s", strerror(errno));
	else if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		refuse(broker, "socketpair: %s", strerror(errno));
	else
		broker_fork(broker, sockets, program);
	return broker;
}

void dhcp_broker_free(struct dhcp_broker *broker)
{
	if (!broker)
		return;
	if (broker->socket >= 0)
		close(broker->socket);
	pthread_mutex_destroy(&broker->mutex);
	free(broker);
}

int dhcp_broker_descriptor(struct dhcp_broker *broker)
{
	return broker_socket(broker);
}

static int request_send(int socket, const struct dhcp_request *request, int netns, int answer)
{
	const int fds[] = {netns, answer};
	return fd_message_send(socket, request, sizeof(*request), fds, 2, MSG_DONTWAIT) < 0 ? -errno
											    : 0;
}

static void answer_fail(struct dhcp_answer *answer, const char *text)
{
	*answer = (struct dhcp_answer){.result = DHCP_FAILED};
	snprintf(answer->text, sizeof(answer->text), "%s", text);
}

int dhcp_broker_send(struct dhcp_broker *broker, struct pending_request *pending_request)
{
	int ends[2];
	const int server = broker_socket(broker);
	if (server < 0) {
		answer_fail(&pending_request->answer, broker->refusal);
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		answer_fail(&pending_request->answer, strerror(errno));
		return -1;
	}
	cleanup_close int answer = ends[0], server_end = ends[1];
	int status =
		request_send(server, &pending_request->request, pending_request->netns, server_end);
	if (status == 0)
		return fd_steal(&answer);
	answer_fail(&pending_request->answer, strerror(-status));
	return -1;
}

/* Waits up to that many milliseconds. */
static bool wait_readable(int fd, int milliseconds)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	const int64_t end = clock_milliseconds() + milliseconds;
	int ready;
	while ((ready = poll(&polled, 1, milliseconds)) < 0 && errno == EINTR)
		milliseconds = clock_milliseconds() < end ? (int)(end - clock_milliseconds()) : 0;
	return ready > 0;
}

static bool answer_receive(int answer, int milliseconds, struct dhcp_answer *ret)
{
	cleanup_close int fd = answer;
	const bool ready = wait_readable(fd, milliseconds);
	if (!ready)
		answer_fail(ret, "the DHCP broker does not answer");
	else if (read(fd, ret, sizeof(*ret)) != sizeof(*ret))
		answer_fail(ret, "the DHCP broker has exited");
	ret->text[sizeof(ret->text) - 1] = '\0';
	return ready;
}

void dhcp_broker_receive(int fd, struct dhcp_answer *ret)
{
	(void)answer_receive(fd, 0, ret);
}

/* A broker process that leaves one request unanswered gets no further ones. */
void dhcp_broker_request(struct dhcp_broker *broker, struct pending_request *pending_requests,
			 size_t count)
{
	int pending[CLIENTS_AT_ONCE], limit = ANSWER_MS;
	for (size_t i = 0; i < count + CLIENTS_AT_ONCE; i++) {
		int *slot = &pending[i % CLIENTS_AT_ONCE];
		if (i >= CLIENTS_AT_ONCE && i - CLIENTS_AT_ONCE < count && *slot >= 0 &&
		    !answer_receive(*slot, limit, &pending_requests[i - CLIENTS_AT_ONCE].answer))
			limit = 0;
		*slot = i < count ? dhcp_broker_send(broker, &pending_requests[i]) : -1;
	}
}
