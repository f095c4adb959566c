/* Trust in the process at the other end of a socket. */
#include "lib/unix_peer.h"

#include "lib/capability.h"

#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool has_net_admin(void)
{
	char line[256];
	unsigned long long mask = 0;
	FILE *file = fopen("/proc/self/status", "re");
	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "CapEff: %llx", &mask);
	fclose(file);
	return mask & CAPABILITY_BIT(CAP_NET_ADMIN);
}

/* An abstract address that the kernel chooses. */
static int listener_new(struct sockaddr_un *address, socklen_t *size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)), 0);
	*size = sizeof(*address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* A process that drops its capabilities, connects, and stays, or ends. */
static pid_t client_new(const struct sockaddr_un *address, socklen_t size, uint64_t kept,
			const char *name, bool stays)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (capabilities_keep(kept, false) < 0 ||
	    connect(fd, (const struct sockaddr *)address, size) < 0)
		_exit(1);
	while (stays)
		pause();
	_exit(0);
}

static struct peer peer_connected(uint64_t kept, const char *name, bool stays, pid_t *ret_pid)
{
	struct sockaddr_un address;
	socklen_t size;
	int listener = listener_new(&address, &size);
	*ret_pid = client_new(&address, size, kept, name, stays);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	if (!stays)
		assert_int_equal(waitpid(*ret_pid, NULL, 0), *ret_pid);
	const struct peer peer = peer_of(fd);
	close(fd);
	close(listener);
	if (stays) {
		kill(*ret_pid, SIGKILL);
		assert_int_equal(waitpid(*ret_pid, NULL, 0), *ret_pid);
	}
	return peer;
}

static void with_the_capability(void **state)
{
	(void)state;
	pid_t pid;
	const struct peer peer = peer_connected(UINT64_MAX, "client", true, &pid);
	assert_int_equal(peer.pid, pid);
	assert_int_equal(peer.uid, geteuid());
	assert_string_equal(peer.name, "client");
	assert_int_equal(peer.trusted, has_net_admin());
}

static void without_it(void **state)
{
	(void)state;
	pid_t pid;
	char text[PEER_TEXT_SIZE], expected[PEER_TEXT_SIZE];
	const uint64_t all_but_it = ~CAPABILITY_BIT(CAP_NET_ADMIN);
	const struct peer peer = peer_connected(all_but_it, "x\033[2J\n", true, &pid);
	assert_false(peer.trusted);
	snprintf(expected, sizeof(expected),
		 "process %d (x?[2J) of user %u, without CAP_NET_ADMIN here", (int)pid,
		 (unsigned)geteuid());
	assert_string_equal(peer_text(&peer, text), expected);
}

static void that_has_ended(void **state)
{
	(void)state;
	pid_t pid;
	assert_false(peer_connected(UINT64_MAX, "client", false, &pid).trusted);
}

static void nobody(void **state)
{
	(void)state;
	char text[PEER_TEXT_SIZE];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_false(peer_trusted(fd));
	assert_false(peer_trusted(-1));
	close(fd);
	assert_string_equal(peer_text(&peer_unknown, text), "a process that does not answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_the_capability),
		cmocka_unit_test(without_it),
		cmocka_unit_test(that_has_ended),
		cmocka_unit_test(nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
