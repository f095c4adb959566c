/* The privileges of a run. Each test drops them in a process of its own. */
#include "cmd/sandbox.h"
#include "tests/unit/seccomp_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct command watch = {.groups = OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOST |
					       OPTIONS_PLAN | OPTIONS_WATCH};
static const struct command status_command = {.groups = OPTIONS_COMMON | OPTIONS_FILES |
							OPTIONS_HOST};
static const struct command confirm = {.groups = OPTIONS_COMMON | OPTIONS_CONFIRM_GUARD};
static const struct command validate = {.groups = OPTIONS_COMMON | OPTIONS_FILES | OPTIONS_HOSTS};

static uint64_t needed(const struct command *command, bool other_netns)
{
	uint64_t mask = 0;
	for (unsigned i = 0; i < 64; i++)
		if (capability_needed(i, command->groups, other_netns))
			mask |= UINT64_C(1) << i;
	return mask;
}

#define BIT(capability) (UINT64_C(1) << (capability))
#define ALL_HOST                                                                                   \
	(BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) |        \
	 BIT(CAP_DAC_READ_SEARCH))

static void by_command(void **state)
{
	(void)state;
	assert_int_equal(needed(&validate, true), BIT(CAP_DAC_READ_SEARCH));
	assert_int_equal(needed(&confirm, true), BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_PTRACE));
	assert_int_equal(needed(&status_command, false), ALL_HOST);
	assert_int_equal(needed(&watch, false), ALL_HOST | BIT(CAP_NET_BROADCAST));
	assert_int_equal(needed(&watch, true),
			 ALL_HOST | BIT(CAP_NET_BROADCAST) | BIT(CAP_DAC_OVERRIDE));
}

/* Runs `body` in a child; it returns NULL, or an error text. */
static void in_child(const char *(*body)(void))
{
	int ends[2], code;
	char output[256] = "";
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const char *wrong = body();
		if (wrong && write(ends[1], wrong, strlen(wrong)) < 0)
			_exit(2);
		_exit(wrong ? 1 : 0);
	}
	close(ends[1]);
	assert_true(read(ends[0], output, sizeof(output) - 1) >= 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_string_equal(output, "");
	assert_int_equal(code, 0);
}

static uint64_t status(const char *key)
{
	char line[256];
	uint64_t value = UINT64_MAX;
	FILE *file = fopen("/proc/self/status", "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key), NULL, 16);
	if (file)
		fclose(file);
	return value;
}

static const char *rights_are_few(void)
{
	const uint64_t had = status("CapPrm:");
	confine(&watch, &(struct options){0});
	const uint64_t kept = had & needed(&watch, false);
	if (status("CapPrm:") != kept || status("CapEff:") != kept)
		return "not the capabilities that it needs";
	if (status("CapInh:") || status("CapAmb:"))
		return "capabilities can be inherited";
	if ((had & BIT(CAP_SETPCAP)) && !(prctl(PR_GET_SECUREBITS) & SECBIT_NOROOT_LOCKED))
		return "root gets them back";
	if (status("NoNewPrivs:") != 1)
		return "new privileges are possible";
	if (status("Seccomp:") != SECCOMP_MODE_FILTER)
		return "there is no filter";
	return NULL;
}

static void rights(void **state)
{
	(void)state;
	seccomp_needed();
	in_child(rights_are_few);
}

/* A forbidden system call, with arguments that would be harmless in the kernel, or cause another
 * errno. */
static const struct forbidden {
	const char *name;
	long number, arguments[4];
} forbidden[] = {
	{"execve", SYS_execve, {0}},
	{"execveat", SYS_execveat, {-1}},
	{"unshare", SYS_unshare, {CLONE_NEWUSER}},
	{"unshare", SYS_unshare, {0}},
	{"setns of any kind", SYS_setns, {-1, 0}},
	{"setns of mounts", SYS_setns, {-1, CLONE_NEWNS}},
	{"clone of a namespace", SYS_clone, {CLONE_NEWUTS | CLONE_THREAD}},
	{"clone3", SYS_clone3, {0, 0}},
	{"socket AF_INET", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
	{"socket AF_INET6", SYS_socket, {AF_INET6, SOCK_STREAM, 0}},
	{"socket NETLINK_GENERIC", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
	{"socket NETLINK_NETFILTER", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
	{"socket NETLINK_XFRM", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_XFRM}},
	{"socket AF_VSOCK", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}},
	{"ioctl TIOCSTI", SYS_ioctl, {-1, TIOCSTI}},
	{"ioctl NS_GET_PARENT", SYS_ioctl, {-1, NS_GET_PARENT}},
	{"mmap to write and run",
	 SYS_mmap,
	 {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE}},
	{"mprotect to write and run", SYS_mprotect, {0, 4096, PROT_WRITE | PROT_EXEC}},
	{"mprotect to run", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
	{"prlimit64 of another", SYS_prlimit64, {1, 0, 0, 0}},
	{"mount", SYS_mount, {0}},
	{"umount2", SYS_umount2, {0}},
	{"chroot", SYS_chroot, {0}},
	{"pivot_root", SYS_pivot_root, {0}},
	{"bpf", SYS_bpf, {-1}},
	{"keyctl", SYS_keyctl, {-1}},
	{"io_uring_setup", SYS_io_uring_setup, {0}},
	{"perf_event_open", SYS_perf_event_open, {0}},
	{"userfaultfd", SYS_userfaultfd, {-1}},
	{"open_by_handle_at", SYS_open_by_handle_at, {-1}},
	{"process_vm_writev", SYS_process_vm_writev, {-1}},
	{"pidfd_getfd", SYS_pidfd_getfd, {-1}},
	{"init_module", SYS_init_module, {0}},
	{"finit_module", SYS_finit_module, {-1}},
	{"kexec_load", SYS_kexec_load, {0}},
	{"reboot", SYS_reboot, {0}},
	{"setuid", SYS_setuid, {-1}},
	{"capset", SYS_capset, {0}},
	{"mknodat", SYS_mknodat, {-1}},
};

static const char *calls_are_few(void)
{
	static char wrong[128];
	confine(&watch, &(struct options){0});
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		const struct forbidden *call = &forbidden[i];
		errno = 0;
		long result = syscall(call->number, call->arguments[0], call->arguments[1],
				      call->arguments[2], call->arguments[3], 0, 0);
		if (result >= 0 || errno != ENOSYS) {
			snprintf(wrong, sizeof(wrong), "%s: %ld, %s", call->name, result,
				 strerror(errno));
			return wrong;
		}
	}
	return NULL;
}

static void calls(void **state)
{
	(void)state;
	seccomp_needed();
	in_child(calls_are_few);
}

static void *nothing(void *data)
{
	return data;
}

static const char *work_continues(void)
{
	pthread_t thread;
	void *result = NULL;
	confine(&watch, &(struct options){0});
	if (pthread_create(&thread, NULL, nothing, &result) != 0 ||
	    pthread_join(thread, &result) != 0 || result != &result)
		return "no threads";
	const int families[] = {AF_UNIX, AF_NETLINK};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		int fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return "no sockets";
		close(fd);
	}
	/* The lock, and the search for its holder (kernel/netlink_lock.c). */
	const int protocols[] = {NETLINK_USERSOCK, NETLINK_SOCK_DIAG};
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		int lock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocols[i]);
		if (lock < 0)
			return "no lock";
		close(lock);
	}
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || ioctl(own, NS_GET_NSTYPE) != CLONE_NEWNET)
		return "no look at a namespace";
	if (setns(own, CLONE_NEWNET) < 0 && errno != EPERM)
		return "no way into a namespace";
	return NULL;
}

static void work(void **state)
{
	(void)state;
	seccomp_needed();
	in_child(work_continues);
}

/* As in a container that forbids it: reported with -v, and not fatal. */
static const char *notes(bool verbose, const char *expected)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = 5, .filter = steps};
	char output[512] = "";
	int ends[2];
	if (pipe(ends) < 0 || dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return "no rules to try it under";
	confine(&validate, &(struct options){.verbose = verbose});
	close(STDERR_FILENO);
	if (read(ends[0], output, sizeof(output) - 1) < 0 || strcmp(output, expected) != 0)
		return "another message was expected";
	return NULL;
}

static const char *notes_are_printed(void)
{
	return notes(true, "mvapply: note: cannot drop the capabilities that are not needed: "
			   "Operation not permitted\n"
			   "mvapply: note: cannot set no_new_privs: Operation not permitted\n"
			   "mvapply: note: cannot filter system calls: Operation not "
			   "permitted\n");
}

static const char *notes_are_kept(void)
{
	return notes(false, "");
}

static void unconfined(void **state)
{
	(void)state;
	seccomp_needed();
	in_child(notes_are_printed);
	in_child(notes_are_kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_command), cmocka_unit_test(rights),     cmocka_unit_test(calls),
		cmocka_unit_test(work),       cmocka_unit_test(unconfined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
