#include "lib/read_full.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_full(int fd, char *bytes, size_t room)
{
	size_t size = 0;
	while (size < room) {
		const ssize_t got = read(fd, bytes + size, room - size);
		if (got == 0)
			break;
		if (got > 0)
			size += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)size;
}
