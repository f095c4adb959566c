/* spent ROUNDS PROGRAM [ARGUMENT...]: runs the program that many times in sequence, without its
 * output, and prints for each run MICROSECONDS KIBIBYTES CODE: its duration, its peak memory, and
 * its exit code. It is a small program because a child's peak memory includes what it had of its
 * parent's at the start. It waits for the processes that the program leaves, too: the first process
 * of the benchmark's PID namespace does not, and the next run would look up each zombie's
 * namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static void wait_for_left_behind(void)
{
	while (wait(NULL) >= 0 || errno == EINTR)
		;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	if (argc < 3)
		return 3;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
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
		wait_for_left_behind();
	}
	posix_spawn_file_actions_destroy(&actions);
	return 0;
}
