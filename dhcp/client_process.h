/* One DHCP client process of the broker (broker_server.h), from its start to the answer. */
#ifndef DHCP_CLIENT_PROCESS_H
#define DHCP_CLIENT_PROCESS_H

#include "dhcp/protocol.h"

#include <stdint.h>
#include <sys/types.h>

/* What it may say. */
#define OUTPUT_SIZE 4096

struct run {
	pid_t pid; /* 0: none */
	struct dhcp_request request;
	int pipe;      /* its output; -1: closed */
	int answer;    /* -1: nobody waits for it any more */
	int64_t end;   /* clock_milliseconds() by which it is killed */
	bool reported; /* to end, having released */
	char output[OUTPUT_SIZE];
	size_t used;
};

/* Starts a client for run->request, in the network namespace; run->answer becomes its own. A run
 * that cannot begin is answered as failed. */
void run_begin(struct run *run, int netns, int program);
/* Reads what the pipe has. */
void run_read_output(struct run *run);
/* The requester is gone: kills the client, which would keep the namespace. */
void run_abandon(struct run *run);
/* Answers if it has ended, whatever it left behind in its process group. */
void run_reap(struct run *run);
/* How many milliseconds it has left; kills it when its time is over. */
int64_t run_left(struct run *run, int64_t now);

/* Writes a failed answer, and closes the descriptor. */
void answer_failed(int fd, const char *text);

#endif
