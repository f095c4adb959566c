#include "lib/abstract_socket.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

socklen_t abstract_address(const char *name, struct sockaddr_un *ret)
{
	const size_t length = strnlen(name, ABSTRACT_NAME_SIZE);
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path + 1, name, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

int abstract_connect(const char *name, int type, unsigned milliseconds)
{
	struct sockaddr_un address;
	const socklen_t size = abstract_address(name, &address);
	const struct timeval patience = {.tv_sec = milliseconds / 1000,
					 .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
	cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	peer_patience(fd, milliseconds);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, size) < 0)
		return -errno;
	return fd_steal(&fd);
}

int abstract_listen(const char *name, int type)
{
	struct sockaddr_un address;
	const socklen_t size = abstract_address(name, &address);
	cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return fd_steal(&fd);
}

size_t abstract_receive(int fd, char **ret)
{
	const ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	*ret = NULL;
	if (size <= 0 || (size_t)size > ABSTRACT_MESSAGE_MAX)
		return 0;
	*ret = memory_new(1, (size_t)size + 1);
	if (recv(fd, *ret, (size_t)size, MSG_DONTWAIT) == size)
		return (size_t)size;
	free(*ret);
	*ret = NULL;
	return 0;
}
