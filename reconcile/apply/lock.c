#include "reconcile/apply/apply.h"

#include "kernel/netlink_lock.h"
#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* An abstract name. Any process can bind it, so it only queues the waiting processes: the netlink
 * lock is the lock. */
static const char queue_name[] = "mvapply";

/* The number of attempts, a millisecond apart, to connect to a holder that does not listen yet, and
 * the time limit for a full queue. mvapply listens right after binding, with a sufficient queue. */
#define SILENCE_MAX 100

/* Milliseconds. */
#define NOTE_AFTER 1000
#define PATIENCE   (120 * 1000)

struct waiting {
	int64_t begun;
	const struct lock_wait *wait;
	bool noted;
	struct peer holder; /* the holder */
};

static int64_t waited(const struct waiting *waiting)
{
	return clock_milliseconds() - waiting->begun;
}

static const char *holder_text(const struct waiting *waiting, char text[PEER_TEXT_SIZE])
{
	const struct peer *holder = &waiting->holder;
	if (holder->pid <= 0)
		return "another mvapply";
	snprintf(text, PEER_TEXT_SIZE, "process %d (%s)", (int)holder->pid,
		 *holder->name ? holder->name : "?");
	return text;
}

/* Returns whether to continue waiting. */
static bool patient(struct waiting *waiting)
{
	char holder[PEER_TEXT_SIZE], sentence[2 * PEER_TEXT_SIZE];
	const struct lock_wait *wait = waiting->wait;
	if (wait->note && !waiting->noted && waited(waiting) >= NOTE_AFTER) {
		snprintf(sentence, sizeof(sentence), "waiting for %s to finish",
			 holder_text(waiting, holder));
		wait->note(sentence, wait->data);
		waiting->noted = true;
	}
	return waited(waiting) < PATIENCE;
}

static int waited_too_long(const struct waiting *waiting, struct error *error)
{
	char holder[PEER_TEXT_SIZE];
	error_set(error, ETIME, "%s still holds the lock after %d s; nothing was changed",
		  holder_text(waiting, holder), PATIENCE / 1000);
	error_hint(error, "check the process with `ps`, and run mvapply again when it has ended");
	return error_code(error, CODE_LOCKED);
}

static int unmanaged_address(const struct waiting *waiting, struct error *error)
{
	char text[PEER_TEXT_SIZE];
	error_set(error, EBUSY, "the socket @mvapply, used as a lock, is held by %s",
		  peer_text(&waiting->holder, text));
	error_hint(error,
		   "`ss --unix --listening --processes src @mvapply` shows the process: stop it");
	return -EBUSY;
}

static int queue_socket(struct error *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd
		       : error_set(error, errno, "cannot open a socket for the lock: %s",
				   strerror(errno));
}

/* Waits for an event of `fd`, which may be -1, and serves meanwhile. Returns whether there is one.
 */
static bool event_wait(const struct waiting *waiting, int fd, int milliseconds)
{
	const struct lock_wait *wait = waiting->wait;
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = wait->fd, .events = POLLIN}};
	if (poll(polled, 2, milliseconds) <= 0)
		return false;
	if (polled[1].revents)
		wait->serve(wait->data);
	return polled[0].revents;
}

/* Waits until the holder ends or unlocks: it never accepts, so the connection breaks with it. */
static int holder_follow(int fd, struct waiting *waiting, struct error *error)
{
	waiting->holder = peer_of(fd);
	if (!waiting->holder.trusted)
		return unmanaged_address(waiting, error);
	while (!event_wait(waiting, fd, NOTE_AFTER))
		if (!patient(waiting))
			return waited_too_long(waiting, error);
	return 0;
}

/* Returns 0 to try again; or -EBUSY if the holder is untrusted. */
static int holder_wait(struct waiting *waiting, unsigned *silence, struct error *error)
{
	struct sockaddr_un address;
	const socklen_t size = abstract_address(queue_name, &address);
	cleanup_close int fd = queue_socket(error);
	if (fd < 0)
		return fd;
	waiting->holder = peer_unknown;
	peer_patience(fd, SILENCE_MAX);
	if (connect(fd, (const struct sockaddr *)&address, size) == 0) {
		*silence = 0;
		return holder_follow(fd, waiting, error);
	}
	if (errno == EAGAIN || ++*silence > SILENCE_MAX)
		return unmanaged_address(waiting, error);
	usleep(1000);
	return 0;
}

/* Waits for another mvapply process that has it. Returns a descriptor, -EBUSY for an untrusted
 * process's, or another negative errno. */
static int name_take(struct waiting *waiting, struct error *error)
{
	struct sockaddr_un address;
	const socklen_t size = abstract_address(queue_name, &address);
	unsigned silence = 0;
	for (;;) {
		cleanup_close int fd = queue_socket(error);
		if (fd < 0)
			return fd;
		if (bind(fd, (const struct sockaddr *)&address, size) == 0 &&
		    listen(fd, SOMAXCONN) == 0)
			return fd_steal(&fd);
		if (errno != EADDRINUSE)
			return error_set(error, errno, "cannot take the lock @mvapply: %s",
					 strerror(errno));
		int status = holder_wait(waiting, &silence, error);
		if (status < 0)
			return status;
	}
}

/* One to eight milliseconds, so that two processes do not retry at the same time. */
static void wait_by_chance(const struct waiting *waiting)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)event_wait(waiting, -1, 1 + (int)((now.tv_nsec / 64 + getpid() * 997L) % 7));
}

/* Waits for a holder without the socket. Returns a descriptor, -ETIME on timeout, or another
 * negative errno if the lock cannot be taken. */
static int netlink_take(struct waiting *waiting)
{
	for (;;) {
		int fd = netlink_lock_try(&waiting->holder.pid);
		if (fd != -EAGAIN)
			return fd;
		process_name(waiting->holder.pid, waiting->holder.name);
		if (!patient(waiting))
			return -ETIME;
		wait_by_chance(waiting);
	}
}

static int both_take(struct apply_lock *lock, struct waiting *waiting, struct error *error)
{
	lock->name = name_take(waiting, error);
	if (lock->name < 0 && lock->name != -EBUSY)
		return lock->name;
	lock->netlink = netlink_take(waiting);
	if (lock->netlink == -ETIME)
		return waited_too_long(waiting, error);
	/* With the lock, the socket is not needed. */
	if (lock->netlink < 0 && lock->name < 0)
		return lock->name;
	return 0;
}

int apply_lock(struct apply_lock *ret_lock, const struct lock_wait *wait, struct error *error)
{
	static const struct lock_wait nothing = {.fd = -1};
	struct waiting waiting = {.begun = clock_milliseconds(), .wait = wait ? wait : &nothing};
	struct apply_lock lock = {.netlink = -1, .name = -1};
	struct error failure;
	int status = both_take(&lock, &waiting, &failure);
	if (status == 0) {
		*ret_lock = lock;
		return 0;
	}
	apply_unlock(&lock);
	*error = failure;
	return status;
}

/* In this order: a process that waits at the socket then finds the lock free. */
void apply_unlock(const struct apply_lock *lock)
{
	if (lock->netlink >= 0)
		close(lock->netlink);
	if (lock->name >= 0)
		close(lock->name);
}
