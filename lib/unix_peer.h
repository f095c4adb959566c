/* The process at the other end of a unix socket, and whether it is trusted. Any process of a host
 * can bind an abstract name, or connect to one. */
#ifndef LIB_UNIX_PEER_H
#define LIB_UNIX_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PEER_NAME_SIZE 16 /* TASK_COMM_LEN */
#define PEER_TEXT_SIZE 128

struct peer {
	pid_t pid; /* in this process's pid namespace; 0: not visible there, or unknown */
	uid_t uid; /* in this process's user namespace, at the time of connect(2) or listen(2) */
	char name[PEER_NAME_SIZE]; /* name of its program, printable; "": unknown */
	bool trusted;
};

/* An unknown process: user -1. */
extern const struct peer peer_unknown;

/* Finds the process that called connect(2) on the other end of `fd`, or listen(2) if `fd` is the
 * connecting end. It is trusted if it was user 0 or the user of this process, and has CAP_NET_ADMIN
 * in this process's user namespace now. User 0 alone is not sufficient: a container has a user 0
 * too, possibly in the host's network namespace. A process is not trusted if it has ended, if it is
 * hidden by another pid namespace, or if it must not be read (its user namespace requires
 * CAP_SYS_PTRACE, or all of its capabilities). */
struct peer peer_of(int fd);

/* The same for the process that sent a message, by the message's SCM_CREDENTIALS: a listening
 * socket can outlive the process that called listen(2), as that of a daemon that forks after it. */
struct peer peer_of_sender(const struct ucred *credentials);

/* Whether the peer is trusted, for callers that need nothing else. */
bool peer_trusted(int fd);

/* Only the user of the peer; -1: unknown. */
uid_t peer_user(int fd);

/* "process 4711 (nc) of user 0, without CAP_NET_ADMIN", into the caller's text. */
const char *peer_text(const struct peer *peer, char text[PEER_TEXT_SIZE]);

/* The name of the process's program, printable; "" if there is no process with that id. */
const char *process_name(pid_t pid, char name[PEER_NAME_SIZE]);

/* The limit in milliseconds for which connect(2) waits while the listener's queue is full; the
 * default is no limit. connect(2) then fails with EAGAIN. Applies to later sends, too. */
void peer_patience(int fd, unsigned milliseconds);

#endif
