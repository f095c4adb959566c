/* One DHCP client process of the broker (broker_server.h), from its start to the answer. */
#ifndef DHCP_CLIENT_PROCESS_H
#define DHCP_CLIENT_PROCESS_H

#include "dhcp/protocol.h"

#include <stdint.h>
#include <sys/types.h>

/* The limit of a client's output in bytes. */
#define OUTPUT_SIZE 16384

struct run {
	pid_t pid; /* 0: no process */
	struct dhcp_request request;
	int pipe;      /* its output; -1: closed */
	int answer;    /* -1: the requester is gone */
	int64_t end;   /* clock_milliseconds() at which it is killed */
	bool reported; /* it was ended after its release */
	char output[OUTPUT_SIZE];
	size_t used;
};

/* Starts a client for run->request in the network namespace; takes over run->answer. A run that
 * cannot begin is answered as failed. */
void run_begin(struct run *run, int netns, int program);
/* Reads pending output. */
void run_read_output(struct run *run);
/* The requester is gone: kills the client, which would keep the namespace. */
void run_abandon(struct run *run);
/* Answers if the client has ended, whatever processes remain in its group. */
void run_reap(struct run *run);
/* The remaining milliseconds of the client; kills it when they are used up. */
int64_t run_left(struct run *run, int64_t now);

/* Writes a failed answer, and closes the descriptor. */
void answer_failed(int fd, const char *text);

#endif
