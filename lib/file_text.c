#include "lib/file_text.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE 4096

static char *rest_read(int fd)
{
	size_t room = 2 * PAGE, used = 0;
	char *text = memory_new(room, 1);
	for (ssize_t got; (got = read(fd, text + used, room - used - 1)) != 0;) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return NULL;
		}
		used += (size_t)got;
		if (room - used <= PAGE) {
			room *= 2;
			text = memory_or_die(realloc(text, room));
		}
	}
	text[used] = '\0';
	return text;
}

char *file_text(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : rest_read(fd);
}

char *file_text_of(int fd)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? NULL : rest_read(fd);
}
