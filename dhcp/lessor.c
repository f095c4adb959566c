#include "dhcp/lessor.h"

#include "base/clock.h"
#include "base/memory.h"
#include "dhcp/client.h"
#include "dhcp/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Inquiries that are under way at once: a descriptor each. */
#define WINDOW 32

/* How long an answer is waited for: the helper serves as many again, for who asked before. */
#define ANSWER_MS (2 * RUN_MS + 2000)

struct lessor {
	int socket;
};

static int lessor_fork(struct lessor *lessor, int sockets[2], int program, struct error *error)
{
	pid_t pid = fork();
	if (pid < 0)
		return error_set(error, errno, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(sockets[0]);
		helper_serve(sockets[1], program);
	}
	lessor->socket = sockets[0];
	return 0;
}

struct lessor *lessor_new(struct error *error)
{
	int sockets[2], program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (program < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
		error_set(error, errno, "%s: %s", program < 0 ? "/proc/self/exe" : "socketpair",
			  strerror(errno));
		if (program >= 0)
			close(program);
		return NULL;
	}
	struct lessor *lessor = memory_new(1, sizeof(*lessor));
	int status = lessor_fork(lessor, sockets, program, error);
	close(program);
	close(sockets[1]);
	if (status == 0)
		return lessor;
	close(sockets[0]);
	free(lessor);
	return NULL;
}

void lessor_free(struct lessor *lessor)
{
	if (!lessor)
		return;
	close(lessor->socket);
	free(lessor);
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
	int pipe[2];
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		answer_fail(&inquiry->answer, strerror(errno));
		return -1;
	}
	int status = request_send(lessor->socket, &inquiry->request, inquiry->netns, pipe[1]);
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
	int pending[WINDOW], limit = ANSWER_MS;
	for (size_t i = 0; i < count + WINDOW; i++) {
		int *slot = &pending[i % WINDOW];
		if (i >= WINDOW && i - WINDOW < count && *slot >= 0 &&
		    !answer_receive(*slot, limit, &inquiries[i - WINDOW].answer))
			limit = 0;
		*slot = i < count ? lessor_send(lessor, &inquiries[i]) : -1;
	}
}
