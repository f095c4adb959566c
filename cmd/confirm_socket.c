#include "cmd/confirm_socket.h"

#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output_json.h"
#include "cmd/session.h"
#include "lib/printable.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SIZE 4096

/* Milliseconds that a connection waits in a full queue. A guardian empties its own at once. */
#define PATIENCE 200

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0mvapply-confirm"};
#define ADDRESS_SIZE (offsetof(struct sockaddr_un, sun_path) + 1 + strlen("mvapply-confirm"))

static int confirm_socket(struct error *error)
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

/* Somebody else may have the name, and may have filled the queue: nobody waits there. */
static int confirm_guard_connect(int fd)
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

/* What the guardian says, which is nothing where it goes back already. */
static ssize_t answer_read(int fd, char answer[ANSWER_SIZE])
{
	ssize_t used = 0, got;
	while ((got = read(fd, answer + used, ANSWER_SIZE - 1 - (size_t)used)) > 0)
		used += got;
	answer[used] = '\0';
	return used;
}

static int tell_confirmed(const struct options *options, const char *sets)
{
	if (options->output == OUTPUT_JSON)
		return json_finish(json_pack("{s:o}", "confirmed", json_text(sets)),
				   EXIT_CONVERGED);
	if (!options->quiet)
		printf("Confirmed: %s.\n", sets);
	return EXIT_CONVERGED;
}

static int ask(int fd, const struct options *options)
{
	struct error error;
	char answer[ANSWER_SIZE], text[PEER_TEXT_SIZE];
	if (confirm_guard_connect(fd) < 0) {
		error_set(&error, errno, "no apply waits for a confirmation on this host");
		error_hint(&error, "it was confirmed, or has gone back: `mvapply status` shows "
				   "what is live");
		error_code(&error, CODE_NOTHING_TO_CONFIRM);
		return run_error(&error, options);
	}
	const struct peer guard = peer_of(fd);
	if (!guard.trusted) {
		error_set(&error, EPERM, "the socket @mvapply-confirm belongs to %s",
			  peer_text(&guard, text));
		error_hint(&error, "run it as the user who ran `mvapply apply --confirm`, and in "
				   "the same container");
		return run_error(&error, options);
	}
	(void)!send(fd, "C", 1, MSG_NOSIGNAL);
	if (answer_read(fd, answer) > 0) {
		text_make_printable(answer);
		return tell_confirmed(options, answer);
	}
	error_set(&error, ETIME,
		  "not confirmed: it goes back already, or does not trust this "
		  "process, which needs CAP_NET_ADMIN");
	error_hint(&error, "`mvapply status` shows what is live");
	error_code(&error, CODE_NOTHING_TO_CONFIRM);
	return run_error(&error, options);
}

int command_confirm(const struct options *options)
{
	struct error error;
	int fd = confirm_socket(&error);
	if (fd < 0)
		return run_error(&error, options);
	int code = ask(fd, options);
	close(fd);
	return code;
}
