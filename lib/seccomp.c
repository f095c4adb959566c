#include "lib/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int seccomp_install(struct sock_filter *steps, size_t count)
{
	const struct sock_fprog program = {.len = (unsigned short)count, .filter = steps};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
