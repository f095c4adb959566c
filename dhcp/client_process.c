#include "dhcp/client_process.h"

#include "dhcp/client.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A killed client that has not ended by then is killed again. */
#define KILLED_MS 1000

static void answer_write(int fd, const struct dhcp_answer *answer)
{
	if (fd < 0)
		return;
	(void)!write(fd, answer, sizeof(*answer));
	close(fd);
}

void answer_failed(int fd, const char *text)
{
	struct dhcp_answer answer = {.result = DHCP_FAILED};
	snprintf(answer.text, sizeof(answer.text), "%s", text);
	answer_write(fd, &answer);
}

/* Kills the process group, for a script that the client left, and the client itself, which may have
 * changed its group. */
static void run_kill(const struct run *run)
{
	kill(-run->pid, SIGKILL);
	kill(run->pid, SIGKILL);
}

void run_begin(struct run *run, int netns, int program)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		answer_failed(run->answer, strerror(errno));
		return;
	}
	cleanup_close int output = ends[0], client_end = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		client_become(&run->request, netns, client_end, program);
	if (pid < 0) {
		answer_failed(run->answer, strerror(errno));
		return;
	}
	/* setpgid(2) in parent and child: it takes effect whichever of them runs first. */
	(void)setpgid(pid, pid);
	run->pid = pid;
	run->pipe = fd_steal(&output);
	run->end = clock_milliseconds() + RUN_MS;
}

static bool output_full(const struct run *run)
{
	return run->used + 1 >= sizeof(run->output);
}

/* Output beyond the buffer is read and dropped, so that the client does not block. 0: the end;
 * negative: nothing is pending. */
static ssize_t output_read(struct run *run)
{
	char overflow[256];
	if (output_full(run))
		return read(run->pipe, overflow, sizeof(overflow));
	ssize_t size =
		read(run->pipe, run->output + run->used, sizeof(run->output) - 1 - run->used);
	if (size > 0)
		run->used += (size_t)size;
	run->output[run->used] = '\0';
	return size;
}

static void pipe_close(struct run *run)
{
	close(run->pipe);
	run->pipe = -1;
}

/* A release starts with a renewal: the client is ended, and so releases, once it has the lease. */
void run_read_output(struct run *run)
{
	struct lease lease;
	if (output_read(run) == 0)
		pipe_close(run);
	if (run->request.operation == DHCP_RELEASE && !run->reported &&
	    lease_parse(run->output, &lease)) {
		run->reported = true;
		kill(run->pid, SIGTERM);
	}
}

void run_abandon(struct run *run)
{
	close(run->answer);
	run->answer = -1;
	run_kill(run);
}

/* Kill the group before wait(2), while its id is still reserved. */
void run_reap(struct run *run)
{
	siginfo_t ended = {.si_pid = 0};
	int status = 0;
	if (waitid(P_PID, (id_t)run->pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || !ended.si_pid)
		return;
	run_kill(run);
	(void)waitpid(run->pid, &status, 0);
	while (run->pipe >= 0 && !output_full(run) && output_read(run) > 0)
		;
	if (run->pipe >= 0)
		pipe_close(run);
	const struct dhcp_answer answer = client_answer(&run->request, status, run->output);
	answer_write(run->answer, &answer);
	run->pid = 0;
}

int64_t run_left(struct run *run, int64_t now)
{
	if (run->end <= now) {
		run_kill(run);
		run->end = now + KILLED_MS;
	}
	return run->end - now;
}
