#include "dhcp/broker_server.h"

#include "dhcp/broker_sandbox.h"
#include "dhcp/client.h"
#include "dhcp/client_process.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/fd_message.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct broker_server {
	int socket, program, children; /* a signalfd: a client has ended */
	struct stat host;              /* the host's network namespace */
	struct run runs[CLIENTS_AT_ONCE];
};

static struct run *run_free(struct broker_server *server)
{
	for (size_t i = 0; i < CLIENTS_AT_ONCE; i++)
		if (!server->runs[i].pid)
			return &server->runs[i];
	return NULL;
}

static bool link_valid(const char link[IFNAMSIZ])
{
	return *link && *link != '-' && memchr(link, '\0', IFNAMSIZ) && !strchr(link, '/');
}

bool broker_request_valid(const struct dhcp_request *request, size_t size)
{
	return size == sizeof(*request) && link_valid(request->link) &&
	       memchr(request->host_name, '\0', sizeof(request->host_name)) &&
	       (!*request->host_name || host_name_valid(request->host_name)) &&
	       (request->addr.family == 0 || request->addr.family == AF_INET);
}

static bool netns_valid(const struct broker_server *server, int netns)
{
	struct stat stat;
	return ioctl(netns, NS_GET_NSTYPE) == CLONE_NEWNET && fstat(netns, &stat) == 0 &&
	       (stat.st_ino != server->host.st_ino || stat.st_dev != server->host.st_dev);
}

/* A request with only one of the two descriptors is invalid. */
static ssize_t request_receive(int socket, struct dhcp_request *request, int fds[2])
{
	const ssize_t size = fd_message_receive(socket, request, sizeof(*request), fds, 2);
	if (fds[1] < 0 && fds[0] >= 0)
		close(fds[0]);
	return size;
}

/* False: the socket is closed, no request can arrive. */
static bool socket_serve(struct broker_server *server)
{
	int fds[2];
	struct run *run = run_free(server);
	*run = (struct run){.pid = 0};
	ssize_t size = request_receive(server->socket, &run->request, fds);
	if (size == 0 || (size < 0 && errno != EINTR))
		return false;
	if (size < 0 || fds[1] < 0)
		return true;
	cleanup_close int netns = fds[0];
	run->answer = fds[1];
	if (broker_request_valid(&run->request, (size_t)size) && netns_valid(server, netns))
		run_begin(run, netns, server->program);
	else
		answer_failed(run->answer, "the request is not valid");
	return true;
}

/* Milliseconds until the next client exceeds its time limit; -1: there is no client. Ends the
 * clients that exceeded it. */
static int runs_watch(struct broker_server *server)
{
	int64_t now = clock_milliseconds(), next = -1;
	for (size_t i = 0; i < CLIENTS_AT_ONCE; i++) {
		struct run *run = &server->runs[i];
		int64_t left = run->pid ? run_left(run, now) : -1;
		if (left >= 0 && (next < 0 || left < next))
			next = left;
	}
	return (int)next;
}

/* The polled descriptors: for each client its output, and a pipe that hangs up when the requester
 * ends. Only existing ones: poll(2) takes no more entries than the process may have descriptors
 * (RLIMIT_NOFILE). */
enum {
	POLLED_CHILDREN,
	POLLED_SOCKET,
	POLLED_RUNS, /* first client entry, two for each client */
	POLLED_MAX = POLLED_RUNS + 2 * CLIENTS_AT_ONCE,
};

struct polled {
	struct pollfd entries[POLLED_MAX];
	struct run *runs[CLIENTS_AT_ONCE]; /* client entries, from POLLED_RUNS on */
	size_t n_runs;
};

static struct polled polled_of(struct broker_server *server)
{
	struct polled polled = {0};
	for (size_t i = 0; i < CLIENTS_AT_ONCE; i++) {
		struct run *run = &server->runs[i];
		struct pollfd *entry = &polled.entries[POLLED_RUNS + 2 * polled.n_runs];
		if (!run->pid)
			continue;
		entry[0] = (struct pollfd){.fd = run->pipe, .events = POLLIN};
		entry[1] = (struct pollfd){.fd = run->answer};
		polled.runs[polled.n_runs++] = run;
	}
	polled.entries[POLLED_CHILDREN] = (struct pollfd){.fd = server->children, .events = POLLIN};
	polled.entries[POLLED_SOCKET] =
		(struct pollfd){.fd = run_free(server) ? server->socket : -1, .events = POLLIN};
	return polled;
}

static void children_serve(struct broker_server *server)
{
	struct signalfd_siginfo signal;
	while (read(server->children, &signal, sizeof(signal)) > 0)
		;
	for (size_t i = 0; i < CLIENTS_AT_ONCE; i++)
		if (server->runs[i].pid)
			run_reap(&server->runs[i]);
}

static bool serve_once(struct broker_server *server)
{
	struct polled polled = polled_of(server);
	const struct pollfd *entries = polled.entries;
	if (poll(polled.entries, POLLED_RUNS + 2 * polled.n_runs, runs_watch(server)) < 0)
		return errno == EINTR;
	for (size_t i = 0; i < polled.n_runs; i++) {
		if (entries[POLLED_RUNS + 2 * i].revents)
			run_read_output(polled.runs[i]);
		if (entries[POLLED_RUNS + 2 * i + 1].revents)
			run_abandon(polled.runs[i]);
	}
	if (entries[POLLED_CHILDREN].revents)
		children_serve(server);
	return !entries[POLLED_SOCKET].revents || socket_serve(server);
}

/* An inherited standard stream would keep a pipe open whose reader waits for its end. */
static void descriptors_drop(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

/* The broker ends when its socket is closed: a signal to the whole process group must not end it
 * first. */
static void signals_ignore(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

/* A signalfd for the end of clients. */
static int children_listen(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Neither the broker nor its clients can regain privileges. Returns 0, or -1 with errno. */
static int broker_begin(struct broker_server *server)
{
	server->children = children_listen();
	if (server->children < 0 || stat("/proc/self/ns/net", &server->host) < 0)
		return -1;
	return broker_confine();
}

void broker_serve(int socket, int program)
{
	static struct broker_server server;
	server.socket = socket;
	server.program = program;
	(void)prctl(PR_SET_NAME, "mvapply-dhcp", 0, 0, 0);
	signals_ignore();
	descriptors_drop();
	const int errnum = broker_begin(&server) < 0 ? errno : 0;
	if (send(socket, &errnum, sizeof(errnum), MSG_NOSIGNAL) < 0 || errnum)
		_exit(1);
	while (serve_once(&server))
		;
	_exit(0);
}
