#include "container_engine/lxc_command.h"

#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 1000

/* struct lxc_cmd_req and struct lxc_cmd_rsp. The pid is in the place of the pointer. */
enum { LXC_CMD_GET_INIT_PID = 4 };
struct request {
	int command, size;
	const void *data;
};
struct answer {
	int status, size;
	intptr_t pid;
};

static int not_answered(struct error *error, const char *folder)
{
	return error_set(error, errno, "LXC's command socket @%s/command: %s", folder,
			 errno == EAGAIN ? "no answer within a second" : strerror(errno));
}

/* Returns a connected descriptor. */
static int monitor_connect(const char *folder, struct error *error)
{
	char name[ABSTRACT_NAME_SIZE];
	if (snprintf(name, sizeof(name), "%s/command", folder) >= (int)sizeof(name))
		return error_set(error, ENAMETOOLONG, "%s: %s", folder, strerror(ENAMETOOLONG));
	const int fd = abstract_connect(name, SOCK_STREAM, PATIENCE_MS);
	if (fd >= 0)
		return fd;
	errno = fd == -ECONNREFUSED ? ENOENT : -fd;
	return not_answered(error, folder);
}

/* The monitor's number of the process is valid here. */
static bool in_our_pid_namespace(pid_t pid)
{
	char path[32], its[64], ours[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	const ssize_t size = readlink(path, its, sizeof(its));
	return size > 0 && readlink("/proc/self/ns/pid", ours, sizeof(ours)) == size &&
	       memcmp(its, ours, (size_t)size) == 0;
}

/* Any process can bind the name while the container does not run. The process that called listen(2)
 * has ended: lxc-start becomes a daemon after it. */
static int monitor_check(const struct ucred *credentials, const char *folder, struct error *error)
{
	char text[PEER_TEXT_SIZE];
	const struct peer peer = peer_of_sender(credentials);
	if (peer.trusted && in_our_pid_namespace(peer.pid))
		return 0;
	error_set(error, EINVAL, "LXC's command socket @%s/command belongs to %s%s", folder,
		  peer_text(&peer, text), peer.trusted ? " in another process namespace" : "");
	error_hint(error,
		   "only a monitor that runs as root is trusted: `ss -xlp` shows the socket");
	return error_code(error, CODE_NAMESPACE);
}

/* With the credentials of the process that sent it. As recvmsg(2). */
static ssize_t answer_receive(int fd, struct answer *answer, struct ucred *ret_sender)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(*ret_sender))];
	} control = {0};
	struct iovec part = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	*ret_sender = (struct ucred){.uid = peer_unknown.uid};
	const ssize_t size = recvmsg(fd, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = size >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
	    header->cmsg_len == CMSG_LEN(sizeof(*ret_sender)))
		memcpy(ret_sender, CMSG_DATA(header), sizeof(*ret_sender));
	return size;
}

/* A monitor that ends closes the connection. */
static pid_t answer_read(const struct answer *answer, ssize_t size, const char *folder,
			 struct error *error)
{
	const bool whole = size == (ssize_t)sizeof(*answer);
	if (size == 0 || (whole && answer->status == 0 && answer->pid <= 0))
		return error_set(error, ENOENT, "%s has no process", folder);
	if (!whole || answer->status != 0 || answer->pid > INT_MAX)
		return error_set(error, EPROTO, "LXC's command socket @%s/command: %s", folder,
				 "invalid answer");
	return (pid_t)answer->pid;
}

pid_t lxc_init_pid(const char *folder, struct error *error)
{
	const int on = 1;
	const struct request request = {.command = LXC_CMD_GET_INIT_PID};
	struct answer answer = {0};
	struct ucred sender;
	cleanup_close int fd = monitor_connect(folder, error);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    send(fd, &request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request))
		return not_answered(error, folder);
	const ssize_t size = answer_receive(fd, &answer, &sender);
	if (size < 0)
		return not_answered(error, folder);
	const int checked = size > 0 ? monitor_check(&sender, folder, error) : 0;
	return checked < 0 ? checked : answer_read(&answer, size, folder, error);
}

/* Cuts the folder out of a line of /proc/net/unix (unix_seq_show): seven fields, then the name, '@'
 * for an abstract one. NULL: not the name of a monitor's socket. */
static const char *monitor_folder(char *line)
{
	static const char suffix[] = "/command";
	int start = 0;
	(void)sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %n", &start);
	char *name = line + start;
	name[strcspn(name, "\n")] = '\0';
	const size_t length = strlen(name);
	if (!start || strncmp(name, "@/", 2) != 0 || length <= sizeof(suffix) + 1 ||
	    strcmp(name + length - (sizeof(suffix) - 1), suffix) != 0)
		return NULL;
	name[length - (sizeof(suffix) - 1)] = '\0';
	return name + 1;
}

void lxc_list(void (*visit)(void *data, const char *folder), void *data)
{
	cleanup_free char *line = NULL;
	size_t size = 0;
	cleanup_fclose FILE *file = fopen("/proc/net/unix", "re");
	while (file && getline(&line, &size, file) > 0) {
		const char *folder = monitor_folder(line);
		if (folder)
			visit(data, folder);
	}
}
