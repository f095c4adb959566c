#include "dhcp/helper.h"

#include "base/capability.h"
#include "base/clock.h"
#include "dhcp/client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Clients at once. */
#define RUNS_MAX 32
/* What one may say. */
#define SAID_SIZE 4096
/* A client that does not end by itself is ended: a server may lead it on. */
#define RUN_MS 20000

struct run {
	pid_t pid; /* 0: none */
	struct dhcp_request request;
	int pipe, answer;
	int64_t end; /* milliseconds */
	bool told;   /* to end, having released */
	char said[SAID_SIZE];
	size_t used;
};

struct helper {
	int socket, program;
	struct stat host; /* the host's own network namespace */
	struct run runs[RUNS_MAX];
};

static struct run *run_free(struct helper *helper)
{
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (!helper->runs[i].pid)
			return &helper->runs[i];
	return NULL;
}

static bool link_valid(const char link[IFNAMSIZ])
{
	return *link && *link != '-' && memchr(link, '\0', IFNAMSIZ) && !strchr(link, '/');
}

static bool request_valid(const struct helper *helper, const struct dhcp_request *request,
			  int netns)
{
	struct stat stat;
	return link_valid(request->link) &&
	       memchr(request->host_name, '\0', sizeof(request->host_name)) &&
	       (!*request->host_name || host_name_valid(request->host_name)) &&
	       (request->addr.family == 0 || request->addr.family == AF_INET) &&
	       ioctl(netns, NS_GET_NSTYPE) == CLONE_NEWNET && fstat(netns, &stat) == 0 &&
	       (stat.st_ino != helper->host.st_ino || stat.st_dev != helper->host.st_dev);
}

static void answer_write(int fd, const struct dhcp_answer *answer)
{
	(void)!write(fd, answer, sizeof(*answer));
	close(fd);
}

static void answer_failed(int fd, const char *text)
{
	struct dhcp_answer answer = {.result = DHCP_FAILED};
	snprintf(answer.text, sizeof(answer.text), "%s", text);
	answer_write(fd, &answer);
}

static void run_begin(struct helper *helper, struct run *run, int netns)
{
	int pipe[2];
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		answer_failed(run->answer, strerror(errno));
		return;
	}
	run->pid = fork();
	if (run->pid == 0)
		client_become(&run->request, netns, pipe[1], helper->program);
	close(pipe[1]);
	if (run->pid < 0) {
		run->pid = 0;
		close(pipe[0]);
		answer_failed(run->answer, strerror(errno));
		return;
	}
	run->pipe = pipe[0];
	run->end = clock_milliseconds() + RUN_MS;
}

static void run_finish(struct run *run)
{
	int status = 0;
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	const struct dhcp_answer answer = client_answer(&run->request, status, run->said);
	close(run->pipe);
	run->pid = 0;
	answer_write(run->answer, &answer);
}

/* Once it has the lease again, it can give it back. */
static void run_heard(struct run *run)
{
	struct lease lease;
	char overflow[256];
	const bool full = run->used + 1 >= sizeof(run->said);
	ssize_t size =
		full ? read(run->pipe, overflow, sizeof(overflow))
		     : read(run->pipe, run->said + run->used, sizeof(run->said) - 1 - run->used);
	if (size <= 0) {
		run_finish(run);
		return;
	}
	run->used += full ? 0 : (size_t)size;
	run->said[run->used] = '\0';
	if (run->request.deed == DHCP_RELEASE && !run->told && lease_parse(run->said, &lease)) {
		run->told = true;
		kill(run->pid, SIGTERM);
	}
}

static ssize_t request_receive(int socket, struct dhcp_request *request, int fds[2])
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	fds[0] = fds[1] = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(2 * sizeof(int)))
		memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return size;
}

/* False: nobody is left who could ask. */
static bool socket_heard(struct helper *helper)
{
	int fds[2];
	struct run *run = run_free(helper);
	*run = (struct run){.pid = 0};
	ssize_t size = request_receive(helper->socket, &run->request, fds);
	if (size == 0 || (size < 0 && errno != EINTR))
		return false;
	if (size < 0 || fds[1] < 0)
		return true;
	run->answer = fds[1];
	if (size == sizeof(run->request) && request_valid(helper, &run->request, fds[0]))
		run_begin(helper, run, fds[0]);
	else
		answer_failed(run->answer, "the request is not valid");
	close(fds[0]);
	return true;
}

/* Milliseconds until the next client has had its time; -1: there is none. Ends those that had. */
static int runs_watch(struct helper *helper)
{
	int64_t now = clock_milliseconds(), next = -1;
	for (size_t i = 0; i < RUNS_MAX; i++) {
		struct run *run = &helper->runs[i];
		if (!run->pid)
			continue;
		int64_t left = run->end - now;
		if (left <= 0) {
			kill(run->pid, SIGKILL);
			left = 100;
		}
		if (next < 0 || left < next)
			next = left;
	}
	return (int)next;
}

static bool round_serve(struct helper *helper)
{
	struct pollfd polled[RUNS_MAX + 1];
	for (size_t i = 0; i < RUNS_MAX; i++)
		polled[i] = (struct pollfd){.fd = helper->runs[i].pid ? helper->runs[i].pipe : -1,
					    .events = POLLIN};
	polled[RUNS_MAX] =
		(struct pollfd){.fd = run_free(helper) ? helper->socket : -1, .events = POLLIN};
	if (poll(polled, RUNS_MAX + 1, runs_watch(helper)) < 0)
		return errno == EINTR;
	for (size_t i = 0; i < RUNS_MAX; i++)
		if (polled[i].revents)
			run_heard(&helper->runs[i]);
	return !polled[RUNS_MAX].revents || socket_heard(helper);
}

/* A descriptor that it kept would hold whoever waits for the end of a pipe. */
static void descriptors_drop(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

/* It ends with whom it works for, who may have to end in order when a signal comes for both. */
static void signals_ignore(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

/* To enter namespaces, to have clients run as nobody and to end them, and what those need. */
static const uint64_t rights = CAPABILITY_BIT(CAP_SYS_ADMIN) | CAPABILITY_BIT(CAP_SETUID) |
			       CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_KILL) |
			       CAPABILITY_BIT(CAP_NET_RAW) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE);

void helper_serve(int socket, int program)
{
	static struct helper helper;
	helper.socket = socket;
	helper.program = program;
	(void)prctl(PR_SET_NAME, "mvapply-dhcp", 0, 0, 0);
	signals_ignore();
	descriptors_drop();
	(void)capabilities_keep(rights, false);
	if (stat("/proc/self/ns/net", &helper.host) < 0)
		_exit(1);
	while (round_serve(&helper))
		;
	_exit(0);
}
