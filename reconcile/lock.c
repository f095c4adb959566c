#include "reconcile/apply.h"

#include "base/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

/* A setting that each network namespace has of its own, and that only CAP_NET_ADMIN over it can
 * open (mode 0600; net_ctl_permissions in net/sysctl_net.c): nobody else can hold it. It is not
 * read. Another mount of procfs has another inode for it. */
#define LOCK_FILE "/proc/sys/net/ipv4/tcp_fastopen_key"

/* Abstract (a leading NUL): it vanishes with its process, and each network namespace has its own,
 * whatever is mounted. But anybody can take it. */
static const struct sockaddr_un lock_address = {.sun_family = AF_UNIX, .sun_path = "\0mvapply"};
#define LOCK_ADDRESS_SIZE (offsetof(struct sockaddr_un, sun_path) + 1 + strlen("mvapply"))

/* So often, a millisecond each, is a holder asked that does not listen, and so long one whose queue
 * is full. One of us begins to listen right after it has the name, with a queue for all. */
#define SILENCE_MAX 500

/* Waits. Returns -1 where it cannot be opened: no procfs, or no right to. */
static int file_take(void)
{
	int fd = open(LOCK_FILE, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		return -1;
	}
	return fd;
}

static int lock_socket(struct error *error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd
		       : error_set(error, errno, "cannot open a socket for the lock: %s",
				   strerror(errno));
}

static int stranger(struct error *error)
{
	error_hint(error, "`ss --unix --listening --processes src @mvapply` shows it: end it");
	return -EBUSY;
}

/* Blocks until the holder is gone: it never accepts, so that the connection breaks with it. */
static int holder_follow(int fd, struct error *error)
{
	struct ucred peer;
	char byte;
	if (peer_of(fd, &peer) && !peer_trusted(&peer)) {
		error_set(error, EBUSY,
			  "the lock @mvapply is held by process %d of user %u, who is not root",
			  (int)peer.pid, (unsigned)peer.uid);
		return stranger(error);
	}
	while (read(fd, &byte, sizeof(byte)) < 0 && errno == EINTR)
		;
	return 0;
}

static int holder_wait(unsigned *silence, struct error *error)
{
	int fd = lock_socket(error);
	if (fd < 0)
		return fd;
	int status = 0;
	peer_patience(fd, SILENCE_MAX);
	if (connect(fd, (const struct sockaddr *)&lock_address, LOCK_ADDRESS_SIZE) == 0) {
		*silence = 0;
		status = holder_follow(fd, error);
	} else if (errno == EAGAIN || ++*silence > SILENCE_MAX) {
		error_set(error, EBUSY, "the lock @mvapply is held by what is no mvapply");
		status = stranger(error);
	} else {
		usleep(1000);
	}
	close(fd);
	return status;
}

/* Waits for whoever else of us has it. Returns a descriptor, -EBUSY for a stranger's, or another
 * negative errno. */
static int name_take(struct error *error)
{
	unsigned silence = 0;
	for (;;) {
		int fd = lock_socket(error);
		if (fd < 0)
			return fd;
		if (bind(fd, (const struct sockaddr *)&lock_address, LOCK_ADDRESS_SIZE) == 0 &&
		    listen(fd, SOMAXCONN) == 0)
			return fd;
		int errnum = errno;
		close(fd);
		if (errnum != EADDRINUSE)
			return error_set(error, errnum, "cannot take the lock @mvapply: %s",
					 strerror(errnum));
		int status = holder_wait(&silence, error);
		if (status < 0)
			return status;
	}
}

int apply_lock(struct apply_lock *ret_lock, struct error *error)
{
	struct error failure;
	struct apply_lock lock = {.file = file_take()};
	lock.name = name_take(&failure);
	/* Who has the file need not care for a stranger. */
	if (lock.name < 0 && (lock.name != -EBUSY || lock.file < 0)) {
		int status = lock.name;
		apply_unlock(&lock);
		*error = failure;
		return status;
	}
	*ret_lock = lock;
	return 0;
}

void apply_unlock(const struct apply_lock *lock)
{
	if (lock->name >= 0)
		close(lock->name);
	if (lock->file >= 0)
		close(lock->file);
}
