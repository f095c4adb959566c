/* Processes that are identified by their folders in /proc. */
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/between.h"

/* A process with a name that looks like the fields behind it. */
static pid_t child_begin(void)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "a) R 1 (2 3");
		close(ready[0]);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* it has its name */
	close(ready[0]);
	return pid;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_started(void **state)
{
	struct error error;
	(void)state;
	const int64_t before = process_now();
	const pid_t pid = child_begin();
	const int64_t after = process_now();
	int process = process_open(pid, &error);
	assert_true(process >= 0);
	/* Rounded up to a tick. */
	assert_between(process_started(process), before, after + 1000 / sysconf(_SC_CLK_TCK));
	child_end(pid);
	assert_int_equal(process_started(process), -1);
	close(process);
}

/* The descriptor is invalid once the process has ended, even while it is a zombie. */
static void test_process_ended(void **state)
{
	struct error error;
	(void)state;
	const pid_t pid = child_begin();
	siginfo_t info;
	int process = process_open(pid, &error);
	int namespace = openat(process, "ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(namespace >= 0);
	close(namespace);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(openat(process, "ns/net", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(openat(process, "ns/net", O_RDONLY | O_CLOEXEC), -1);
	close(process);
	assert_int_equal(process_open(pid, &error), -ENOENT);
	assert_int_equal(process_open(INT_MAX, &error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_started),
		cmocka_unit_test(test_process_ended),
	};
	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
