#include "lib/fd_message.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
};

ssize_t fd_message_send(int socket, const void *bytes, size_t size, const int *fds, size_t n_fds,
			int flags)
{
	union control control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n_fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(*fds));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(*fds));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(*fds));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | flags);
}

/* The kernel fills the room of the control message, which alignment may have made larger than that
 * of the expected descriptors. */
static void descriptors_take(const struct cmsghdr *header, int *fds, size_t n_fds)
{
	int received[sizeof(union control) / sizeof(int)];
	const size_t size = header->cmsg_len - CMSG_LEN(0);
	if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(received, CMSG_DATA(header), size);
	for (size_t i = 0; i < size / sizeof(int); i++)
		if (i < n_fds)
			fds[i] = received[i];
		else
			close(received[i]);
}

ssize_t fd_message_receive(int socket, void *bytes, size_t size, int *fds, size_t n_fds)
{
	union control control = {0};
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = CMSG_LEN(n_fds * sizeof(*fds))};
	const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
	for (size_t i = 0; i < n_fds; i++)
		fds[i] = -1;
	if (header)
		descriptors_take(header, fds, n_fds);
	return got;
}
