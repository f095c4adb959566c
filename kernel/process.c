#include "kernel/process.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int process_open(pid_t pid, struct error *error)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : error_set(error, errno, "%s: %s", path, strerror(errno));
}

/* proc_pid_stat(5): starttime is the 22nd field, the 20th after the name, which can contain blanks
 * and parentheses. In ticks, rounded down. */
int64_t process_started(int process)
{
	char text[1024];
	unsigned long long ticks;
	cleanup_close int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (size <= 0)
		return -1;
	text[size] = '\0';
	const char *name_end = strrchr(text, ')');
	if (!name_end ||
	    sscanf(name_end + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%llu",
		   &ticks) != 1)
		return -1;
	return (int64_t)(ticks + 1) * 1000 / sysconf(_SC_CLK_TCK);
}

int64_t process_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
