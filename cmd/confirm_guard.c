#include "cmd/confirm_guard.h"

#include "cmd/confirm_socket.h"
#include "cmd/signals.h"
#include "dhcp/broker.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/printable.h"
#include "reconcile/plan/rollback_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* One message is one datagram: its kind, and text. */
#define MESSAGE_SIZE 16384

enum message_kind {
	MESSAGE_READY = 'G',   /* from the guard: it is in its own session */
	MESSAGE_APPLIED = 'A', /* to the guard: the plan was applied */
	MESSAGE_CONFIRM = 'C', /* to the guard: confirm; from the guard: confirmed */
	MESSAGE_REVERT = 'R',  /* to the guard: roll back now; from the guard: rolled back */
	MESSAGE_BROKEN = 'B',  /* from the guard: rolled back, except for the listed objects */
};

enum decision { DECISION_NONE, DECISION_CONFIRM, DECISION_REVERT };

/* The state of the guard process. */
struct guard_process {
	const struct confirm_job *job;
	int parent; /* the process that applies; -1: it ended */
	int listener, signals;
	bool applied;
	int64_t end; /* milliseconds, once the plan was applied */
};

/* Objects that could not be restored. */
struct rollback_failures {
	char text[MESSAGE_SIZE];
	size_t used;
};

static void message_send(int fd, enum message_kind kind, const char *text)
{
	char bytes[MESSAGE_SIZE];
	int size = snprintf(bytes, sizeof(bytes), "%c%s", (char)kind, text);
	if (size >= (int)sizeof(bytes))
		size = sizeof(bytes) - 1;
	(void)!send(fd, bytes, (size_t)size, MSG_NOSIGNAL);
}

static void complain(const char *sentence, void *data)
{
	struct rollback_failures *failures = data;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	size_t room = sizeof(failures->text) - 1 - failures->used;
	int size =
		snprintf(failures->text + failures->used, room, "%s\n", printable(arena, sentence));
	failures->used += size < 0 || (size_t)size >= room ? 0 : (size_t)size;
	failures->text[failures->used] = '\0';
}

/* Returns whether everything was restored. */
static bool go_back(const struct confirm_job *job, struct rollback_failures *failures)
{
	struct error error;
	int failed = revert(job->plan, job->before, complain, failures, &error);
	if (failed < 0)
		complain(error.text, failures);
	return failed == 0;
}

static int signal_take(int signals)
{
	struct signalfd_siginfo info;
	return read(signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* A process that ends before the plan is applied leaves the host half configured. */
static enum decision parent_read(struct guard_process *guard_process)
{
	char kind;
	if (recv(guard_process->parent, &kind, sizeof(kind), 0) != sizeof(kind)) {
		close(guard_process->parent);
		guard_process->parent = -1;
		return guard_process->applied ? DECISION_NONE : DECISION_REVERT;
	}
	switch (kind) {
	case MESSAGE_APPLIED:
		guard_process->applied = true;
		guard_process->end =
			clock_milliseconds() + (int64_t)guard_process->job->seconds * 1000;
		return DECISION_NONE;
	case MESSAGE_CONFIRM:
		return DECISION_CONFIRM;
	default:
		return DECISION_REVERT;
	}
}

/* SIGTERM: the machine shuts down, or the session's scope ends. */
static enum decision signal_read(const struct guard_process *guard_process)
{
	switch (signal_take(guard_process->signals)) {
	case SIGTERM:
		return DECISION_REVERT;
	case SIGUSR1:
		return guard_process->applied ? DECISION_CONFIRM : DECISION_NONE;
	default:
		return DECISION_NONE;
	}
}

static enum decision client_read(const struct guard_process *guard_process)
{
	bool allowed = false;
	cleanup_close int fd = confirm_accept(guard_process->listener, &allowed);
	if (fd < 0)
		return DECISION_NONE;
	if (allowed)
		(void)!send(fd, guard_process->job->sets, strlen(guard_process->job->sets),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	return allowed ? DECISION_CONFIRM : DECISION_NONE;
}

/* In milliseconds, for poll(2). */
static int time_left(const struct guard_process *guard_process)
{
	if (!guard_process->applied)
		return -1;
	int64_t left = guard_process->end - clock_milliseconds();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static enum decision decide(struct guard_process *guard_process)
{
	/* After the timeout, further connections must not delay the rollback. */
	const int left = time_left(guard_process);
	const bool listens = guard_process->applied && left != 0;
	struct pollfd polled[] = {
		{.fd = guard_process->parent, .events = POLLIN},
		{.fd = guard_process->signals, .events = POLLIN},
		{.fd = listens ? guard_process->listener : -1, .events = POLLIN},
	};
	int ready = poll(polled, sizeof(polled) / sizeof(polled[0]), left);
	if (ready == 0 && left == 0)
		return DECISION_REVERT;
	if (ready <= 0)
		return DECISION_NONE;
	if (polled[0].revents)
		return parent_read(guard_process);
	return polled[1].revents ? signal_read(guard_process) : client_read(guard_process);
}

/* By a socket of its own, since syslog(3) makes one inside the C library, which the seccomp filter
 * refuses on some machines (lib/direct_socket.c). The daemon adds the time (RFC 3164, 4.3.2). */
static void syslog_send(int priority, const char *sets, const char *result, const char *failures)
{
	static const struct sockaddr_un daemon = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
	char line[2048];
	if (snprintf(line, sizeof(line), "<%d>mvapply: an apply of %s was not confirmed: %s%s",
		     LOG_DAEMON | priority, sets, result, failures) >= (int)sizeof(line))
		memcpy(line + sizeof(line) - sizeof("..."), "...", sizeof("..."));
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, line, strlen(line), MSG_NOSIGNAL,
			      (const struct sockaddr *)&daemon, sizeof(daemon));
}

static void guard_process_revert(const struct guard_process *guard_process)
{
	struct rollback_failures failures = {.used = 0};
	bool back = go_back(guard_process->job, &failures);
	if (guard_process->parent >= 0)
		message_send(guard_process->parent, back ? MESSAGE_REVERT : MESSAGE_BROKEN,
			     failures.text);
	/* No other process may be left to report it. */
	syslog_send(back ? LOG_WARNING : LOG_ERR, guard_process->job->sets,
		    back ? "rolled back" : "rollback failed: ", failures.text);
}

/* Leaves the terminal and the session that it was started from. */
static void detach(void)
{
	setsid();
	(void)!chdir("/");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
}

static void guard_process_run(struct guard_process *guard_process)
{
	enum decision decision;
	detach();
	(void)confirm_take_over(guard_process->listener);
	message_send(guard_process->parent, MESSAGE_READY, "");
	do
		decision = decide(guard_process);
	while (decision == DECISION_NONE);
	if (decision == DECISION_REVERT)
		guard_process_revert(guard_process);
	else if (guard_process->parent >= 0)
		message_send(guard_process->parent, MESSAGE_CONFIRM, "");
}

/* Not SIGHUP: it may end the applying process. The guard is in another session, and ignores it. */
static const int guard_signals[] = {SIGINT, SIGTERM, SIGUSR1, 0};

/* Ctrl-Z has no effect until the plan is applied and the lock is released: the host would remain
 * half configured, and the guard could not roll back. SIGTTOU is ignored, too. */
static void stops_hold(int how)
{
	sigset_t stops;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(how, &stops, NULL);
}

/* Until the guard has a session of its own, the end of this session also ends the guard: nothing is
 * changed before that. */
static bool confirm_guard_ready(const struct confirm_guard *guard)
{
	char kind = 0;
	while (recv(guard->fd, &kind, sizeof(kind), 0) < 0 && errno == EINTR)
		;
	return kind == MESSAGE_READY;
}

static int fork_confirm_guard(struct confirm_guard *guard, struct guard_process *guard_process,
			      const int pair[2], const struct apply_lock *lock, struct error *error)
{
	/* Between fork(2) and its own session a hangup must not end it. */
	void (*hangup)(int) = signal(SIGHUP, SIG_IGN);
	fflush(NULL);
	guard->pid = fork();
	if (guard->pid == 0) {
		close(pair[0]);
		apply_unlock(lock);
		dhcp_broker_free(guard_process->job->broker);
		guard_process_run(guard_process);
		exit(0);
	}
	int errnum = errno;
	signal(SIGHUP, hangup);
	close(pair[1]);
	if (guard->pid > 0) {
		if (confirm_guard_ready(guard))
			return 0;
		errnum = ECHILD;
		waitpid(guard->pid, NULL, 0);
	}
	close(pair[0]);
	guard->pid = 0;
	return error_set(error, errnum, "cannot start the process that guards the confirmation: %s",
			 strerror(errnum));
}

int confirm_guard_begin(struct confirm_guard *guard, const struct confirm_job *job,
			const struct apply_lock *lock, struct error *error)
{
	int pair[2];
	int status = revert_prepare(job->before, job->plan, error);
	if (status < 0)
		return status;
	cleanup_close int listener = confirm_listen(error);
	if (listener < 0)
		return listener;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(error, errno,
				 "cannot start the process that guards the confirmation: %s",
				 strerror(errno));
	guard->fd = pair[0];
	struct error ignored;
	guard->signals = signals_open(guard_signals, &ignored);
	stops_hold(SIG_BLOCK);
	struct guard_process guard_process = {
		.job = job, .parent = pair[1], .listener = listener, .signals = guard->signals};
	return fork_confirm_guard(guard, &guard_process, pair, lock, error);
}

void confirm_guard_applied(const struct confirm_guard *guard)
{
	message_send(guard->fd, MESSAGE_APPLIED, "");
}

static void own_signal_read(const struct confirm_guard *guard, struct confirm_result *result)
{
	int signal = signal_take(guard->signals);
	if (signal == 0)
		return;
	result->cancelled |= signal != SIGUSR1;
	message_send(guard->fd, signal == SIGUSR1 ? MESSAGE_CONFIRM : MESSAGE_REVERT, "");
}

/* The guard's decision counts, whatever was requested. */
static void input_wait(const struct confirm_guard *guard, struct keyboard *keyboard,
		       struct confirm_result *result)
{
	for (;;) {
		int timeout;
		struct pollfd polled[] = {
			{.fd = guard->fd, .events = POLLIN},
			{.fd = guard->signals, .events = POLLIN},
			{.fd = keyboard_poll(keyboard, &timeout), .events = POLLIN}};
		if (poll(polled, sizeof(polled) / sizeof(polled[0]), timeout) < 0)
			continue;
		if (polled[0].revents)
			return;
		if (polled[1].revents)
			own_signal_read(guard, result);
		if (polled[2].revents && keyboard_enter(keyboard))
			message_send(guard->fd, MESSAGE_CONFIRM, "");
	}
}

struct confirm_result confirm_guard_wait(const struct confirm_guard *guard,
					 struct keyboard *keyboard, const struct confirm_job *job,
					 struct arena *arena)
{
	struct confirm_result result = {.words = ""};
	struct rollback_failures failures = {.used = 0};
	char bytes[MESSAGE_SIZE];
	stops_hold(SIG_UNBLOCK);
	input_wait(guard, keyboard, &result);
	ssize_t size = recv(guard->fd, bytes, sizeof(bytes) - 1, 0);
	if (size > 0) {
		bytes[size] = '\0';
		result.confirmed = bytes[0] == MESSAGE_CONFIRM;
		result.broken = bytes[0] == MESSAGE_BROKEN;
		result.words = arena_strdup(arena, bytes + 1);
	} else {
		result.broken = !go_back(job, &failures);
		result.words = arena_strdup(arena, failures.text);
	}
	waitpid(guard->pid, NULL, 0);
	return result;
}
