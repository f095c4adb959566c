#include "lib/unix_peer.h"

#include "lib/capability.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* since Linux 6.5 */
#endif

#define PATH_SIZE 64

const struct peer peer_unknown = {.uid = (uid_t)-1};

/* Reads the beginning of a file under /proc as text. */
__attribute__((format(printf, 3, 4))) static bool proc_read(char *text, size_t size,
							    const char *format, ...)
{
	char path[PATH_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t used = fd >= 0 ? read(fd, text, size - 1) : -1;
	text[used > 0 ? used : 0] = '\0';
	return used > 0;
}

/* The text after "KEY:" at the beginning of a line. */
static const char *value_of(const char *text, const char *key)
{
	const size_t length = strlen(key);
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, length) == 0)
			return text + length;
	}
	return NULL;
}

const char *process_name(pid_t pid, char name[PEER_NAME_SIZE])
{
	if (pid <= 0 || !proc_read(name, PEER_NAME_SIZE, "/proc/%d/comm", (int)pid))
		name[0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (char *at = name; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
	return name;
}

/* A pidfd prevents reuse of the process id while the process is examined. Without SO_PEERPIDFD, the
 * process may have ended and its id may belong to another process. */
static int pidfd_of(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	return errno == ENOPROTOOPT && pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* The process id in the pid namespace of /proc, which may differ from that of this process. */
static pid_t number_in_proc(int pidfd)
{
	char text[512];
	if (!proc_read(text, sizeof(text), "/proc/self/fdinfo/%d", pidfd))
		return 0;
	const char *value = value_of(text, "Pid:");
	return value ? (pid_t)strtol(value, NULL, 10) : 0;
}

static bool has_ended(int pidfd)
{
	struct pollfd polled = {.fd = pidfd, .events = POLLIN};
	return poll(&polled, 1, 0) != 0;
}

/* Capabilities are relative to the process's user namespace, and any user can create one. */
static bool in_our_user_namespace(pid_t pid)
{
	char path[PATH_SIZE], its[PATH_SIZE], ours[PATH_SIZE];
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	ssize_t size = readlink(path, its, sizeof(its));
	return size > 0 && size < PATH_SIZE &&
	       readlink("/proc/self/ns/user", ours, sizeof(ours)) == size &&
	       memcmp(its, ours, (size_t)size) == 0;
}

static bool has_net_admin(pid_t pid)
{
	char text[4096];
	if (!proc_read(text, sizeof(text), "/proc/%d/status", (int)pid))
		return false;
	const char *value = value_of(text, "CapEff:");
	return value && strtoull(value, NULL, 16) & CAPABILITY_BIT(CAP_NET_ADMIN);
}

static void process_read(struct peer *peer, int pidfd)
{
	const pid_t pid = number_in_proc(pidfd);
	if (pid <= 0)
		return;
	process_name(pid, peer->name);
	/* A process of another user could connect and then become root through a set-user-ID
	 * program. */
	peer->trusted = (peer->uid == 0 || peer->uid == geteuid()) && has_net_admin(pid) &&
			in_our_user_namespace(pid) && !has_ended(pidfd);
}

static bool credentials_read(int fd, struct ucred *credentials)
{
	socklen_t size = sizeof(*credentials);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &size) == 0;
}

uid_t peer_user(int fd)
{
	struct ucred credentials;
	return credentials_read(fd, &credentials) ? credentials.uid : peer_unknown.uid;
}

struct peer peer_of_sender(const struct ucred *credentials)
{
	struct peer peer = {.pid = credentials->pid, .uid = credentials->uid};
	cleanup_close int pidfd = peer.pid > 0 ? (int)syscall(SYS_pidfd_open, peer.pid, 0) : -1;
	if (pidfd >= 0)
		process_read(&peer, pidfd);
	return peer;
}

struct peer peer_of(int fd)
{
	struct peer peer = peer_unknown;
	struct ucred credentials;
	if (!credentials_read(fd, &credentials))
		return peer;
	peer.pid = credentials.pid;
	peer.uid = credentials.uid;
	cleanup_close int pidfd = pidfd_of(fd, peer.pid);
	if (pidfd >= 0)
		process_read(&peer, pidfd);
	return peer;
}

bool peer_trusted(int fd)
{
	return peer_of(fd).trusted;
}

const char *peer_text(const struct peer *peer, char text[PEER_TEXT_SIZE])
{
	if (peer->uid == (uid_t)-1)
		snprintf(text, PEER_TEXT_SIZE, "a process that does not answer");
	else if (peer->pid <= 0)
		snprintf(text, PEER_TEXT_SIZE, "a process of user %u in another process namespace",
			 (unsigned)peer->uid);
	else
		snprintf(text, PEER_TEXT_SIZE, "process %d (%s) of user %u%s", (int)peer->pid,
			 *peer->name ? peer->name : "?", (unsigned)peer->uid,
			 peer->trusted ? "" : ", without CAP_NET_ADMIN here");
	return text;
}

void peer_patience(int fd, unsigned milliseconds)
{
	const struct timeval patience = {.tv_sec = milliseconds / 1000,
					 .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}
