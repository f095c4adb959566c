/* The process at the other end of a unix socket, and whether it is trusted. Any process of a host
 * can bind an abstract name, or connect to one. */
#ifndef LIB_UNIX_PEER_H
#define LIB_UNIX_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define PEER_NAME_SIZE 16 /* TASK_COMM_LEN */
#define PEER_TEXT_SIZE 128

struct peer {
	pid_t pid; /* in our process namespace; 0: it has no number there, or is not known */
	uid_t uid; /* in our user namespace, when it called connect(2) or listen(2) */
	char name[PEER_NAME_SIZE]; /* of its program, printable; "": not known */
	bool trusted;
};

/* Of nobody: user -1. */
extern const struct peer peer_unknown;

/* Finds the process that called connect(2) on the other end of `fd`, or listen(2) if `fd` is the
 * connecting end. It is trusted if it was user 0 or our own user, and has CAP_NET_ADMIN in our user
 * namespace now. User 0 alone is not enough: a container has a user 0, too, possibly on the host's
 * network namespace. A process is not trusted if it has ended, if it is hidden by another pid
 * namespace, or if it may not be read (its user namespace requires CAP_SYS_PTRACE, or all of its
 * capabilities). */
struct peer peer_of(int fd);

/* The same for those who need no more. */
bool peer_trusted(int fd);

/* The user alone, as above; -1: not known. */
uid_t peer_user(int fd);

/* "process 4711 (nc) of user 0, without CAP_NET_ADMIN", into the caller's text. */
const char *peer_text(const struct peer *peer, char text[PEER_TEXT_SIZE]);

/* The name of a process's program, printable; "" where there is none of that number. */
const char *process_name(pid_t pid, char name[PEER_NAME_SIZE]);

/* Milliseconds that connect(2) waits at most where the queue of who listens is full, which is else
 * for good: EAGAIN then. Holds for what is sent later, too. */
void peer_patience(int fd, unsigned milliseconds);

#endif
