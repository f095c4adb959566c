/* The system calls that the two seccomp filters allow: that of mvapply, and that of the DHCP broker
 * and its clients. Each call is made in a process of its own. A first filter answers with EXFULL
 * instead of the kernel, so that no call has an effect: the kernel takes the stricter of two
 * answers, and of two errors that of the newer filter. */
#include "cmd/sandbox.h"
#include "dhcp/broker_sandbox.h"
#include "tests/unit/seccomp_probe.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum filter { MVAPPLY, BROKER, FILTERS };

static const char *const filter_names[FILTERS] = {"mvapply", "broker"};

/* As exit codes: a sanitizer that ends the process says 1. */
enum answer { FAILED = 1, PASSES = 10, REFUSED, KILLED };

static const char *const answer_names[] = {
	[FAILED] = "failed",
	[PASSES] = "passes",
	[REFUSED] = "is refused (ENOSYS)",
	[KILLED] = "is killed",
};

static bool oracle_install(void)
{
	/* The calls to install the next filter, and to end: AddressSanitizer queries the signal
	 * stack before a call that does not return, and ends the process if that fails. */
	static struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capget, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXFULL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(steps) / sizeof(steps[0]),
					   .filter = steps};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool filter_install(enum filter filter)
{
	static const struct command watch = {.groups = OPTIONS_COMMON | OPTIONS_FILES |
						       OPTIONS_HOST | OPTIONS_WATCH};
	static const struct options options;
	if (filter == BROKER)
		return broker_confine() == 0;
	confine(&watch, &options);
	return true;
}

__attribute__((noreturn)) static void call_make(enum filter filter, long number,
						const long arguments[5])
{
	if (!oracle_install() || !filter_install(filter))
		_exit(FAILED);
	errno = 0;
	const long result = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
				    arguments[4]);
	_exit(result < 0 && errno == ENOSYS ? REFUSED : PASSES);
}

static enum answer answer_of(enum filter filter, long number, const long arguments[5])
{
	int status;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		call_make(filter, number, arguments);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLED;
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
	return code == PASSES || code == REFUSED ? (enum answer)code : FAILED;
}

static void answer_check(enum filter filter, const char *name, long number, const long arguments[5],
			 enum answer expected)
{
	const enum answer answer = answer_of(filter, number, arguments);
	if (answer != expected)
		fail_msg("%s: %s %s; expected: %s", filter_names[filter], name,
			 answer_names[answer], answer_names[expected]);
}

/* A bit that the kernel ignores (an int in a 64-bit register). Other registers have none. */
#define ABOVE (sizeof(long) > sizeof(int) ? (long)(INT64_C(1) << 32) : 0)

static const struct row {
	const char *name;
	long number, arguments[5];
	enum answer expected[FILTERS];
	bool sanitizer; /* AddressSanitizer makes it */
} rows[] = {
	/* Other processes and their memory. */
	{"ptrace", SYS_ptrace, {PTRACE_ATTACH, 1}, {REFUSED, REFUSED}, true},
	{"ptrace traceme", SYS_ptrace, {PTRACE_TRACEME}, {REFUSED, REFUSED}, true},
	{"process_vm_readv", SYS_process_vm_readv, {1}, {REFUSED, REFUSED}, true},
	{"process_vm_writev", SYS_process_vm_writev, {1}, {REFUSED, REFUSED}, false},
	{"pidfd_getfd", SYS_pidfd_getfd, {3}, {REFUSED, REFUSED}, false},
	{"process_madvise", SYS_process_madvise, {3}, {REFUSED, REFUSED}, false},
	{"kcmp", SYS_kcmp, {1, 1}, {REFUSED, REFUSED}, false},
	{"prlimit64 of another", SYS_prlimit64, {1}, {REFUSED, REFUSED}, false},
	{"prlimit64", SYS_prlimit64, {0}, {PASSES, PASSES}, false},
	{"kill", SYS_kill, {1}, {PASSES, PASSES}, false},
	/* The kernel. */
	{"kexec_load", SYS_kexec_load, {0}, {REFUSED, REFUSED}, false},
#ifdef SYS_kexec_file_load /* not on i386 */
	{"kexec_file_load", SYS_kexec_file_load, {3}, {REFUSED, REFUSED}, false},
#endif
	{"init_module", SYS_init_module, {0}, {REFUSED, REFUSED}, false},
	{"finit_module", SYS_finit_module, {3}, {REFUSED, REFUSED}, false},
	{"delete_module", SYS_delete_module, {0}, {REFUSED, REFUSED}, false},
	{"reboot", SYS_reboot, {0}, {REFUSED, REFUSED}, false},
	{"bpf", SYS_bpf, {0}, {REFUSED, REFUSED}, false},
	{"perf_event_open", SYS_perf_event_open, {0}, {REFUSED, REFUSED}, false},
	{"userfaultfd", SYS_userfaultfd, {0}, {REFUSED, REFUSED}, false},
	{"io_uring_setup", SYS_io_uring_setup, {1}, {REFUSED, REFUSED}, false},
	{"io_uring_enter", SYS_io_uring_enter, {3}, {REFUSED, REFUSED}, false},
	{"add_key", SYS_add_key, {0}, {REFUSED, REFUSED}, false},
	{"request_key", SYS_request_key, {0}, {REFUSED, REFUSED}, false},
	{"keyctl", SYS_keyctl, {0}, {REFUSED, REFUSED}, false},
	{"syslog", SYS_syslog, {3}, {REFUSED, REFUSED}, false},
	{"sethostname", SYS_sethostname, {0}, {REFUSED, REFUSED}, false},
	{"settimeofday", SYS_settimeofday, {0}, {REFUSED, REFUSED}, false},
	{"clock_settime", SYS_clock_settime, {0}, {REFUSED, REFUSED}, false},
	{"swapon", SYS_swapon, {0}, {REFUSED, REFUSED}, false},
	{"seccomp", SYS_seccomp, {0}, {REFUSED, REFUSED}, false},
	{"no such call", 1000, {0}, {REFUSED, REFUSED}, false},
	/* File systems. */
	{"mount", SYS_mount, {0}, {REFUSED, REFUSED}, false},
	{"umount2", SYS_umount2, {0}, {REFUSED, REFUSED}, false},
	{"move_mount", SYS_move_mount, {3}, {REFUSED, REFUSED}, false},
	{"fsopen", SYS_fsopen, {0}, {REFUSED, REFUSED}, false},
	{"open_tree", SYS_open_tree, {3}, {REFUSED, REFUSED}, false},
	{"chroot", SYS_chroot, {0}, {REFUSED, REFUSED}, false},
	{"pivot_root", SYS_pivot_root, {0}, {REFUSED, REFUSED}, false},
	{"open_by_handle_at", SYS_open_by_handle_at, {3}, {REFUSED, REFUSED}, false},
	{"name_to_handle_at", SYS_name_to_handle_at, {3}, {REFUSED, REFUSED}, false},
	{"mknodat", SYS_mknodat, {3}, {REFUSED, REFUSED}, false},
	{"fchownat", SYS_fchownat, {3}, {REFUSED, REFUSED}, false},
	{"fchmodat", SYS_fchmodat, {3}, {REFUSED, REFUSED}, false},
	{"setxattr", SYS_setxattr, {0}, {REFUSED, REFUSED}, false},
	{"symlinkat", SYS_symlinkat, {0}, {REFUSED, REFUSED}, false},
	{"linkat", SYS_linkat, {3}, {REFUSED, REFUSED}, false},
	{"openat to read", SYS_openat, {3, 0, O_RDONLY | O_CLOEXEC}, {PASSES, PASSES}, false},
	{"openat to write", SYS_openat, {3, 0, O_WRONLY}, {PASSES, REFUSED}, false},
	{"openat to read and write", SYS_openat, {3, 0, O_RDWR}, {PASSES, REFUSED}, false},
	{"openat to create", SYS_openat, {3, 0, O_RDONLY | O_CREAT}, {PASSES, REFUSED}, false},
	{"openat to truncate", SYS_openat, {3, 0, O_RDONLY | O_TRUNC}, {PASSES, REFUSED}, false},
	{"openat without a name", SYS_openat, {3, 0, O_TMPFILE | O_RDWR}, {PASSES, REFUSED}, false},
	{"openat2", SYS_openat2, {3}, {REFUSED, REFUSED}, false},
	{"truncate", SYS_truncate, {0}, {REFUSED, REFUSED}, false},
	{"ftruncate", SYS_ftruncate, {3}, {REFUSED, REFUSED}, false},
	{"mkdirat", SYS_mkdirat, {3}, {REFUSED, REFUSED}, false},
	{"renameat2", SYS_renameat2, {3}, {PASSES, REFUSED}, false},
	{"unlinkat", SYS_unlinkat, {3}, {PASSES, REFUSED}, false},
	{"fchmod", SYS_fchmod, {3}, {PASSES, REFUSED}, false},
	{"fsync", SYS_fsync, {3}, {PASSES, REFUSED}, false},
	{"inotify_add_watch", SYS_inotify_add_watch, {3}, {PASSES, REFUSED}, false},
	{"pidfd_open", SYS_pidfd_open, {1}, {PASSES, REFUSED}, false},
	{"read", SYS_read, {3}, {PASSES, PASSES}, false},
	/* Programs and rights. */
	{"execve", SYS_execve, {0}, {REFUSED, PASSES}, false},
	{"execveat", SYS_execveat, {3}, {REFUSED, REFUSED}, false},
	{"setuid", SYS_setuid, {0}, {REFUSED, REFUSED}, false},
	{"setresuid", SYS_setresuid, {1, 1, 1}, {REFUSED, PASSES}, false},
	{"setresgid", SYS_setresgid, {1, 1, 1}, {REFUSED, PASSES}, false},
	{"setgroups", SYS_setgroups, {0}, {REFUSED, PASSES}, false},
	{"capset", SYS_capset, {0}, {REFUSED, PASSES}, false},
	{"personality", SYS_personality, {0}, {REFUSED, REFUSED}, true},
	{"prctl", SYS_prctl, {PR_GET_NAME}, {PASSES, PASSES}, false},
	/* Namespaces. */
	{"unshare", SYS_unshare, {CLONE_NEWUSER}, {REFUSED, REFUSED}, false},
	{"unshare of nothing", SYS_unshare, {0}, {REFUSED, REFUSED}, false},
	{"clone3", SYS_clone3, {0}, {REFUSED, REFUSED}, false},
	{"setns to a network", SYS_setns, {3, CLONE_NEWNET}, {PASSES, PASSES}, false},
	{"setns to any kind", SYS_setns, {3, 0}, {REFUSED, REFUSED}, false},
	{"setns to two", SYS_setns, {3, CLONE_NEWNET | CLONE_NEWNS}, {REFUSED, REFUSED}, false},
	{"NS_GET_NSTYPE", SYS_ioctl, {3, NS_GET_NSTYPE}, {PASSES, PASSES}, false},
	{"NS_GET_USERNS", SYS_ioctl, {3, NS_GET_USERNS}, {PASSES, REFUSED}, false},
	{"SIOCGSKNS", SYS_ioctl, {3, SIOCGSKNS}, {PASSES, REFUSED}, false},
	{"NS_GET_PARENT", SYS_ioctl, {3, NS_GET_PARENT}, {REFUSED, REFUSED}, false},
	/* Memory. */
	{"mmap to write", SYS_mmap, {0, 4096, PROT_WRITE}, {PASSES, PASSES}, false},
	{"mmap to run", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC}, {PASSES, PASSES}, false},
	{"mmap to write and run",
	 SYS_mmap,
	 {0, 4096, PROT_WRITE | PROT_EXEC},
	 {REFUSED, REFUSED},
	 false},
	{"mprotect to read", SYS_mprotect, {0, 4096, PROT_READ}, {PASSES, PASSES}, false},
	{"mprotect to run", SYS_mprotect, {0, 4096, PROT_EXEC}, {REFUSED, REFUSED}, false},
	{"pkey_mprotect", SYS_pkey_mprotect, {0, 4096, PROT_EXEC}, {REFUSED, REFUSED}, false},
	{"memfd_create", SYS_memfd_create, {0}, {REFUSED, REFUSED}, false},
	{"shmat", SYS_shmat, {0}, {REFUSED, REFUSED}, false},
	/* Terminals, links. */
	{"TIOCSTI", SYS_ioctl, {0, TIOCSTI}, {REFUSED, REFUSED}, false},
	{"TIOCSTI with more bits", SYS_ioctl, {0, ABOVE | TIOCSTI}, {REFUSED, REFUSED}, false},
	{"TIOCSETD", SYS_ioctl, {0, TIOCSETD}, {REFUSED, REFUSED}, false},
	{"TCGETS", SYS_ioctl, {0, TCGETS}, {PASSES, PASSES}, false},
	{"SIOCGIFINDEX", SYS_ioctl, {3, SIOCGIFINDEX}, {REFUSED, PASSES}, false},
	{"SIOCGIFADDR", SYS_ioctl, {3, SIOCGIFADDR}, {REFUSED, PASSES}, false},
	{"SIOCSIFHWADDR", SYS_ioctl, {3, SIOCSIFHWADDR}, {REFUSED, REFUSED}, false},
	{"SIOCSIFADDR", SYS_ioctl, {3, SIOCSIFADDR}, {REFUSED, REFUSED}, false},
	{"SIOCSIFFLAGS", SYS_ioctl, {3, SIOCSIFFLAGS}, {REFUSED, REFUSED}, false},
	{"SIOCADDRT", SYS_ioctl, {3, SIOCADDRT}, {REFUSED, REFUSED}, false},
	{"SIOCETHTOOL", SYS_ioctl, {3, 0x8946}, {REFUSED, REFUSED}, false},
	/* Sockets; the rest is below. */
	{"socket TCP", SYS_socket, {AF_INET, SOCK_STREAM}, {REFUSED, REFUSED}, false},
	{"socket SCTP", SYS_socket, {AF_INET, SOCK_SEQPACKET}, {REFUSED, REFUSED}, false},
	{"socket UDP", SYS_socket, {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC}, {REFUSED, PASSES}, false},
	{"bind", SYS_bind, {3}, {PASSES, PASSES}, false},
	{"listen", SYS_listen, {3}, {PASSES, REFUSED}, false},
	{"accept4", SYS_accept4, {3}, {PASSES, REFUSED}, false},
	{"socket AF_INET6 with more bits",
	 SYS_socket,
	 {ABOVE | AF_INET6, SOCK_DGRAM},
	 {REFUSED, REFUSED},
	 false},
	{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_DGRAM}, {PASSES, REFUSED}, false},
	{"socketpair AF_TIPC", SYS_socketpair, {AF_TIPC, SOCK_DGRAM}, {REFUSED, REFUSED}, false},
#ifdef SYS_socketcall
	/* The arguments, and so the family, are in memory: numbers of linux/net.h. */
	{"socketcall socket", SYS_socketcall, {1}, {REFUSED, PASSES}, false},
	{"socketcall socket with odd arguments",
	 SYS_socketcall,
	 {1, 1, 2},
	 {REFUSED, PASSES},
	 false},
	{"socketcall bind", SYS_socketcall, {2}, {PASSES, PASSES}, false},
	{"socketcall listen", SYS_socketcall, {4}, {PASSES, REFUSED}, false},
	{"socketcall accept", SYS_socketcall, {5}, {REFUSED, REFUSED}, false},
	{"socketcall socketpair", SYS_socketcall, {8}, {REFUSED, REFUSED}, false},
	{"socketcall sendmsg", SYS_socketcall, {16}, {PASSES, PASSES}, false},
	{"socketcall accept4", SYS_socketcall, {18}, {PASSES, REFUSED}, false},
#endif
#ifdef __x86_64__
	/* Numbers of the x32 ABI, which another table handles. */
	{"x32 getpid", 0x40000000 | SYS_getpid, {0}, {KILLED, KILLED}, false},
	{"x32 execve", 0x40000000 | 520, {0}, {KILLED, KILLED}, false},
#endif
};

static void calls(void **state)
{
	(void)state;
	seccomp_needed();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum filter filter = 0; filter < FILTERS; filter++)
			if (!rows[i].sanitizer || !SANITIZED)
				answer_check(filter, rows[i].name, rows[i].number,
					     rows[i].arguments, rows[i].expected[filter]);
}

static bool family_passes(enum filter filter, long family, long protocol)
{
	if (filter == BROKER)
		return family == AF_PACKET || family == AF_INET;
	return family == AF_UNIX || family == AF_PACKET ||
	       (family == AF_NETLINK &&
		(protocol == NETLINK_ROUTE || protocol == NETLINK_USERSOCK ||
		 protocol == NETLINK_SOCK_DIAG));
}

static void socket_check(enum filter filter, long family, long protocol)
{
	char name[64];
	const long arguments[5] = {family, SOCK_RAW | SOCK_CLOEXEC, protocol};
	snprintf(name, sizeof(name), "socket(%ld, SOCK_RAW, %ld)", family, protocol);
	answer_check(filter, name, SYS_socket, arguments,
		     family_passes(filter, family, protocol) ? PASSES : REFUSED);
}

/* As the C library makes them: on some machines by socketcall(2), unless lib/direct_socket.c does.
 */
static void library_sockets(void **state)
{
	(void)state;
	seccomp_needed();
	int ends[2], status;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!filter_install(MVAPPLY))
			_exit(FAILED);
		_exit(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 &&
				      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) >=
					      0 &&
				      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
					      0
			      ? PASSES
			      : REFUSED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), PASSES);
}

/* Of all families, and of all protocols of netlink. */
static void sockets(void **state)
{
	(void)state;
	seccomp_needed();
	for (enum filter filter = 0; filter < FILTERS; filter++) {
		for (long family = 0; family < AF_MAX + 4; family++)
			socket_check(filter, family, 0);
		for (long protocol = 0; protocol < MAX_LINKS; protocol++)
			socket_check(filter, AF_NETLINK, protocol);
	}
}

/* Of each kind, by setns(2) and clone(2). */
static void namespaces(void **state)
{
	static const long kinds[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
				     CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
	(void)state;
	seccomp_needed();
	for (enum filter filter = 0; filter < FILTERS; filter++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			const long entered[5] = {3, kinds[i]};
#ifdef __s390__
			const long made[5] = {0, kinds[i] | SIGCHLD};
#else
			const long made[5] = {kinds[i] | SIGCHLD};
#endif
			answer_check(filter, "setns", SYS_setns, entered,
				     kinds[i] == CLONE_NEWNET ? PASSES : REFUSED);
			answer_check(filter, "clone", SYS_clone, made, REFUSED);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(sockets),
		cmocka_unit_test(library_sockets),
		cmocka_unit_test(namespaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
