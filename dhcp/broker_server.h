/* The DHCP broker process. It is forked before mvapply drops its privileges, runs DHCP clients, and
 * does nothing else. It exits when its socket is closed. */
#ifndef DHCP_BROKER_SERVER_H
#define DHCP_BROKER_SERVER_H

/* Gives up all rights that it does not need, says by an int whether it could (0, or an errno, which
 * is its end), and serves the requests (protocol.h) that come by the socket; `program` is mvapply
 * itself, open. Does not return. Whoever asks may have been taken over: a request is believed
 * nothing but to be of a link in some network namespace that is not the host's. */
__attribute__((noreturn)) void broker_serve(int socket, int program);

#endif
