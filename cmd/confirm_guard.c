#include "cmd/confirm_guard.h"

#include "cmd/confirm_socket.h"
#include "dhcp/broker.h"
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
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* One message is one datagram: its kind, and text. */
#define MESSAGE_SIZE 16384

enum message_kind {
	MESSAGE_READY = 'G',   /* from the guardian: it is on its own */
	MESSAGE_APPLIED = 'A', /* to it: the plan is done */
	MESSAGE_CONFIRM = 'C', /* to it: it shall stay; from it: so it does */
	MESSAGE_REVERT = 'R',  /* to it: go back now; from it: done */
	MESSAGE_BROKEN = 'B',  /* from it: gone back, but for what the text says */
};

enum decision { DECISION_NONE, DECISION_CONFIRM, DECISION_REVERT };

/* The guardian's own. */
struct sentry {
	const struct undertaking *undertaking;
	int parent; /* the process that applies; -1: it is gone */
	int listener, signals;
	bool applied;
	int64_t end; /* milliseconds, once it is applied */
};

/* What could not be brought back. */
struct complaint {
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
	struct complaint *complaint = data;
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	size_t room = sizeof(complaint->text) - 1 - complaint->used;
	int size = snprintf(complaint->text + complaint->used, room, "%s\n",
			    printable(arena, sentence));
	complaint->used += size < 0 || (size_t)size >= room ? 0 : (size_t)size;
	complaint->text[complaint->used] = '\0';
}

/* Returns whether all of it is back. */
static bool go_back(const struct undertaking *undertaking, struct complaint *complaint)
{
	struct error error;
	int failed = revert(undertaking->plan, undertaking->before, complain, complaint, &error);
	if (failed < 0)
		complain(error.text, complaint);
	return failed == 0;
}

static int signal_take(int signals)
{
	struct signalfd_siginfo info;
	return read(signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* That it dies before the plan is done leaves the host half way. */
static enum decision parent_heard(struct sentry *sentry)
{
	char kind;
	if (recv(sentry->parent, &kind, sizeof(kind), 0) != sizeof(kind)) {
		close(sentry->parent);
		sentry->parent = -1;
		return sentry->applied ? DECISION_NONE : DECISION_REVERT;
	}
	switch (kind) {
	case MESSAGE_APPLIED:
		sentry->applied = true;
		sentry->end = clock_milliseconds() + (int64_t)sentry->undertaking->seconds * 1000;
		return DECISION_NONE;
	case MESSAGE_CONFIRM:
		return DECISION_CONFIRM;
	default:
		return DECISION_REVERT;
	}
}

/* SIGTERM: the machine, or the session's scope, is being taken down. */
static enum decision signal_heard(const struct sentry *sentry)
{
	switch (signal_take(sentry->signals)) {
	case SIGTERM:
		return DECISION_REVERT;
	case SIGUSR1:
		return sentry->applied ? DECISION_CONFIRM : DECISION_NONE;
	default:
		return DECISION_NONE;
	}
}

static enum decision client_heard(const struct sentry *sentry)
{
	bool allowed = false;
	int fd = confirm_accept(sentry->listener, &allowed);
	if (fd < 0)
		return DECISION_NONE;
	if (allowed)
		(void)!send(fd, sentry->undertaking->sets, strlen(sentry->undertaking->sets),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	return allowed ? DECISION_CONFIRM : DECISION_NONE;
}

/* Milliseconds, as poll takes them. */
static int time_left(const struct sentry *sentry)
{
	if (!sentry->applied)
		return -1;
	int64_t left = sentry->end - clock_milliseconds();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static enum decision decide(struct sentry *sentry)
{
	/* When the time is over, others may connect as fast as they like. */
	const int left = time_left(sentry);
	const bool listens = sentry->applied && left != 0;
	struct pollfd polled[] = {
		{.fd = sentry->parent, .events = POLLIN},
		{.fd = sentry->signals, .events = POLLIN},
		{.fd = listens ? sentry->listener : -1, .events = POLLIN},
	};
	int ready = poll(polled, sizeof(polled) / sizeof(polled[0]), left);
	if (ready == 0 && left == 0)
		return DECISION_REVERT;
	if (ready <= 0)
		return DECISION_NONE;
	if (polled[0].revents)
		return parent_heard(sentry);
	return polled[1].revents ? signal_heard(sentry) : client_heard(sentry);
}

static void sentry_revert(const struct sentry *sentry)
{
	struct complaint complaint = {.used = 0};
	bool back = go_back(sentry->undertaking, &complaint);
	if (sentry->parent >= 0)
		message_send(sentry->parent, back ? MESSAGE_REVERT : MESSAGE_BROKEN,
			     complaint.text);
	/* There may be nobody else to tell. */
	syslog(LOG_DAEMON | (back ? LOG_WARNING : LOG_ERR),
	       "mvapply: an apply of %s was not confirmed, and %s%s", sentry->undertaking->sets,
	       back ? "has gone back" : "could not go back: ", complaint.text);
}

/* Nothing of the terminal and the session that it was started from. */
static void detach(void)
{
	setsid();
	(void)!chdir("/");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
}

static void sentry_run(struct sentry *sentry)
{
	enum decision decision;
	detach();
	(void)confirm_take_over(sentry->listener);
	message_send(sentry->parent, MESSAGE_READY, "");
	do
		decision = decide(sentry);
	while (decision == DECISION_NONE);
	if (decision == DECISION_REVERT)
		sentry_revert(sentry);
	else if (sentry->parent >= 0)
		message_send(sentry->parent, MESSAGE_CONFIRM, "");
}

/* Not SIGHUP: whoever applies may die of it. The guardian is in another session, and ignores it. */
static int signals_take_over(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Ctrl-Z has to wait until the plan is done and the lock is let go: the host would be left half
 * way, and the guardian could not go back. Nor does it stop what writes to the terminal from the
 * background. */
static void stops_hold(int how)
{
	sigset_t stops;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(how, &stops, NULL);
}

/* Until it is in a session of its own, what ends ours ends it, too: nothing is touched before. */
static bool guardian_ready(const struct guardian *guardian)
{
	char kind = 0;
	while (recv(guardian->fd, &kind, sizeof(kind), 0) < 0 && errno == EINTR)
		;
	return kind == MESSAGE_READY;
}

static int fork_guardian(struct guardian *guardian, struct sentry *sentry, const int pair[2],
			 const struct apply_lock *lock, struct error *error)
{
	/* Between its birth and its own session a hangup must not end it. */
	void (*hangup)(int) = signal(SIGHUP, SIG_IGN);
	fflush(NULL);
	guardian->pid = fork();
	if (guardian->pid == 0) {
		close(pair[0]);
		apply_unlock(lock);
		lessor_free(sentry->undertaking->lessor);
		sentry_run(sentry);
		exit(0);
	}
	int errnum = errno;
	signal(SIGHUP, hangup);
	close(pair[1]);
	if (guardian->pid > 0) {
		if (guardian_ready(guardian))
			return 0;
		errnum = ECHILD;
		waitpid(guardian->pid, NULL, 0);
	}
	close(pair[0]);
	guardian->pid = 0;
	return error_set(error, errnum, "cannot start the guardian: %s", strerror(errnum));
}

int guardian_begin(struct guardian *guardian, const struct undertaking *undertaking,
		   const struct apply_lock *lock, struct error *error)
{
	int pair[2];
	int status = revert_prepare(undertaking->before, undertaking->plan, error);
	if (status < 0)
		return status;
	int listener = confirm_listen(error);
	if (listener < 0)
		return listener;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		close(listener);
		return error_set(error, errno, "cannot start the guardian: %s", strerror(errno));
	}
	guardian->fd = pair[0];
	guardian->signals = signals_take_over();
	stops_hold(SIG_BLOCK);
	struct sentry sentry = {.undertaking = undertaking,
				.parent = pair[1],
				.listener = listener,
				.signals = guardian->signals};
	status = fork_guardian(guardian, &sentry, pair, lock, error);
	close(listener);
	return status;
}

void guardian_applied(const struct guardian *guardian)
{
	message_send(guardian->fd, MESSAGE_APPLIED, "");
}

static void own_signal_heard(const struct guardian *guardian, struct verdict *verdict)
{
	int signal = signal_take(guardian->signals);
	if (signal == 0)
		return;
	verdict->cancelled |= signal != SIGUSR1;
	message_send(guardian->fd, signal == SIGUSR1 ? MESSAGE_CONFIRM : MESSAGE_REVERT, "");
}

/* Whatever is asked, it is the guardian that decides. */
static void people_heard(const struct guardian *guardian, struct keyboard *keyboard,
			 struct verdict *verdict)
{
	for (;;) {
		int timeout;
		struct pollfd polled[] = {
			{.fd = guardian->fd, .events = POLLIN},
			{.fd = guardian->signals, .events = POLLIN},
			{.fd = keyboard_poll(keyboard, &timeout), .events = POLLIN}};
		if (poll(polled, sizeof(polled) / sizeof(polled[0]), timeout) < 0)
			continue;
		if (polled[0].revents)
			return;
		if (polled[1].revents)
			own_signal_heard(guardian, verdict);
		if (polled[2].revents && keyboard_enter(keyboard))
			message_send(guardian->fd, MESSAGE_CONFIRM, "");
	}
}

struct verdict guardian_wait(const struct guardian *guardian, struct keyboard *keyboard,
			     const struct undertaking *undertaking, struct arena *arena)
{
	struct verdict verdict = {.words = ""};
	struct complaint complaint = {.used = 0};
	char bytes[MESSAGE_SIZE];
	stops_hold(SIG_UNBLOCK);
	people_heard(guardian, keyboard, &verdict);
	ssize_t size = recv(guardian->fd, bytes, sizeof(bytes) - 1, 0);
	if (size > 0) {
		bytes[size] = '\0';
		verdict.confirmed = bytes[0] == MESSAGE_CONFIRM;
		verdict.broken = bytes[0] == MESSAGE_BROKEN;
		verdict.words = arena_strdup(arena, bytes + 1);
	} else {
		verdict.broken = !go_back(undertaking, &complaint);
		verdict.words = arena_strdup(arena, complaint.text);
	}
	waitpid(guardian->pid, NULL, 0);
	return verdict;
}
