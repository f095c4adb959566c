#include "dhcp/broker.h"

#include "dhcp/broker_server.h"
#include "dhcp/client.h"
#include "lib/clock.h"
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

/* How long an answer is waited for: the helper serves as many again, for who asked before. */
#define ANSWER_MS (2 * RUN_MS + 2000)

struct lessor {
	pid_t pid;             /* 0: the helper is known to be ready, or not to be */
	int socket;            /* -1: the helper could not be started, */
	char refusal[128];     /* and why */
	pthread_mutex_t mutex; /* guards the above */
};

__attribute__((format(printf, 2, 3))) static void refuse(struct lessor *lessor, const char *format,
							 ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(lessor->refusal, sizeof(lessor->refusal), format, args);
	va_end(args);
}

static void helper_lost(struct lessor *lessor, const char *what, int errnum)
{
	close(lessor->socket);
	lessor->socket = -1;
	refuse(lessor, "the helper cannot %s: %s", what, strerror(errnum));
}

/* It says once whether it could give up its rights; it ends if not. */
static void helper_hear(struct lessor *lessor)
{
	int errnum = EIO;
	ssize_t size;
	while ((size = recv(lessor->socket, &errnum, sizeof(errnum), 0)) < 0 && errno == EINTR)
		;
	if (size != sizeof(errnum) || errnum != 0) {
		(void)waitpid(lessor->pid, NULL, 0);
		helper_lost(lessor, "give up its rights", errnum);
	}
	lessor->pid = 0;
}

/* The socket of a helper that is ready, or -1. The first that asks waits for it. */
static int helper_socket(struct lessor *lessor)
{
	pthread_mutex_lock(&lessor->mutex);
	if (lessor->pid > 0)
		helper_hear(lessor);
	int fd = lessor->socket;
	pthread_mutex_unlock(&lessor->mutex);
	return fd;
}

static void helper_fork(struct lessor *lessor, int sockets[2], int program)
{
	lessor->socket = sockets[0];
	lessor->pid = fork();
	if (lessor->pid == 0) {
		close(sockets[0]);
		helper_serve(sockets[1], program);
	}
	if (lessor->pid < 0)
		helper_lost(lessor, "be started", errno);
	close(sockets[1]);
}

struct lessor *lessor_new(void)
{
	struct lessor *lessor = memory_new(1, sizeof(*lessor));
	int sockets[2], program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	lessor->socket = -1;
	pthread_mutex_init(&lessor->mutex, NULL);
	if (program < 0)
		refuse(lessor, "/proc/self/exe: %s", strerror(errno));
	else if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		refuse(lessor, "socketpair: %s", strerror(errno));
	else
		helper_fork(lessor, sockets, program);
	if (program >= 0)
		close(program);
	return lessor;
}

void lessor_free(struct lessor *lessor)
{
	if (!lessor)
		return;
	if (lessor->socket >= 0)
		close(lessor->socket);
	pthread_mutex_destroy(&lessor->mutex);
	free(lessor);
}

int lessor_descriptor(struct lessor *lessor)
{
	return helper_socket(lessor);
}

static int request_send(int socket, const struct dhcp_request *request, int netns, int answer)
{
	const int fds[2] = {netns, answer};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	struct dhcp_request copy = *request;
	struct iovec iov = {.iov_base = &copy, .iov_len = sizeof(copy)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void answer_fail(struct dhcp_answer *answer, const char *text)
{
	*answer = (struct dhcp_answer){.result = DHCP_FAILED};
	snprintf(answer->text, sizeof(answer->text), "%s", text);
}

int lessor_send(struct lessor *lessor, struct inquiry *inquiry)
{
	int pipe[2], helper = helper_socket(lessor);
	if (helper < 0) {
		answer_fail(&inquiry->answer, lessor->refusal);
		return -1;
	}
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		answer_fail(&inquiry->answer, strerror(errno));
		return -1;
	}
	int status = request_send(helper, &inquiry->request, inquiry->netns, pipe[1]);
	close(pipe[1]);
	if (status == 0)
		return pipe[0];
	close(pipe[0]);
	answer_fail(&inquiry->answer, strerror(-status));
	return -1;
}

/* Up to so many milliseconds. */
static bool wait_readable(int fd, int milliseconds)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	const int64_t end = clock_milliseconds() + milliseconds;
	int ready;
	while ((ready = poll(&polled, 1, milliseconds)) < 0 && errno == EINTR)
		milliseconds = clock_milliseconds() < end ? (int)(end - clock_milliseconds()) : 0;
	return ready > 0;
}

static bool answer_receive(int fd, int milliseconds, struct dhcp_answer *ret)
{
	const bool ready = wait_readable(fd, milliseconds);
	if (!ready)
		answer_fail(ret, "the helper that runs it does not answer");
	else if (read(fd, ret, sizeof(*ret)) != sizeof(*ret))
		answer_fail(ret, "the helper that runs it has ended");
	ret->text[sizeof(ret->text) - 1] = '\0';
	close(fd);
	return ready;
}

void lessor_receive(int fd, struct dhcp_answer *ret)
{
	(void)answer_receive(fd, 0, ret);
}

/* A helper that does not answer one inquiry is waited for no more. */
void lessor_ask(struct lessor *lessor, struct inquiry *inquiries, size_t count)
{
	int pending[CLIENTS_AT_ONCE], limit = ANSWER_MS;
	for (size_t i = 0; i < count + CLIENTS_AT_ONCE; i++) {
		int *slot = &pending[i % CLIENTS_AT_ONCE];
		if (i >= CLIENTS_AT_ONCE && i - CLIENTS_AT_ONCE < count && *slot >= 0 &&
		    !answer_receive(*slot, limit, &inquiries[i - CLIENTS_AT_ONCE].answer))
			limit = 0;
		*slot = i < count ? lessor_send(lessor, &inquiries[i]) : -1;
	}
}
