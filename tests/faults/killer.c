/* killer [-p PID | -s FD | -e] NUMBER CALL[,CALL...] [COMMAND...]
 *
 * Runs the command, or attaches to a running process, and kills it with SIGKILL directly before the
 * NUMBERth system call of those named ("all", or of sendto, sendmsg, recvmmsg, write, setns,
 * openat, clone, wait4), counted over all of its threads. Exits with 0 if it was killed, with 1 if
 * it ended before (prints the number of calls), and with 2 if it could not be traced. With -p it
 * prints "ready" once it counts. NUMBER 0 never kills. With -s it does not kill: directly before
 * that call it writes a byte to FD, waits for a reply byte, continues the command and exits with
 * its code. With -e it replaces the command: it prints nothing and exits with the code of the
 * command, or with 137 if it was killed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

struct hunt {
	pid_t prey;
	unsigned long number, count;
	const char *calls;
	int meanwhile; /* a descriptor; 0: kill the process */
	bool as_command;
};

static const struct {
	const char *name;
	unsigned long long number;
} known[] = {{"sendto", SYS_sendto}, {"sendmsg", SYS_sendmsg}, {"recvmmsg", SYS_recvmmsg},
	     {"write", SYS_write},   {"setns", SYS_setns},     {"openat", SYS_openat},
	     {"clone", SYS_clone},   {"wait4", SYS_wait4}};

static bool counts(const char *calls, unsigned long long number)
{
	if (strcmp(calls, "all") == 0)
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number && strstr(calls, known[i].name))
			return true;
	return false;
}

static int broke(const char *what)
{
	fprintf(stderr, "killer: %s: %s\n", what, strerror(errno));
	return 2;
}

/* Whether the thread is about to make the system call before which it is killed. */
static bool strikes(struct hunt *hunt, pid_t thread)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || !counts(hunt->calls, info.entry.nr))
		return false;
	return ++hunt->count == hunt->number;
}

/* The signal that is delivered to the stopped thread when it continues. */
static int signal_of(int status)
{
	int number = WSTOPSIG(status);
	return status >> 16 || number == (SIGTRAP | 0x80) ? 0 : number;
}

static int ended(const struct hunt *hunt, int status)
{
	if (hunt->meanwhile || hunt->as_command)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	printf("%lu\n", hunt->count);
	return 1;
}

static int killed(const struct hunt *hunt)
{
	int status;
	kill(hunt->prey, SIGKILL);
	/* wait(2) reports the first thread's end after that of all others. */
	while (waitpid(-1, &status, __WALL) > 0)
		;
	return hunt->as_command ? 128 + SIGKILL : 0;
}

/* Waits for the reply of the process at the other end. */
static void wait_meanwhile(const struct hunt *hunt)
{
	char byte = 0;
	if (write(hunt->meanwhile, &byte, 1) != 1 || read(hunt->meanwhile, &byte, 1) < 0)
		broke("its state cannot be read");
}

static int hunt_on(struct hunt *hunt)
{
	int status = 0;
	for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0;) {
		if (!WIFSTOPPED(status)) {
			if (thread == hunt->prey)
				return ended(hunt, status);
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && strikes(hunt, thread)) {
			if (!hunt->meanwhile)
				return killed(hunt);
			wait_meanwhile(hunt);
		}
		ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(long)signal_of(status));
	}
	return ended(hunt, status);
}

static int start(struct hunt *hunt, char *const command[])
{
	int status;
	hunt->prey = fork();
	if (hunt->prey < 0)
		return broke("fork");
	if (hunt->prey == 0) {
		raise(SIGSTOP);
		execvp(command[0], command);
		_exit(broke(command[0]));
	}
	if (waitpid(hunt->prey, &status, WUNTRACED) < 0 ||
	    ptrace(PTRACE_SEIZE, hunt->prey, NULL, (void *)OPTIONS) < 0)
		return broke(command[0]);
	kill(hunt->prey, SIGCONT);
	return ptrace(PTRACE_INTERRUPT, hunt->prey, NULL, NULL) < 0 ? broke(command[0]) : 0;
}

static int seize(struct hunt *hunt)
{
	if (ptrace(PTRACE_SEIZE, hunt->prey, NULL, (void *)OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, hunt->prey, NULL, NULL) < 0)
		return broke("it cannot be traced");
	puts("ready");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct hunt hunt = {0};
	int at = 1;
	if (argc > 2 && strcmp(argv[1], "-p") == 0) {
		hunt.prey = (pid_t)atoi(argv[2]);
		at = 3;
	}
	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		hunt.meanwhile = atoi(argv[2]);
		fcntl(hunt.meanwhile, F_SETFD, FD_CLOEXEC);
		at = 3;
	}
	if (argc > 1 && strcmp(argv[1], "-e") == 0) {
		hunt.as_command = true;
		at = 2;
	}
	if (argc < at + 2 || (!hunt.prey && argc < at + 3)) {
		fputs("killer [-p PID | -s FD | -e] NUMBER CALLS [COMMAND...]\n", stderr);
		return 2;
	}
	hunt.number = strtoul(argv[at], NULL, 10);
	hunt.calls = argv[at + 1];
	int status = hunt.prey ? seize(&hunt) : start(&hunt, argv + at + 2);
	return status ? status : hunt_on(&hunt);
}
