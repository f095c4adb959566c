#include "tests/unit/seccomp_probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void seccomp_needed(void)
{
	struct sock_filter step = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {.len = 1, .filter = &step};
	int status;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status)
		skip();
}
