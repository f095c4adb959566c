#include "cmd/sandbox.h"

#include "cmd/output_text.h"
#include "lib/capability.h"
#include "lib/seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct need {
	unsigned capability; /* its number */
	unsigned groups;     /* of commands */
	bool other_netns;
} needs[] = {
	/* Links, addresses, routes, nsids, sysctls; a guard also requires it of its peer
	 * (lib/unix_peer.h). */
	{CAP_NET_ADMIN, OPTIONS_HOST | OPTIONS_OBSERVE | OPTIONS_CONFIRM_GUARD, false},
	/* setns(2) into a network namespace. */
	{CAP_SYS_ADMIN, OPTIONS_HOST | OPTIONS_OBSERVE, false},
	/* /proc/PID/ns of processes with more capabilities, or of other users. */
	{CAP_SYS_PTRACE, OPTIONS_HOST | OPTIONS_OBSERVE | OPTIONS_CONFIRM_GUARD, false},
	/* Packet sockets, for announcements; the doctor checks for the capability. */
	{CAP_NET_RAW, OPTIONS_HOST, false},
	/* NETLINK_LISTEN_ALL_NSID. */
	/* Docker's plugin listens before. It keeps the capability to read the service
	 * (lib/unix_peer.h): cap_ptrace_access_check wants those that the service has. */
	{CAP_NET_BROADCAST, OPTIONS_WATCH | OPTIONS_DOCKER_PLUGIN, false},
	/* Files that only the user of sudo may read. */
	{CAP_DAC_READ_SEARCH, OPTIONS_FILES | OPTIONS_CNI, false},
	/* A folder for --metrics or --out, and the socket of a rootless engine, that belong to
	 * another user. */
	{CAP_DAC_OVERRIDE, OPTIONS_HOST, true},
};

bool capability_needed(unsigned capability, unsigned groups, bool other_netns)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].capability == capability && needs[i].groups & groups)
			return other_netns || !needs[i].other_netns;
	return false;
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);
	return value && *value;
}

static bool uses_other_netns(const struct options *options)
{
	return options->metrics || options->out || is_set("DOCKER_HOST") ||
	       is_set("CONTAINER_HOST");
}

/* User 0 must not regain capabilities by execve(2), which requires CAP_SETPCAP to prevent. */
static int capabilities_drop(unsigned groups, bool other_netns)
{
	uint64_t kept = 0;
	for (unsigned number = 0; number < 64; number++)
		if (capability_needed(number, groups, other_netns))
			kept |= CAPABILITY_BIT(number);
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
	return capabilities_keep(kept, false);
}

static int filter_install(void)
{
	static struct sock_filter steps[] = {
#include "seccomp_filter.inc"
	};
	return seccomp_install(steps, sizeof(steps) / sizeof(steps[0]));
}

static void note(const struct options *options, const char *what)
{
	char text[128];
	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	if (options->verbose)
		text_note(text);
}

void confine(const struct command *command, const struct options *options)
{
	if (capabilities_drop(command->groups, uses_other_netns(options)) < 0)
		note(options, "cannot drop the capabilities that are not needed");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		note(options, "cannot set no_new_privs");
	if (filter_install() < 0)
		note(options, "cannot filter system calls");
}
