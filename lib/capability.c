#include "lib/capability.h"

#include "lib/cleanup.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void inherit(uint64_t kept)
{
	for (unsigned long number = 0; number < 64; number++)
		if (kept & CAPABILITY_BIT(number))
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
}

int capabilities_keep(uint64_t kept, bool inherited)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= (uint32_t)(kept >> (32 * i));
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = inherited ? sets[i].permitted : 0;
	}
	int status = (int)syscall(SYS_capset, &header, sets);
	if (status == 0 && inherited)
		inherit(kept);
	return status;
}

/* CapEff of proc_pid_status(5). */
uint64_t capabilities_effective(void)
{
	cleanup_fclose FILE *file = fopen("/proc/thread-self/status", "re");
	char line[256];
	uint64_t mask = 0;
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "CapEff:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	return mask;
}
