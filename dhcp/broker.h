/* Requests and releases DHCP leases through the broker process. A process of its own is needed
 * because the rest of mvapply may not execute programs (cmd/sandbox.h). */
#ifndef DHCP_BROKER_H
#define DHCP_BROKER_H

#include "dhcp/protocol.h"

struct dhcp_broker;

/* Starts the helper by fork(2), and does not wait until it is ready: to be called before rights are
 * given up, and before there are threads. Where it cannot be started, or cannot give its own rights
 * up, each request is answered as failed, and says why. */
struct dhcp_broker *dhcp_broker_new(void);
/* Tells it to end, and does not wait for that; NULL is taken. */
void dhcp_broker_free(struct dhcp_broker *broker);
/* Waits until the helper is ready. Hangs up (POLLHUP) when the helper ends before it is told to;
 * -1: there is none. */
int dhcp_broker_descriptor(struct dhcp_broker *broker);

struct pending_request {
	int netns; /* a descriptor */
	struct dhcp_request request;
	struct dhcp_answer answer; /* filled in */
};

/* Makes one, without waiting. Returns a descriptor that is readable once the answer is there, for
 * dhcp_broker_receive, which closes it and does not wait; -1: it could not be made, and is answered
 * as failed. To close it instead ends the client. Several threads may. */
int dhcp_broker_send(struct dhcp_broker *broker, struct pending_request *pending_request);
void dhcp_broker_receive(int fd, struct dhcp_answer *ret);

/* Makes all requests side by side, and waits for the answers: a second, or CLIENT_LEASE_TRIES
 * where no server answers; a minute at the most where the helper does not. Several threads may ask.
 */
void dhcp_broker_request(struct dhcp_broker *broker, struct pending_request *pending_requests,
			 size_t count);

#endif
