#include "lib/read_full.h"

#include <errno.h>
#include <string.h>
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

ssize_t read_standard_input(struct arena *arena, size_t room, char **ret_bytes, struct error *error)
{
	*ret_bytes = arena_alloc(arena, room);
	const ssize_t size = read_full(STDIN_FILENO, *ret_bytes, room);
	if (size < 0)
		return error_set(error, errno, "cannot read the standard input: %s",
				 strerror(errno));
	return size;
}
