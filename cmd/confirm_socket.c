#include "cmd/confirm_socket.h"

#include "lib/unix_peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Milliseconds that a connection waits in a full queue. A guardian empties its own at once. */
#define PATIENCE 200

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0mvapply-confirm"};
#define ADDRESS_SIZE (offsetof(struct sockaddr_un, sun_path) + 1 + strlen("mvapply-confirm"))

int confirm_socket(struct error *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd
		       : error_set(error, errno, "cannot open a socket for the confirmation: %s",
				   strerror(errno));
}

static int waits_already(struct error *error)
{
	error_set(error, EALREADY, "an apply waits for its confirmation; nothing was touched");
	error_hint(error, "`mvapply confirm` keeps what it did; else it goes back by itself when "
			  "its time is over");
	return error_code(error, CODE_UNCONFIRMED);
}

int confirm_guard_connect(int fd)
{
	peer_patience(fd, PATIENCE);
	return connect(fd, (const struct sockaddr *)&address, ADDRESS_SIZE);
}

/* Whether one of us has the name: a guardian listens from before anything is touched. It is not
 * asked for anything. */
static bool confirm_guard_waits(struct peer *ret_holder, struct error *error)
{
	int fd = confirm_socket(error);
	*ret_holder = peer_unknown;
	if (fd >= 0 && confirm_guard_connect(fd) == 0)
		*ret_holder = peer_of(fd);
	if (fd >= 0)
		close(fd);
	return ret_holder->trusted;
}

static int name_lost(struct error *error)
{
	struct peer holder;
	char text[PEER_TEXT_SIZE];
	if (confirm_guard_waits(&holder, error))
		return waits_already(error);
	error_set(error, EBUSY,
		  "@mvapply-confirm is held by %s: `mvapply confirm` would not be heard; nothing "
		  "was touched",
		  peer_text(&holder, text));
	error_hint(error,
		   "`ss --unix --listening --processes src @mvapply-confirm` shows who it is: "
		   "end it, or apply without --confirm");
	return -EBUSY;
}

int confirm_listen(struct error *error)
{
	int fd = confirm_socket(error);
	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)&address, ADDRESS_SIZE) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	int errnum = errno;
	close(fd);
	return errnum == EADDRINUSE
		       ? name_lost(error)
		       : error_set(error, errnum, "cannot listen at @mvapply-confirm: %s",
				   strerror(errnum));
}

/* The kernel notes for who connects which process called listen(2) last. */
int confirm_take_over(int listener)
{
	return listen(listener, SOMAXCONN) < 0 ? -errno : 0;
}

int confirm_check(struct error *error)
{
	int fd = confirm_socket(error);
	if (fd < 0)
		return fd;
	bool in_use = bind(fd, (const struct sockaddr *)&address, ADDRESS_SIZE) < 0 &&
		      errno == EADDRINUSE;
	close(fd);
	struct peer holder;
	return in_use && confirm_guard_waits(&holder, error) ? waits_already(error) : 0;
}

/* Not by who only looks whether a guardian waits, nor by who never says anything. */
static bool asks(int fd)
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
	*ret_allowed = peer_trusted(fd) && asks(fd);
	return fd;
}
