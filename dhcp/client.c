#include "dhcp/client.h"

#include "dhcp/udhcpc_script.h"
#include "lib/capability.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A user and group for DHCP clients only; `nobody` may be shared with other programs. systemd lists
 * 60706 to 61183 as unused (UIDS-GIDS.md), and a user namespace with 65536 users, the usual number,
 * contains them. */
#define CLIENT_USER          61077
#define CLIENT_USER_VARIABLE "MVAPPLY_DHCP_USER"

/* The exit code if no client is installed. */
#define CLIENT_ABSENT 126

#define HEX_SIZE (2 * CLIENT_ID_MAX + 1)

static bool path_try(const char *folder, size_t length, const char *name, char path[PATH_MAX])
{
	int size = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name);
	return length && folder[0] == '/' && size < PATH_MAX && access(path, X_OK) == 0;
}

static bool path_search(const char *folders, const char *name, char path[PATH_MAX])
{
	for (const char *at = folders; at && *at;) {
		const size_t length = strcspn(at, ":");
		if (path_try(at, length, name, path))
			return true;
		at += length + (at[length] == ':');
	}
	return false;
}

bool client_find(char path[PATH_MAX])
{
	static const char *const names[] = {"udhcpc", "busybox"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (path_search(getenv("PATH"), names[i], path) ||
		    path_search("/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", names[i], path))
			return true;
	return false;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vdprintf(STDERR_FILENO, format, args);
	va_end(args);
	_exit(127);
}

/* Closes the inherited descriptors. Linux 5.9. */
static void descriptors_close(void)
{
#ifdef SYS_close_range
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, SCRIPT_FD - 1, 0);
	(void)syscall(SYS_close_range, SCRIPT_FD + 1, UINT_MAX, 0);
#endif
}

/* Standard input is the broker's, /dev/null. */
static void output_take(int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
}

/* The last step before exec, since another descriptor may have this number. */
static void program_take(int program)
{
	/* dup2(2) of a descriptor to itself keeps FD_CLOEXEC. */
	if (program == SCRIPT_FD)
		(void)fcntl(program, F_SETFD, 0);
	else
		dup2(program, SCRIPT_FD);
}

/* The variable can set another user if that one is taken. It must be numeric: resolving a name
 * would read files. */
static uid_t client_user(void)
{
	const char *text = getenv(CLIENT_USER_VARIABLE);
	char *end = NULL;
	const unsigned long user = text ? strtoul(text, &end, 10) : 0;
	return user > 0 && user < UINT32_MAX && *end == '\0' ? (uid_t)user : CLIENT_USER;
}

/* The client processes packets of the LAN: it runs as a user of its own, if its user namespace has
 * that user, and keeps only the capabilities for packet sockets and for the DHCP client port. */
static void rights_drop(void)
{
	const uid_t user = client_user();
	(void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	(void)!setgroups(0, NULL);
	(void)!setresgid(user, user, user);
	(void)!setresuid(user, user, user);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    capabilities_keep(CAPABILITY_BIT(CAP_NET_RAW) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE),
			      true) < 0)
		fail("its capabilities cannot be dropped: %s", strerror(errno));
}

static void signals_default(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_DFL);
}

static const char *client_id_hex(const struct client_id *id, char text[HEX_SIZE])
{
	for (size_t i = 0; i < id->size; i++)
		snprintf(text + 2 * i, 3, "%02x", id->bytes[i]);
	return text;
}

struct words {
	char *items[48];
	size_t count;
};

static void word_add(struct words *words, const char *word)
{
	/* execve(2) does not change these. */
	words->items[words->count++] = (char *)(uintptr_t)word;
}

/* Requests only the options that a lease has (lease.h), and sends a host name. */
static void options_add(struct words *words, const struct dhcp_request *request)
{
	static char name[80], addr[IP_TEXT_SIZE];
	/* Subnet mask, router, name servers, domain, static routes, search list, classless static
	 * routes, and Microsoft's: a number is no error for a udhcpc that was built without the
	 * name. */
	static const char *const options[] = {"1", "3", "6", "15", "33", "119", "121", "249"};
	word_add(words, "-o");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		word_add(words, "-O");
		word_add(words, options[i]);
	}
	if (*request->host_name) {
		snprintf(name, sizeof(name), "hostname:%s", request->host_name);
		word_add(words, "-x");
		word_add(words, name);
	}
	if (request->addr.family) {
		word_add(words, "-r");
		word_add(words, ip_format(&request->addr, addr));
	}
	if (request->broadcast)
		word_add(words, "-B");
}

/* With -R, udhcpc releases the lease on a signal; with -q it would end by itself without
 * releasing. */
static void client_run(const struct dhcp_request *request)
{
	const bool release = request->operation == DHCP_RELEASE;
	char path[PATH_MAX], hex[HEX_SIZE], id[HEX_SIZE + 8], tries[12];
	struct words words = {.count = 0};
	if (!client_find(path))
		_exit(CLIENT_ABSENT);
	snprintf(id, sizeof(id), "0x3d:%s", client_id_hex(&request->client_id, hex));
	snprintf(tries, sizeof(tries), "%d", release ? CLIENT_RELEASE_TRIES : CLIENT_LEASE_TRIES);
	const char *const always[] = {
		"udhcpc", "-f",
		"-n",     release ? "-R" : "-q",
		"-i",     request->link,
		"-s",     SCRIPT_PATH,
		"-x",     id,
		"-V",     "mvapply",
		"-t",     tries,
		"-T",     "1",
	};
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		word_add(&words, always[i]);
	options_add(&words, request);
	static char variable[] = SCRIPT_VARIABLE "=1";
	char *environment[] = {variable, NULL};
	execve(path, words.items, environment);
	fail("%s cannot be run: %s", path, strerror(errno));
}

void client_become(const struct dhcp_request *request, int netns, int output, int program)
{
	(void)setpgid(0, 0);
	signals_default();
	output_take(output);
	if (setns(netns, CLONE_NEWNET) < 0)
		fail("its network namespace cannot be entered: %s", strerror(errno));
	program_take(program);
	descriptors_close();
	(void)!chdir("/");
	rights_drop();
	/* After the change of credentials, which resets it (commit_creds). */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	client_run(request);
	_exit(127);
}

/* The last line with printable characters, without unprintable ones. */
static void last_line(const char *output, char text[sizeof(((struct dhcp_answer *)0)->text)])
{
	size_t end = strlen(output), start, used = 0;
	while (end && output[end - 1] == '\n')
		end--;
	for (start = end; start && output[start - 1] != '\n'; start--)
		;
	for (; start < end && used + 1 < sizeof(((struct dhcp_answer *)0)->text); start++)
		text[used++] = output[start] >= ' ' && output[start] <= '~' ? output[start] : '?';
	text[used] = '\0';
}

static enum dhcp_result result_of(int status, const char *output)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == CLIENT_ABSENT)
		return DHCP_ABSENT;
	if (lease_refusal(output))
		return DHCP_UNFIT;
	if (strstr(output, "no lease") || WIFSIGNALED(status))
		return DHCP_SILENT;
	return DHCP_FAILED;
}

struct dhcp_answer client_answer(const struct dhcp_request *request, int status, const char *output)
{
	struct dhcp_answer answer = {.result = result_of(status, output)};
	const bool leased = lease_parse(output, &answer.lease);
	const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (leased && (ended || request->operation == DHCP_RELEASE))
		answer.result = DHCP_DONE;
	last_line(output, answer.text);
	if (answer.result == DHCP_UNFIT)
		snprintf(answer.text, sizeof(answer.text), "%s", lease_refusal(output));
	else if (answer.result == DHCP_FAILED && !*answer.text)
		snprintf(answer.text, sizeof(answer.text),
			 "it exited with code %d and without a message", WEXITSTATUS(status));
	return answer;
}
