#include "dhcp/broker_sandbox.h"

#include "lib/capability.h"
#include "lib/seccomp.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/prctl.h>

/* The capabilities to enter namespaces, to run clients as another user and end them, and those of
 * the clients. */
static const uint64_t kept = CAPABILITY_BIT(CAP_SYS_ADMIN) | CAPABILITY_BIT(CAP_SETUID) |
			     CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_KILL) |
			     CAPABILITY_BIT(CAP_NET_RAW) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE);

static int filter_install(void)
{
	static struct sock_filter steps[] = {
#include "seccomp_dhcp.inc"
	};
	return seccomp_install(steps, sizeof(steps) / sizeof(steps[0]));
}

int broker_confine(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	(void)filter_install();
	return capabilities_keep(kept, false);
}
