/* inotify's buffers: each piece is the result of one read(2). */
#include "cmd/watch/file_watch.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct pieces pieces;

ssize_t __wrap_read(int fd, void *bytes, size_t size);

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	size_t length;
	const uint8_t *piece = pieces_next(&pieces, &length);
	(void)fd;
	if (!piece) {
		errno = EAGAIN;
		return -1;
	}
	if (length > size)
		length = size;
	memcpy(bytes, piece, length);
	return (ssize_t)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"/etc", "/etc/passwd"};
	static struct paths *paths;
	struct error error;
	if (!paths)
		paths = paths_new(names, 2, &error);
	HOLDS(paths);
	pieces = (struct pieces){.at = data, .left = size};
	(void)paths_touched(paths);
	return 0;
}
