#include "cmd/confirm_socket.h"

#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A guard empties its queue immediately. For a full queue: the number of attempts, and the pause
 * between them in milliseconds. */
#define TRIES    10
#define PAUSE_MS 20

/* Of a socket that listens, in /proc/net/unix: __SO_ACCEPTCON of linux/net.h, which musl's
 * sys/socket.h must not precede. */
#define FLAG_LISTENS (1U << 16)

#define NAME          "mvapply-confirm"
#define NUMBER_DIGITS 16
#define NAME_SIZE     (sizeof(NAME) + 1 + NUMBER_DIGITS)

/* The result of connecting to the names. */
struct search {
	int fd;            /* the connection to a guard; -1: none */
	struct peer other; /* an untrusted process */
	int errnum;
	bool crowded; /* a queue was full */
};

static void name_try(struct search *search, const char *name)
{
	cleanup_close int fd = abstract_connect(name, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		search->crowded |= fd == -EAGAIN;
		search->errnum = search->errnum == EPERM ? EPERM : -fd;
		return;
	}
	const struct peer peer = peer_of(fd);
	if (peer.trusted) {
		search->fd = fd_steal(&fd);
		return;
	}
	search->other = peer;
	search->errnum = EPERM;
}

/* Whether the line of /proc/self/net/unix is a listening socket with a guard's alternative name,
 * with that many digits. A name can contain line breaks and so forge lines: the client verifies
 * each name by connecting. */
static bool line_names(const char *line, char name[NAME_SIZE])
{
	unsigned flags;
	const char *at = strstr(line, " @" NAME "-");
	if (!at || sscanf(line, "%*s %*x %*x %x", &flags) != 1 || !(flags & FLAG_LISTENS))
		return false;
	at += strlen(" @");
	if (strspn(at + sizeof(NAME), "0123456789abcdef") != NUMBER_DIGITS || at[NAME_SIZE - 1])
		return false;
	snprintf(name, NAME_SIZE, "%s", at);
	return true;
}

/* Each name once: the cost is proportional to the sockets of the host, whoever opened them. */
static void names_try(struct search *search)
{
	char name[NAME_SIZE];
	search->crowded = false;
	name_try(search, NAME);
	cleanup_free char *text = search->fd < 0 ? file_text("/proc/self/net/unix") : NULL;
	for (char *rest = text, *line; search->fd < 0 && (line = strsep(&rest, "\n"));)
		if (line_names(line, name))
			name_try(search, name);
}

int confirm_guard_connect(struct peer *ret_other)
{
	struct search search = {.fd = -1, .other = peer_unknown};
	names_try(&search);
	for (int i = 1; i < TRIES && search.fd < 0 && search.crowded; i++) {
		(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
		names_try(&search);
	}
	*ret_other = search.other;
	if (search.fd >= 0)
		(void)fcntl(search.fd, F_SETFL, 0);
	return search.fd >= 0 ? search.fd : -search.errnum;
}

int confirm_check(struct error *error)
{
	struct peer other;
	/* The name alone is enough: nothing is requested. */
	cleanup_close int fd = confirm_guard_connect(&other);
	if (fd < 0)
		return 0;
	error_set(error, EALREADY, "an apply waits for its confirmation; nothing was changed");
	error_hint(error,
		   "`mvapply confirm` keeps its changes; otherwise they are rolled back after its "
		   "timeout");
	return error_code(error, CODE_UNCONFIRMED);
}

static int number_listen(void)
{
	uint64_t number;
	char name[NAME_SIZE];
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(name, sizeof(name), NAME "-%016" PRIx64, number);
	return abstract_listen(name, SOCK_STREAM);
}

int confirm_listen(struct error *error)
{
	int status = confirm_check(error);
	if (status < 0)
		return status;
	int fd = abstract_listen(NAME, SOCK_STREAM);
	if (fd == -EADDRINUSE)
		fd = number_listen();
	if (fd >= 0)
		return fd;
	return error_set(error, -fd, "cannot listen at @" NAME ": %s", strerror(-fd));
}

/* The kernel reports to a client the process that called listen(2) last. */
int confirm_take_over(int listener)
{
	return listen(listener, SOMAXCONN) < 0 ? -errno : 0;
}

/* Not from a client that only checks whether a guard is waiting, nor from one that never sends
 * anything. */
static bool requests_confirm(int fd)
{
	const struct timeval patience = {.tv_sec = 1};
	char question;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return recv(fd, &question, sizeof(question), 0) == sizeof(question);
}

int confirm_accept(int listener, bool *ret_allowed)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_allowed = peer_trusted(fd) && requests_confirm(fd);
	return fd;
}
