/* Requests and releases DHCP leases through the broker process. The broker is a separate process
 * because the rest of mvapply may not execute programs (cmd/sandbox.h). */
#ifndef DHCP_BROKER_H
#define DHCP_BROKER_H

#include "dhcp/protocol.h"

struct dhcp_broker;

/* Forks the broker process, without waiting until it is ready. Call it before privileges are
 * dropped and before there are threads. If it cannot be started or cannot drop its privileges, each
 * request is answered as failed, with the reason. */
struct dhcp_broker *dhcp_broker_new(void);
/* Requests the end of the broker process, without waiting for it; NULL is allowed. */
void dhcp_broker_free(struct dhcp_broker *broker);
/* Waits until the broker is ready. Returns a descriptor that hangs up (POLLHUP) when the broker
 * ends early; -1: there is no broker. */
int dhcp_broker_descriptor(struct dhcp_broker *broker);

struct pending_request {
	int netns; /* a descriptor */
	struct dhcp_request request;
	struct dhcp_answer answer; /* the answer; set by the functions below */
};

/* Sends one request, without waiting. Returns a descriptor that is readable once the answer has
 * arrived, for dhcp_broker_receive, which closes it and does not wait; -1: the request could not be
 * sent, and its answer says so. Closing the descriptor instead ends the client. Thread safe. */
int dhcp_broker_send(struct dhcp_broker *broker, struct pending_request *pending_request);
void dhcp_broker_receive(int fd, struct dhcp_answer *ret);

/* Runs all requests concurrently and waits for the answers: a second, or CLIENT_LEASE_TRIES seconds
 * if no server answers; at most a minute if the broker does not. Thread safe. */
void dhcp_broker_request(struct dhcp_broker *broker, struct pending_request *pending_requests,
			 size_t count);

#endif
