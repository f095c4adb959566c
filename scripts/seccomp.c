/* seccomp mvapply|dhcp: writes the filter of system calls that mvapply runs under (cmd/sandbox.c),
 * or that the DHCP broker and its clients do (dhcp/broker_sandbox.c), as elements of an array of
 * struct sock_filter. It is made when mvapply is built, as libseccomp takes a millisecond for it:
 * longer than mvapply itself for a host that is as it should be. */
#include <asm/termbits.h> /* for TCGETS, whose number has the size of struct termios on some machines */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* System calls that both filters allow, whatever the arguments. Of calls that do the same, an
 * architecture and a C library have one or the other. */
/* clang-format off */
static const char *const allowed[] = {
	/* Memory. */
	"brk", "munmap", "mremap", "madvise",
	/* Threads. */
	"set_tid_address", "set_robust_list", "rseq", "futex", "futex_time64", "membarrier",
	"sched_yield", "sched_getaffinity", "arch_prctl", "set_thread_area", "exit", "exit_group",
	"restart_syscall",
	/* Signals, and abort(). */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "signalfd4",
	"tgkill", "tkill", "getpid", "gettid",
	/* Identity, machine, and limits. */
	"getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo", "prctl", "getrlimit",
	"ugetrlimit", "setrlimit",
	/* Time, if the vDSO does not provide it. */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
	"time", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64",
	/* Open files. */
	"read", "readv", "pread64", "write", "writev", "lseek", "_llseek", "close", "fcntl",
	"fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "close_range",
	/* Files by their names. */
	"stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "fstatat64",
	"newfstatat", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "getdents64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "chdir",
	/* To wait. */
	"poll", "ppoll", "ppoll_time64", "select", "pselect6", "pselect6_time64",
	/* Sockets, of the families that are checked below. */
	"bind", "connect", "getsockname", "setsockopt", "getsockopt", "send", "sendto", "sendmsg",
	"recv", "recvfrom", "recvmsg",
	/* Processes: the confirm guard, DHCP clients, and what closes packet sockets. */
	"fork", "getpgrp", "getpgid", "kill", "wait4", "waitid",
	/* Hashes of libraries with secrets. */
	"getrandom",
#ifdef SANITIZED
	/* LeakSanitizer stops the threads and reads their memory. */
	"ptrace", "process_vm_readv", "getdents", "getppid", "personality", "mincore",
#endif
};

/* Besides, for mvapply. */
static const char *const allowed_mvapply[] = {
	/* Output files, which are renamed into their place. */
	"open", "openat", "fchmod", "fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat",
	/* To wait. */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	"inotify_init1", "inotify_add_watch", "inotify_rm_watch", "pidfd_open",
	/* Sockets. */
	"listen", "accept4", "getpeername", "sendmmsg", "recvmmsg", "recvmmsg_time64", "shutdown",
	/* The confirm guard has a session of its own. */
	"setsid",
};

/* Besides, for the DHCP broker: its clients give up their rights, and become udhcpc. That is another
 * program, with the C library that the machine has. */
static const char *const allowed_dhcp[] = {
	"execve", "vfork", "setpgid", "getppid", "getsid", "capset", "capget", "setgroups",
	"setgroups32", "setresgid", "setresgid32", "setresuid", "setresuid32", "getresuid",
	"getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32",
	"umask", "alarm", "setitimer", "getitimer", "times", "getuid32", "geteuid32", "getgid32",
	"getegid32", "waitpid", "fadvise64",
};
/* clang-format on */

/* clone(2)'s flags are its second argument there. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

struct condition {
	unsigned argument;
	scmp_datum_t mask, value; /* (argument & mask) == value */
};

/* System calls that are restricted to some arguments: any matching row allows the call. */
struct checked {
	const char *call;
	struct condition first, second; /* second: mask 0 is none */
};

static const struct checked checked[] = {
	/* Memory is either written or run, and is not made to run later: libcurl's loading maps its
	 * file to run. */
	{"mmap", {2, PROT_WRITE, 0}, {0}},
	{"mmap", {2, PROT_EXEC, 0}, {0}},
	{"mmap2", {2, PROT_WRITE, 0}, {0}},
	{"mmap2", {2, PROT_EXEC, 0}, {0}},
	{"mprotect", {2, PROT_EXEC, 0}, {0}},
	/* Threads and processes, in no namespace of their own. Not clone3, whose flags are in
	 * memory: the C library takes clone instead. */
	{"clone", {CLONE_FLAGS, NAMESPACES, 0}, {0}},
	/* Into network namespaces, and no other kind. */
	{"setns", {1, UINT32_MAX, CLONE_NEWNET}, {0}},
	/* Not TIOCSTI and the like, which insert input into the terminal. */
	{"ioctl", {1, UINT32_MAX, TCGETS}, {0}},
	{"ioctl", {1, UINT32_MAX, NS_GET_NSTYPE}, {0}},
	/* Its own limits. */
	{"prlimit64", {0, UINT32_MAX, 0}, {0}},
};

static const struct checked checked_mvapply[] = {
	{"ioctl", {1, UINT32_MAX, TIOCGWINSZ}, {0}},
	{"ioctl", {1, UINT32_MAX, TIOCGPGRP}, {0}},
	{"ioctl", {1, UINT32_MAX, TCFLSH}, {0}},
	{"ioctl", {1, UINT32_MAX, FIONREAD}, {0}},
	{"ioctl", {1, UINT32_MAX, FIONBIO}, {0}},
	{"ioctl", {1, UINT32_MAX, NS_GET_USERNS}, {0}},
	{"ioctl", {1, UINT32_MAX, NS_GET_OWNER_UID}, {0}},
	{"ioctl", {1, UINT32_MAX, SIOCGSKNS}, {0}},
};

/* Flags of open(2) by which a file is made, or can be changed. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC)
static const struct checked checked_dhcp[] = {
	/* To read: the broker is user 0, whose files are the machine's. */
	{"open", {1, WRITES, O_RDONLY}, {0}},
	{"openat", {2, WRITES, O_RDONLY}, {0}},
	/* The client queries its link. */
	{"ioctl", {1, UINT32_MAX, SIOCGIFINDEX}, {0}},
	{"ioctl", {1, UINT32_MAX, SIOCGIFHWADDR}, {0}},
	{"ioctl", {1, UINT32_MAX, SIOCGIFADDR}, {0}},
	{"ioctl", {1, UINT32_MAX, SIOCGIFFLAGS}, {0}},
	{"ioctl", {1, UINT32_MAX, SIOCGIFMTU}, {0}},
};

/* Of a socket's type: the rest is SOCK_CLOEXEC and SOCK_NONBLOCK (net/socket.c: SOCK_TYPE_MASK). */
#define TYPE 0xf

struct socket_call {
	unsigned number; /* of the system call */
	struct condition first, second;
};

/* New sockets. The filter checks them in front of libseccomp's part, for two faults of libseccomp
 * 2.5.4. Where the C library makes sockets by socketcall(2) (i386, s390x), libseccomp turns a rule
 * for one family into one for all of them, as it cannot compare arguments in memory. And its code
 * for 32 bits compares a netlink protocol with a family. */
static const struct socket_call sockets_mvapply[] = {
	/* Systemd, engines, the lock; rtnetlink; announcements. None that leads out of the machine
	 * by its routes. */
	{SYS_socket, {0, UINT32_MAX, AF_UNIX}, {0}},
	{SYS_socket, {0, UINT32_MAX, AF_PACKET}, {0}},
	{SYS_socket, {0, UINT32_MAX, AF_NETLINK}, {2, UINT32_MAX, NETLINK_ROUTE}},
	{SYS_socket, {0, UINT32_MAX, AF_NETLINK}, {2, UINT32_MAX, NETLINK_USERSOCK}},
	{SYS_socket, {0, UINT32_MAX, AF_NETLINK}, {2, UINT32_MAX, NETLINK_SOCK_DIAG}},
	{SYS_socketpair, {0, UINT32_MAX, AF_UNIX}, {0}},
};

static const struct socket_call sockets_dhcp[] = {
	{SYS_socket, {0, UINT32_MAX, AF_PACKET}, {0}},
	/* The client sends UDP to the server once it has an address (give_up). */
	{SYS_socket, {0, UINT32_MAX, AF_INET}, {1, TYPE, SOCK_DGRAM}},
	{SYS_socket, {0, UINT32_MAX, AF_INET}, {1, TYPE, SOCK_RAW}},
#ifdef SYS_socketcall
	/* Of any family: udhcpc has the machine's C library, not lib/direct_socket.c. */
	{SYS_socketcall, {0, UINT32_MAX, 1 /* SYS_SOCKET */}, {0}},
#endif
};

static void die(const char *what, int status)
{
	fprintf(stderr, "seccomp: %s: %s\n", what, strerror(-status));
	exit(1);
}

/* Calls that this libseccomp or this architecture lacks are not allowed, either. */
static void allow(scmp_filter_ctx filter, const char *call, unsigned count,
		  const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(call);
	if (number == __NR_SCMP_ERROR)
		return;
	int status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, conditions);
	if (status < 0)
		die(call, status);
}

static struct scmp_arg_cmp compared(const struct condition *condition)
{
	return SCMP_CMP(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask, condition->value);
}

static void allow_checked(scmp_filter_ctx filter, const struct checked *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct scmp_arg_cmp conditions[] = {compared(&rows[i].first),
							  compared(&rows[i].second)};
		allow(filter, rows[i].call, rows[i].second.mask ? 2 : 1, conditions);
	}
}

static void allow_named(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		allow(filter, names[i], 0, NULL);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_WORD 4
#else
#define LOW_WORD 0
#endif

static void step(unsigned code, unsigned yes, unsigned no, unsigned value)
{
	printf("{%#x, %u, %u, %#x},\n", code, yes, no, value);
}

static void load(size_t offset)
{
	step(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

#define COMPARE_STEPS 3

/* Skips `otherwise` steps if the argument differs. Its low 32 bits are compared: it is an int. */
static void compare(const struct condition *condition, unsigned otherwise)
{
	load(offsetof(struct seccomp_data, args) + condition->argument * sizeof(uint64_t) +
	     LOW_WORD);
	step(BPF_ALU | BPF_AND | BPF_K, 0, 0, (unsigned)condition->mask);
	step(BPF_JMP | BPF_JEQ | BPF_K, 0, otherwise, (unsigned)condition->value);
}

static unsigned call_steps(const struct socket_call *call)
{
	return 3 + (call->second.mask ? 2 : 1) * COMPARE_STEPS;
}

static void print_call(const struct socket_call *call)
{
	load(offsetof(struct seccomp_data, nr));
	step(BPF_JMP | BPF_JEQ | BPF_K, 0, call_steps(call) - 2, call->number);
	compare(&call->first, call->second.mask ? COMPARE_STEPS + 1 : 1);
	if (call->second.mask)
		compare(&call->second, 1);
	step(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Calls of another architecture are left to libseccomp's part, which ends the process. */
static void print_calls(const struct socket_call *calls, size_t count)
{
	unsigned steps = 0;
	for (size_t i = 0; i < count; i++)
		steps += call_steps(&calls[i]);
	load(offsetof(struct seccomp_data, arch));
	step(BPF_JMP | BPF_JEQ | BPF_K, 0, steps, seccomp_arch_native());
	for (size_t i = 0; i < count; i++)
		print_call(&calls[i]);
}

static void print_sockets(bool dhcp)
{
	if (dhcp)
		print_calls(sockets_dhcp, COUNT(sockets_dhcp));
	else
		print_calls(sockets_mvapply, COUNT(sockets_mvapply));
}

static void allow_all(scmp_filter_ctx filter, bool dhcp)
{
	allow_named(filter, allowed, COUNT(allowed));
	allow_checked(filter, checked, COUNT(checked));
	if (dhcp) {
		allow_named(filter, allowed_dhcp, COUNT(allowed_dhcp));
		allow_checked(filter, checked_dhcp, COUNT(checked_dhcp));
	} else {
		allow_named(filter, allowed_mvapply, COUNT(allowed_mvapply));
		allow_checked(filter, checked_mvapply, COUNT(checked_mvapply));
	}
}

/* From libseccomp's binary form, which it writes to descriptors alone. */
static void print(scmp_filter_ctx filter)
{
	FILE *file = tmpfile();
	int status = file ? seccomp_export_bpf(filter, fileno(file)) : -errno;
	if (status < 0)
		die("export", status);
	rewind(file);
	struct sock_filter read;
	while (fread(&read, sizeof(read), 1, file) == 1)
		step(read.code, read.jt, read.jf, read.k);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: seccomp mvapply|dhcp", -EINVAL);
	/* As a kernel answers that does not have the call: the C library then does without. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		die("init", -ENOMEM);
	/* A binary tree instead of a list. */
	int status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (status < 0)
		die("optimize", status);
	const bool dhcp = strcmp(argv[1], "dhcp") == 0;
	allow_all(filter, dhcp);
	print_sockets(dhcp);
	print(filter);
	seccomp_release(filter);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
