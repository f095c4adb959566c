/* spent ROUNDS PROGRAM [ARGUMENT...]: runs the program so often, one run after the other, without
 * its output, and prints for each run MICROSECONDS KIBIBYTES CODE from its start to its end, its
 * memory at the most, and its exit code. A small program for it: what a child starts with of its
 * parent's memory counts as its own. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double microseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	if (argc < 3)
		return 3;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t pid;
		int status;
		struct rusage usage;
		const double start = now_us();
		errno = posix_spawnp(&pid, argv[2], &actions, NULL, argv + 2, environ);
		if (errno || wait4(pid, &status, 0, &usage) < 0) {
			fprintf(stderr, "spent: %s: %s\n", argv[2], strerror(errno));
			return 1;
		}
		printf("%.1f %.1f %ld %d\n", now_us() - start,
		       microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	posix_spawn_file_actions_destroy(&actions);
	return 0;
}
